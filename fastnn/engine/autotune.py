"""Whether a step runs on one thread or on all: chosen while it runs, by the time that each took lately.

Threads that wait for each other run at the pace of the slowest. When another process holds a core, a step
that two threads share takes 3 to 100 times longer than on one thread alone, for as long as that lasts. The bits
do not depend on threads, so the choice may change between two calls.
"""

import time

# How often the other number of threads is tried again, and for how long at most.
SECONDS_BETWEEN_PROBES = 1.0
SECONDS_OF_PROBE = 0.002
# A call that was slow moves the estimate by its share of this time. On a quiet machine some calls of 2 ms are slow.
# When each counted whole, most trainings of `mnist-mlp` that had chosen two threads, 50 µs a step, went on with one,
# 85 µs a step, for as long as a second (Zen 5, two cores, .4 s of training in new processes).
SECONDS_TO_BELIEVE = 0.02
# Where both took about as long, the first trials come sooner, also those after a change: each after twice the seconds.
# Not where another process holds a core: there a step on all threads takes 25 ms.
SECONDS_TO_FIRST_PROBE = 0.05
CLOSE = 2.0
# Between two trials of one thread pass at least the seconds of this many steps: a step of 10,000 samples takes .15 s
# there instead of .08, and every second one would be a trial.
STEPS_BETWEEN_PROBES = 20
# After such a pause something else ran, whose threads may still spin, and ours sleep. A trial then waits until the
# faster way has run for a while.
PAUSE = 0.005
SECONDS_TO_SETTLE = 0.01


class ThreadTuner:
    """Measures the seconds of a step on all threads and on one, and chooses for the next call.

    The first step on any number of threads fetches all data from memory, and wakes threads. So it does not count: each
    number is measured again, for SECONDS_OF_PROBE, before one is chosen.

    That a short call was slow tells little: it moves the estimate by its share of SECONDS_TO_BELIEVE.

    seconds  number of threads -> seconds of a step, as measured lately
    """

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self._measured: dict[int, tuple[float, float]] = {}  # steps behind the first one, and their seconds
        self._tried = 0.0
        self._wait = SECONDS_TO_FIRST_PROBE  # from the last trial to the next one
        self._faster = 0  # the number of threads that was chosen last
        self._trial: int | None = None  # the number of threads that is tried again
        self._trial_left = 0.0  # seconds of that trial: where calls are short, it takes several
        self._ended = 0.0  # when the last call ended
        self._settled = False  # whether a trial that is due has waited for a call

    def choose(self, threads: int, budget: float) -> tuple[int, int]:
        """(threads, steps) of the next call, on at most `threads` threads, so that it takes about `budget` seconds.

        Where nothing has been measured yet the call is one step.
        """
        if threads == 1:
            return 1, self._steps(1, budget)
        for count in (threads, 1):
            if count not in self.seconds:
                return count, 1
        for count in (threads, 1):
            if (left := self._unmeasured(count)) > 0:
                return count, self._steps(count, left)
        faster, other = (1, threads) if self.seconds[1] < self.seconds[threads] else (threads, 1)
        if faster != self._faster:
            self._faster, self._tried, self._wait = faster, time.monotonic(), SECONDS_TO_FIRST_PROBE
        if self._trial is None and self._is_due(faster, other):
            if self._follows_a_pause():
                return faster, self._steps(faster, min(budget, SECONDS_TO_SETTLE))
            self._begin_trial(other)
        if self._trial is not None:
            return self._trial, self._steps(self._trial, self._trial_left)
        return faster, self._steps(faster, budget)

    def ran(self, threads: int, steps: float, seconds: float) -> None:
        """Note the time that a call took; a shorter step counts as a part of one."""
        self._ended = time.monotonic()
        if threads == self._trial:
            self._trial_left -= seconds
            self._trial = self._trial if self._trial_left > 0 else None
        one = max(seconds / steps, 1e-7)
        if threads not in self.seconds:  # a cold one
            self.seconds[threads], self._measured[threads] = one, (0.0, 0.0)
        elif self._unmeasured(threads) > 0:
            self._measure(threads, steps, seconds)
        else:
            before = self.seconds[threads]
            share = min(1.0, seconds / SECONDS_TO_BELIEVE) if one > before else 1.0
            self.seconds[threads] = before + (one - before) * share

    def _measure(self, threads: int, steps: float, seconds: float) -> None:
        """Note a call behind the first one: the mean of such calls counts."""
        done, spent = self._measured[threads]
        self._measured[threads] = done + steps, spent + seconds
        self.seconds[threads] = max((spent + seconds) / (done + steps), 1e-7)

    def _unmeasured(self, threads: int) -> float:
        """The seconds for which a number of threads has still to be measured."""
        return SECONDS_OF_PROBE - self._measured[threads][1]

    def _is_due(self, faster: int, other: int) -> bool:
        """Whether it is time to try the other number of threads again."""
        soon = self.seconds[other] < CLOSE * self.seconds[faster]
        wait = self._wait if soon else SECONDS_BETWEEN_PROBES
        if other == 1:
            wait = max(wait, STEPS_BETWEEN_PROBES * self.seconds[faster])
        return time.monotonic() - self._tried > wait

    def _follows_a_pause(self) -> bool:
        """Whether a trial should wait for a call; it waits for one only, as each call may follow a pause."""
        self._settled = not self._settled and time.monotonic() - self._ended > PAUSE
        return self._settled

    def _begin_trial(self, other: int) -> None:
        self._tried, self._settled = time.monotonic(), False
        self._trial, self._trial_left = other, SECONDS_OF_PROBE
        self._wait = min(2 * self._wait, SECONDS_BETWEEN_PROBES)

    def _steps(self, threads: int, budget: float) -> int:
        return max(1, int(budget / self.seconds[threads])) if threads in self.seconds else 1
