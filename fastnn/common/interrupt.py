"""Ctrl-C and SIGTERM while training never take effect between a step and the counters that belong to it."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM on its way out of a training, where it would end the process without a word to Python."""


class InterruptShield:
    """Within the block, a signal that arrives during `hold()` takes effect when that ends, others at once.

    Without it, Python raises KeyboardInterrupt in the first moment after a compiled call: the weights have moved,
    but history and optimizer do not know yet. Only the main thread receives signals; elsewhere they do nothing.

    asked : in a thread that receives none: once it is set, KeyboardInterrupt where a signal that waited takes effect
    """

    def __init__(self, asked: threading.Event | None = None) -> None:
        self._asked = asked
        self._held = self._delayed = False
        self._pending: tuple[Any, Any] | None = None
        self._previous: dict[int, Any] = {}  # the handlers of before, of the signals that are looked at
        self._effects: dict[int, Callable[[Any, Any], Any]] = {}

    def __enter__(self) -> "InterruptShield":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                previous = signal.getsignal(number)
                if callable(previous):
                    self._look_at(number, previous)
        return self

    def catch_termination(self) -> None:
        """From now on SIGTERM that nobody handles leaves the block as an exception too, before it ends the process.

        Until then it ends at once a process that is within native code, such as a compiler, where a handler of Python
        would wait.
        """
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._look_at(signal.SIGTERM, _terminate)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle:  # else somebody has set another one meanwhile, which stays
                signal.signal(number, previous)
        if kind is Terminated:
            os.kill(os.getpid(), signal.SIGTERM)

    def _look_at(self, number: signal.Signals, effect: Callable[[Any, Any], Any]) -> None:
        self._previous[number], self._effects[number] = signal.getsignal(number), effect
        signal.signal(number, self._handle)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """What is done in the block is done whole."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if not self._delayed:
                self._take_effect()

    @contextlib.contextmanager
    def delay(self) -> Iterator[None]:
        """The same, but only the first signal waits: so a block that does not end can be interrupted."""
        self._delayed = True
        try:
            yield
        finally:
            self._delayed = False
            self._take_effect()

    def _take_effect(self) -> None:
        if self._asked is not None and self._asked.is_set():
            raise KeyboardInterrupt
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._effects[pending[0]](*pending)

    def _handle(self, number: int, frame: Any) -> None:
        if self._held or (self._delayed and self._pending is None):
            self._pending = (number, frame)
        else:
            self._pending = None
            self._effects[number](number, frame)


def _terminate(number: int, frame: Any) -> None:
    raise Terminated
