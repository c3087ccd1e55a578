"""Whether a step runs on one thread or on all: chosen while it runs, by the time that each took lately.

Threads that wait for each other run at the pace of the slowest. When another process holds a core, a step
that two threads share takes 3 to 100 times longer than on one thread alone, for as long as that lasts. The bits
do not depend on threads, so the choice may change between two calls.
"""

import time

# How often the other number of threads is tried again, and for how long at most.
SECONDS_BETWEEN_PROBES = 1.0
SECONDS_OF_PROBE = 0.002


class ThreadTuner:
    """Measures the seconds of a step on all threads and on one, and chooses for the next call.

    The first step on any number of threads fetches all data from memory, and wakes threads. So it does not count: each
    number is measured once more before one is chosen.

    That a call of one short step was slow tells little: it moves the estimate by its share of SECONDS_OF_PROBE.

    seconds  number of threads -> seconds of a step, as measured lately
    """

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self._warm: set[int] = set()  # the numbers of threads that were measured more than once
        self._tried = 0.0
        self._trial: int | None = None  # the number of threads that is tried again
        self._trial_left = 0.0  # seconds of that trial: where calls are short, it takes several

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
            if count not in self._warm:
                self._tried = time.monotonic()
                return count, max(1, int(SECONDS_OF_PROBE / min(self.seconds.values())))
        faster, other = (1, threads) if self.seconds[1] < self.seconds[threads] else (threads, 1)
        if time.monotonic() - self._tried > SECONDS_BETWEEN_PROBES:
            self._tried = time.monotonic()
            self._trial, self._trial_left = other, SECONDS_OF_PROBE
        if self._trial is not None:
            return self._trial, self._steps(self._trial, self._trial_left)
        return faster, self._steps(faster, budget)

    def ran(self, threads: int, steps: float, seconds: float) -> None:
        """Note the time that a call took; a shorter step counts as a part of one."""
        if threads == self._trial:
            self._trial_left -= seconds
            self._trial = self._trial if self._trial_left > 0 else None
        one = max(seconds / steps, 1e-7)
        before = self.seconds.get(threads, one)
        if threads not in self._warm:  # the first time was a cold one
            before = one
        if threads in self.seconds:
            self._warm.add(threads)
        share = min(1.0, seconds / SECONDS_OF_PROBE) if one > before else 1.0
        self.seconds[threads] = before + (one - before) * share

    def _steps(self, threads: int, budget: float) -> int:
        return max(1, int(budget / self.seconds[threads])) if threads in self.seconds else 1
