"""Whether all threads or one: chosen while a plan runs, by what each took lately.

Threads that wait for each other run at the pace of the slowest. When another process holds a core, a step
that two threads share takes 3 to 100 times longer than on one thread alone, for as long as that lasts. The bits
do not depend on threads, so a plan may change its mind between two calls.
"""

import time

# How often the way that is not in use is tried again, and for how long at most.
SECONDS_BETWEEN_TRIALS = 1.0
SECONDS_OF_TRIAL = 0.002


class Pace:
    """Counts seconds a step on all threads and on one, and says what to use next.

    seconds  of a step by number of threads, as last measured
    """

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self._tried = 0.0

    def choose(self, threads: int, budget: float) -> tuple[int, int]:
        """(threads, steps) of the next call, which should take `budget` seconds; `threads` is what may be used.

        Where nothing is known yet the call is one step.
        """
        if threads == 1:
            return 1, self._steps(1, budget)
        for count in (threads, 1):
            if count not in self.seconds:
                return count, 1
        faster, other = (1, threads) if self.seconds[1] < self.seconds[threads] else (threads, 1)
        if time.monotonic() - self._tried > SECONDS_BETWEEN_TRIALS:
            self._tried = time.monotonic()
            return other, self._steps(other, SECONDS_OF_TRIAL)
        return faster, self._steps(faster, budget)

    def ran(self, threads: int, steps: int, seconds: float) -> None:
        """Say how long a call took."""
        self.seconds[threads] = max(seconds / steps, 1e-7)

    def _steps(self, threads: int, budget: float) -> int:
        return max(1, int(budget / self.seconds[threads])) if threads in self.seconds else 1
