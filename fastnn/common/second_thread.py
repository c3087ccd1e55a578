"""Work that a second thread does beside the caller."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

MOST_WAITING = 16  # calls, each of which may keep a copy of what it works on


class SecondThread:
    """Calls functions in a second thread, in the order given, and in the caller's own thread where it must wait.

    Worth it for what leaves the interpreter to others: calls of the system, hashing.

        with SecondThread() as thread:
            for part in parts:
                thread.add(digest_of, part)
            digests = thread.results()

    threaded : False calls each function at once, and starts no thread: cheaper for a single one
    """

    def __init__(self, threaded: bool = True):
        self._pool = ThreadPoolExecutor(1) if threaded else None
        self._results: list[Any] = []
        self._waiting: deque[tuple[int, Future[Any], Callable[[], Any]]] = deque()

    def __enter__(self) -> "SecondThread":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def add(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call the function, soon. What it raises, this or a later call of `add` or `results` raises."""
        if self._pool is None:
            self._results.append(function(*arguments))
            return

        def call() -> Any:
            return function(*arguments)

        self._waiting.append((len(self._results), self._pool.submit(call), call))
        self._results.append(None)
        while self._waiting and self._waiting[0][1].done():
            self._settle(*self._waiting.popleft())
        if len(self._waiting) > MOST_WAITING:
            self._settle(*self._waiting.pop())

    def results(self) -> list[Any]:
        """What all functions returned, in the order in which they were added."""
        while self._waiting:
            self._settle(*self._waiting.pop())  # the last one has surely not begun, so this thread can take it
        return self._results

    def _settle(self, place: int, future: Future[Any], call: Callable[[], Any]) -> None:
        self._results[place] = call() if future.cancel() else future.result()
