"""Ends training when a figure has stopped getting better, and brings the best parameters back."""

from typing import Any

import numpy as np

from fastnn.common.assigned import number, optional, switch
from fastnn.common.figures import Mode
from fastnn.common.stash import Stash
from fastnn.common.text import plural
from fastnn.nn import network
from fastnn.training.callbacks.plateau import PlateauWatcher
from fastnn.training.callbacks.run import Run

State = dict[str, dict[str, np.ndarray]]  # by "parameters" and "buffers", and by name


class EarlyStopping(PlateauWatcher):
    """Stop after `patience` epochs in which `monitor` did not improve by more than `min_delta`.

    Args:
        monitor: A figure of the epoch.
        patience: How many epochs without improvement end the training.
        min_delta: By how much it must improve.
        restore_best: At the end, however it comes, put back the parameters of the best epoch.
        max_gap: Also stop once val_loss − loss exceeds this.
        mode: "max" or "min", whether more or less of it is better; "auto": by its name, as accuracies, r2, top_5 and
            scores are better when higher, losses, errors and perplexity when lower. NaN is never better.

    Attributes:
        stopped: Why it ended training, if it did.
        best: The best figure.
        best_epoch: Its epoch.

    Raises:
        ValueError: Where the name does not tell what is better, or for numbers out of range.
        DataError: In `fit`, if the training does not report it.

    Examples:
        >>> stopping = fn.EarlyStopping("val_loss", patience=2, restore_best=True)
        >>> history = model.fit(x, y, epochs=5, validation_split=0.2, callbacks=[stopping])
        >>> stopping.best == min(history["val_loss"])
        True
    """

    _checks = PlateauWatcher._checks | {"restore_best": switch, "max_gap": optional(number)}
    kept = (*PlateauWatcher.kept, "stopped")

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        *,
        min_delta: float = 0.0,
        restore_best: bool = False,
        max_gap: float | None = None,
        mode: Mode = "auto",
    ):
        super().__init__(monitor, patience, min_delta, mode)
        self.restore_best, self.max_gap = restore_best, max_gap

    def _reset(self) -> None:
        super()._reset()
        self._best: State | _Kept | None = None
        self.stopped = ""

    def bytes_kept(self, run: Run) -> int:
        """The best parameters, and while they are replaced, those that come after them; large ones are in a file.

        Args:
            run: The training.
        """
        return 2 * Stash().memory_of(run.model.state.nbytes) if self.restore_best else 0

    def on_epoch_begin(self, run: Run) -> None:
        if self.stopped:  # resumed from the checkpoint of a training that had ended
            run.stop(self.stopped)

    def on_epoch_end(self, run: Run) -> None:
        if self._improved(run) and self.restore_best:
            self._best = _Kept(run.model.state)  # a new one: until it is whole, the one before is there
        self.stopped = self._reason(run.logs)
        if self.stopped:
            run.stop(self.stopped)

    def _reason(self, logs: dict[str, Any]) -> str:
        if self.waited >= self.patience:
            return f"{self.monitor} did not improve for {plural(self.waited, 'epoch')}"
        if self.max_gap is not None and self._figure(logs, "val_loss") - logs["loss"] > self.max_gap:
            return f"val_loss − loss exceeds {self.max_gap:g}"
        return ""

    @property
    def best_state(self) -> State | None:
        """The arrays of the best epoch: copies."""
        return self._best.arrays() if isinstance(self._best, _Kept) else self._best

    def on_train_end(self, run: Run) -> None:
        if not self.restore_best or self._best is None:
            return
        if isinstance(self._best, _Kept):
            self._best.put_back(run.model.state)
        else:
            run.model.restore(self._best)
        run.put_back = True

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"best_state": self.best_state or {}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        # Copies: the arrays of a file that was read are views, which keep all of its bytes in memory.
        best = {kind: {name: array.copy() for name, array in of.items()} for kind, of in state["best_state"].items()}
        self._best = best or None

    def __getstate__(self) -> dict[str, Any]:
        # A file without a name is this process's alone.
        return self.__dict__ | {"_best": self.best_state}


class _Kept:
    """The parameters and running statistics of an epoch, put aside."""

    def __init__(self, state: network.State):
        self._blocks = {"parameters": state.parameters, "buffers": state.buffers}
        self._stash = Stash()
        self._stash.keep([block.flat for block in self._blocks.values()])

    def put_back(self, state: network.State) -> None:
        self._stash.put_back([state.parameters.flat, state.buffers.flat])

    def arrays(self) -> State:
        """By kind and name, in memory."""
        found = {kind: block.like() for kind, block in self._blocks.items()}
        self._stash.put_back([block.flat for block in found.values()])
        return {kind: dict(block) for kind, block in found.items()}
