"""What a training leaves that Ctrl-C or SIGTERM ends: a checkpoint, where one was asked for."""

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from fastnn.common.interrupt import InterruptShield
from fastnn.training.callbacks import Checkpoint, Run
from fastnn.training.fit.rollback import LastGoodState


class Ending:
    """The block is a training; where a signal leaves it between whole steps, its checkpoints are written.

    Steps are whole once the callbacks have seen them, too. Where there is no Checkpoint, or batches cannot be read from
    the middle of an epoch, a signal takes effect as soon as a step is counted, and nothing is written.

    shield : what keeps signals from taking effect within a step
    """

    def __init__(self, run: Run, good: LastGoodState, shield: InterruptShield):
        self.run, self.good = run, good
        found = [callback for callback in run.callbacks if isinstance(callback, Checkpoint)]
        self.checkpoints = found if run.can_resume_within else []
        self.shield = shield
        self._has_begun = False
        self._position: Callable[[], dict[str, Any]] | None = None  # where to go on, if that is known now

    def __enter__(self) -> None:
        self._position = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, Exception) or self._position is None:
            return
        if self.run.stop_reason is None and self.good.is_finite():
            for checkpoint in self.checkpoints:
                checkpoint.save_within(self.run, self._position())

    @contextlib.contextmanager
    def steps(self) -> Iterator[None]:
        """The block takes some steps, and calls the callbacks around them."""
        if not self.checkpoints:
            yield
            return
        if not self._has_begun:  # before the first step there is nothing to keep, and much to compile
            self._has_begun = True
            self.shield.catch_termination()
        with self.shield.delay():
            self._position = None
            yield
            self._position = self.run.position

    def chunk_done(self) -> None:
        """The steps of a chunk are done: while the next one is read, or while the epoch is judged, nothing changes."""
        if self._position is not None:
            position = self.run.position()
            self._position = lambda: position

    def epoch_done(self) -> None:
        """From now on callbacks keep what belongs to the epoch."""
        self._position = None
