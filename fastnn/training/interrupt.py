"""Ctrl-C while training never takes effect between a step and the counters that belong to it."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class InterruptShield:
    """Within the block, an interrupt that arrives during `hold()` takes effect when that ends, others at once.

    Without it, Python raises KeyboardInterrupt in the first moment after a compiled call: the weights have moved,
    but history and optimizer do not know yet. Only the main thread receives signals; elsewhere this does nothing.
    """

    def __init__(self) -> None:
        self._held = self._active = False
        self._pending: tuple[Any, Any] | None = None
        self._previous: Any = None

    def __enter__(self) -> "InterruptShield":
        self._previous = signal.getsignal(signal.SIGINT)
        self._active = threading.current_thread() is threading.main_thread() and callable(self._previous)
        if self._active:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._previous)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._pending is not None:
                pending, self._pending = self._pending, None
                self._previous(*pending)

    def _handle(self, number, frame) -> None:
        if self._held:
            self._pending = (number, frame)
        else:
            self._previous(number, frame)
