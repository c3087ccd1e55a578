"""Trainings side by side: each of some threads takes one after the other, on that thread alone."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastnn.common.interrupt import InterruptShield
from fastnn.engine.threads import threads, usable_threads

Ended = threading.Event  # set where all trainings are to end, as at Ctrl-C
SECONDS_BETWEEN_LOOKS = 0.2  # on some systems a thread that waits for another hears of Ctrl-C only when it wakes up


class Task(NamedTuple):
    """Trainings that one thread takes at once, by their numbers. What is left to do of them is returned."""

    numbers: Sequence[int]
    run: "Callable[[Ended], Sequence[Task] | None]"


def run_all(tasks: Sequence[Task], saves: bool) -> dict[int, Exception]:
    """Run all; the errors of the trainings that failed. At Ctrl-C and the like all end first, between whole steps.

    saves : whether one of them writes a checkpoint where a signal ends it: then SIGTERM waits for that, too
    """
    workers = _WorkerThreads(tasks)
    with InterruptShield() as shield:
        if saves:
            shield.catch_termination()
        try:
            with shield.hold():
                workers.start(min(usable_threads(), len(tasks)))
            workers.wait()
        finally:
            workers.end()
    return workers.errors


class _WorkerThreads:
    """Threads that take the next task until there is none."""

    def __init__(self, tasks: Sequence[Task]):
        self.errors: dict[int, Exception] = {}
        self._left = deque(tasks)
        self._ended = Ended()
        self._done: list[threading.Event] = []  # of each thread
        self._ending: list[BaseException] = []  # what ends all of them, such as the SystemExit of a callback

    def start(self, count: int) -> None:
        for _ in range(count):
            done = threading.Event()
            threading.Thread(target=self._work, args=(done,), daemon=True).start()
            self._done.append(done)

    def wait(self) -> None:
        """Until all are done; raises what ended them."""
        # Not `join`: interrupted, it takes a thread for ended that runs (Python 3.11).
        for done in self._done:
            while not done.wait(SECONDS_BETWEEN_LOOKS):
                pass
        if self._ending:
            raise self._ending[0]

    def end(self) -> None:
        """Ask all to end, and wait for it."""
        self._ended.set()
        for done in self._done:
            done.wait()

    def _work(self, done: threading.Event) -> None:
        try:
            with threads(1):
                while self._left and not self._ended.is_set():
                    self._run(self._left.popleft())
        except IndexError:  # another thread took the last one meanwhile
            pass
        finally:
            done.set()

    def _run(self, task: Task) -> None:
        try:
            self._left.extend(task.run(self._ended) or ())
        except Exception as error:
            self.errors |= dict.fromkeys(task.numbers, error)
        except BaseException as error:
            if not self._ended.is_set():
                self._ending.append(error)
            self._ended.set()
