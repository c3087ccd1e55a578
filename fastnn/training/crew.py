"""Trainings side by side: each of some threads takes one after the other, on that thread alone."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from fastnn.engine.threads import threads, usable_threads
from fastnn.training.interrupt import InterruptShield

Ended = threading.Event  # set where all trainings are to end, as at Ctrl-C
SECONDS_BETWEEN_LOOKS = 0.2  # on some systems a thread that waits for another hears of Ctrl-C only when it wakes up


def run_all(trainings: Sequence[Callable[[Ended], None]], saves: bool) -> list[Exception | None]:
    """Run all; the error of each, None where there was none. At Ctrl-C and the like all end first, between whole steps.

    saves : whether one of them writes a checkpoint where a signal ends it: then SIGTERM waits for that, too
    """
    crew = _Crew(trainings)
    with InterruptShield() as shield:
        if saves:
            shield.catch_termination()
        crew.run(min(usable_threads(), len(trainings)))
    return crew.errors


class _Crew:
    """Threads that take the next training until there is none."""

    def __init__(self, trainings: Sequence[Callable[[Ended], None]]):
        self.errors: list[Exception | None] = [None] * len(trainings)
        self._left = deque(enumerate(trainings))
        self._ended = Ended()
        self._ending: list[BaseException] = []  # what ends all of them, such as the SystemExit of a callback

    def run(self, count: int) -> None:
        crew = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        try:
            for one in crew:
                one.start()
            _wait(crew)
        finally:
            self._ended.set()
            _wait(crew)
        if self._ending:
            raise self._ending[0]

    def _work(self) -> None:
        with threads(1):
            while not self._ended.is_set():
                try:
                    number, training = self._left.popleft()
                except IndexError:
                    return
                self._run(number, training)

    def _run(self, number: int, training: Callable[[Ended], None]) -> None:
        try:
            training(self._ended)
        except Exception as error:
            self.errors[number] = error
        except BaseException as error:
            if not self._ended.is_set():
                self._ending.append(error)
            self._ended.set()


def _wait(crew: Sequence[threading.Thread]) -> None:
    for one in crew:
        while one.is_alive():
            one.join(SECONDS_BETWEEN_LOOKS)
