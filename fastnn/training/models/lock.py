"""Who may use a model now: one thread at a time its compiled steps, and one `fit` at a time its parameters."""

import contextlib
import os
import threading
from collections.abc import Iterator
from types import TracebackType

from fastnn.common.errors import FastnnError

BUSY = (
    "this model is being trained by another fit: wait for it, or train a copy, copy.deepcopy(model); while fit runs, "
    "predict and evaluate may be called"
)


OPTIMIZER_BUSY = (
    "this optimizer trains another model now, whose state it holds: give each model one of its own, "
    "copy.deepcopy(optimizer)"
)
_training: dict[tuple[int, int], object] = {}  # optimizers that train now, by the process, which may fork, and their id


@contextlib.contextmanager
def of_optimizer(optimizer: object) -> Iterator[None]:
    """The block is a training by `optimizer`. FastnnError if another one runs."""
    key, mine = (os.getpid(), id(optimizer)), object()
    if _training.setdefault(key, mine) is not mine:  # in one step, which no other thread divides
        raise FastnnError(OPTIMIZER_BUSY)
    try:
        yield
    finally:
        del _training[key]


class ModelLock:
    """A lock, used by `with`, of a model's compiled steps; kernels run without the interpreter's lock.

    FastnnError where the thread that has it asks for it again: within a call, for example a metric of a user's own, a
    second one would wait for the first for ever.
    """

    def __init__(self) -> None:
        self._lock, self._fit = threading.Lock(), threading.Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            raise FastnnError("this model is called from within a call of it: use a copy there, copy.deepcopy(model)")
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner = None
        self._lock.release()

    @contextlib.contextmanager
    def of_fit(self) -> Iterator[None]:
        """The block is a training. FastnnError if another one runs, in this thread or another."""
        if not self._fit.acquire(blocking=False):
            raise FastnnError(BUSY)
        try:
            with self:
                pass  # a step by hand that runs now ends first
            yield
        finally:
            self._fit.release()

    def check_step(self) -> None:
        """FastnnError if a `fit` runs, of a step by hand that holds the lock."""
        if self._fit.locked():
            raise FastnnError(BUSY)
