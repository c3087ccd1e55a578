"""Writes the model of the best epoch to a file, as soon as there is a better one."""

from pathlib import Path

from fastnn.common.assigned import path as checked_path
from fastnn.common.figures import Mode, higher_is_better
from fastnn.training.callbacks.plateau import BestWatcher
from fastnn.training.callbacks.run import Run
from fastnn.training.models import storage


class SaveBest(BestWatcher):
    """After each epoch whose `monitor` is the best so far, write the model to `path`, for `fn.load`.

    The file is whole at every moment: the old model or the new one. It is no checkpoint; `fn.Checkpoint` writes what a
    training needs to go on. Beside a Checkpoint, a training that is resumed goes on with the best figure that it had.
    A second `fit` of the same model does, too; a training of another model replaces the file after its first epoch.

    Args:
        path: The HDF5 file; one that is there is replaced.
        monitor: A figure of the epoch.
        mode: "max" or "min", whether more or less of it is better; "auto": by its name, as accuracies, r2, top_5 and
            scores are better when higher, losses, errors and perplexity when lower. NaN is never better.

    Attributes:
        best: The best figure.
        best_epoch: Its epoch.

    Raises:
        ValueError: Where the name does not tell what is better.
        DataError: In `fit`, if the training does not report it.
        FileFormatError: In `fit`, if the path cannot be written.

    Examples:
        >>> saving = fn.SaveBest("best.h5", "val_loss")
        >>> history = model.fit(x, y, epochs=3, validation_split=0.2, callbacks=[saving])
        >>> fn.load("best.h5").epoch == saving.best_epoch == history.best("val_loss")["epoch"]
        True
    """

    _checks = BestWatcher._checks | {"path": checked_path}

    def __init__(self, path: str | Path, monitor: str = "val_loss", *, mode: Mode = "auto"):
        self.path = path
        super().__init__(monitor, 0.0, mode)

    def on_train_begin(self, run: Run) -> None:
        if not self._goes_on(run):
            super().on_train_begin(run)

    def _goes_on(self, run: Run) -> bool:
        """Whether the best figure is one of this model's history, and still says what is better."""
        if self._higher != higher_is_better(self.monitor, self.mode, "SaveBest: "):
            return False
        epochs = run.history.epochs[: self.best_epoch][-1:]
        return any(epoch["epoch"] == self.best_epoch and epoch.get(self.monitor) == self.best for epoch in epochs)

    def on_epoch_end(self, run: Run) -> None:
        if self._improved(run):
            storage.save(self.path, run.model.saved())
