"""Whether a step runs on one thread or on all: chosen while it runs, by the time that each took lately.

Threads that wait for each other run at the pace of the slowest. When another process holds a core, a step
that two threads share takes 3 to 100 times longer than on one thread alone, for as long as that lasts. The bits
do not depend on threads, so the choice may change between two calls.
"""

import time

# The number of threads that was slower is tried again after a first wait, then after twice the wait, up to the longest.
# A wait is at least as long as this many trials of the length of the last one: so trials stay a twentieth of the time.
SECONDS_TO_FIRST_TRIAL = 0.03
SECONDS_BETWEEN_TRIALS = 1.0
WAIT_OF_A_TRIAL = 20
SECONDS_OF_TRIAL = 0.002


class ThreadTuner:
    """Measures the seconds of a step on all threads and on one, and chooses for the next call.

    The first step on any number of threads fetches all data from memory, and wakes threads. So it does not count: each
    number is measured once more before one is chosen.

    A call that was quicker is believed at once; one that was slow, when the next one is slow too: a core that was held
    for a moment does not change the choice. Where calls take less than SECONDS_OF_TRIAL, a slow one moves the estimate
    by its share of that time.

    seconds  number of threads -> seconds of a step, as measured lately
    """

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self._last: dict[int, float] = {}  # those of the last call
        self._warm: set[int] = set()  # the numbers of threads that were measured more than once
        self._threads = 1  # all threads
        self._chosen = 0  # the number of them that was faster
        self._trial: int | None = None  # the number of threads that is tried again
        self._trial_left = 0.0  # seconds of that trial: where calls are short, it takes several
        self._wait, self._due = 0.0, 0.0  # from the last trial to the next one, and when that is

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
                return count, max(1, int(SECONDS_OF_TRIAL / min(self.seconds.values())))
        self._threads = threads
        faster, other = self._order()
        if faster != self._chosen:  # the other one became slow, perhaps for a moment
            self._chosen, self._wait = faster, SECONDS_TO_FIRST_TRIAL
            self._due = time.monotonic() + self._wait
        if self._trial is None and time.monotonic() > self._due:
            self._trial, self._trial_left = other, SECONDS_OF_TRIAL
        if self._trial is not None:
            return self._trial, self._steps(self._trial, self._trial_left)
        return faster, self._steps(faster, budget)

    def ran(self, threads: int, steps: float, seconds: float) -> None:
        """Note the time that a call took; a shorter step counts as a part of one."""
        self._note(threads, max(seconds / steps, 1e-7), min(1.0, seconds / SECONDS_OF_TRIAL))
        if threads == self._trial:
            self._trial_left -= seconds
            if self._trial_left <= 0:
                self._end_trial()

    def _note(self, threads: int, one: float, share: float) -> None:
        """That a step took `one` second; a slower one than before counts by its share."""
        before = self.seconds.get(threads, one)
        last = self._last.get(threads, one)
        self._last[threads] = one
        if threads in self.seconds and threads not in self._warm:  # the first time was a cold one
            self._warm.add(threads)
            before = last = one
        if one > before:
            one = before + (max(before, min(one, last)) - before) * share
        self.seconds[threads] = one

    def _end_trial(self) -> None:
        spent = SECONDS_OF_TRIAL - self._trial_left
        self._trial, self._chosen = None, self._order()[0]
        self._wait = min(2 * self._wait, SECONDS_BETWEEN_TRIALS)
        self._due = time.monotonic() + max(self._wait, WAIT_OF_A_TRIAL * spent)

    def _order(self) -> tuple[int, int]:
        """The numbers of threads: (faster, slower)."""
        every = self._threads
        return (1, every) if self.seconds[1] < self.seconds[every] else (every, 1)

    def _steps(self, threads: int, budget: float) -> int:
        """How many steps take `budget` seconds, if they take as long as in the last call."""
        return max(1, int(budget / max(self.seconds[threads], self._last[threads]))) if threads in self.seconds else 1
