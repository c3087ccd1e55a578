"""Who may use a model now: one thread at a time its compiled steps, and one `fit` at a time its parameters.

Ctrl-C may come between any two lines of Python. So what must be given back is given back by one call into C: at the end
of a `with` of a lock of Python's own, or as the first call of a `finally`. A context manager written in Python can be
left out by an interrupt, and then the next call would wait for ever.
"""

import os
import threading
from contextlib import AbstractContextManager
from typing import Any

from fastnn.common.errors import FastnnError

BUSY = (
    "this model is being trained by another fit: wait for it, or train a copy, copy.deepcopy(model); while fit runs, "
    "predict and evaluate may be called"
)
WITHIN = (
    "this model is being trained by the fit that calls this code: end that one first, in a callback by run.stop(why), "
    "or train a copy, copy.deepcopy(model); while fit runs, predict and evaluate may be called"
)

OPTIMIZER_BUSY = (
    "this optimizer trains another model now, whose state it holds: give each model one of its own, "
    "copy.deepcopy(optimizer)"
)

Turn = list[bool]  # [True] while a training runs; whoever made it clears it at the end
_training: dict[tuple[int, int], Turn] = {}  # of optimizers, by the process, which may fork, and their id
_claiming = threading.Lock()


def _after_fork() -> None:
    global _claiming
    _claiming = threading.Lock()  # another thread may have had it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def claim_optimizer(optimizer: object, turn: Turn) -> None:
    """The training of this turn is one by `optimizer`. FastnnError if another one runs."""
    with _claiming:
        for key in [key for key, held in _training.items() if not held]:
            del _training[key]
        if _training.setdefault((os.getpid(), id(optimizer)), turn) is not turn:
            raise FastnnError(OPTIMIZER_BUSY)


class ModelLock:
    """A lock of a model's compiled steps, and the turn of the `fit` that trains it.

    with model._lock.steps():
        ...
    turn = [True]
    try:
        model._lock.claim(turn)
        ...
    finally:
        turn.clear()
    """

    def __init__(self) -> None:
        self._steps: Any = threading.RLock()
        self._claiming = threading.Lock()
        self._turn: Turn = []
        self._thread = 0  # which trains, while there is a turn

    def steps(self) -> AbstractContextManager[Any]:
        """The lock of the compiled steps, to be used by `with`; kernels run without the interpreter's lock.

        FastnnError where the thread that has it asks for it again: within a call, for example a metric of a user's own,
        a second one would write into the memory that the first one reads.
        """
        if self._steps._is_owned():
            raise FastnnError("this model is called from within a call of it: use a copy there, copy.deepcopy(model)")
        return self._steps

    def claim(self, turn: Turn) -> None:
        """The training of this turn is one of this model. FastnnError if another one runs, in whatever thread."""
        with self._claiming:
            self.check_step()
            self._turn, self._thread = turn, threading.get_ident()
        with self.steps():
            pass  # a step by hand that runs now ends first

    def check_step(self) -> None:
        """FastnnError if a `fit` runs, of a step by hand that holds the lock."""
        if self._turn:
            raise FastnnError(WITHIN if self._thread == threading.get_ident() else BUSY)
