"""Writes event files for TensorBoard: figures of steps and epochs, histograms of all arrays."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from fastnn.common.assigned import path, switch
from fastnn.common.packages import package
from fastnn.training.callbacks.event_file import EventFile
from fastnn.training.callbacks.monitor import bins_of, describe
from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.step_recorder import StepRecorder, steps_so_far


class TensorBoard(StepRecorder):
    """Writes event files into `folder`; `tensorboard --logdir folder` shows them, during training too.

    Scalars: step/loss (the mean over the steps since the last record, in this epoch), step/lr; after each epoch epoch/
    and the name, of all its figures. Everything is placed at the number of the step that ran last, over all `fit`
    calls, so losses of steps and of epochs lie over each other. The steps are counted in the model's history: a resumed
    training goes on where its checkpoint was, and what was written after that is hidden, as is what another training
    left in the folder.

    Args:
        folder: Where event files go.
        every: Steps between two records within an epoch; an epoch of fewer is recorded once, at its end.
        histograms: Also describe parameters, gradients, inputs and layers' outputs: their histogram, and min, max, mean
            and std as scalars; False: losses and rates only, which costs training next to nothing.
        bins: Of the histograms.

    Raises:
        MissingPackageError: At once, without the package tensorboardX.
        FileFormatError: In `fit`, if the folder cannot be written.
        ValueError: For numbers out of range.

    Examples:
        >>> history = model.fit(x, y, callbacks=[fn.TensorBoard("events")])  # doctest: +SKIP
    """

    _checks = StepRecorder._checks | {"folder": path, "histograms": switch, "bins": bins_of}

    def __init__(self, folder: str | Path, *, every: int = 100, histograms: bool = True, bins: int = 30):
        super().__init__(every)
        self.folder, self.bins, self.histograms = cast(Path, folder), bins, histograms  # its check makes it one
        package("tensorboardX", "TensorBoard", "tensorboard")  # which needs no TensorFlow
        self._writer: EventFile | None = None
        self._told = 0  # steps whose losses are in what was written

    @property
    def reads_gradients(self) -> bool:  # type: ignore[override]
        """Whether they are to be described."""
        return self.histograms

    def on_epoch_begin(self, run: Run) -> None:
        super().on_epoch_begin(run)
        self._told = steps_so_far(run)
        if self._writer is None:  # not before: a checkpoint to resume from sets the step as training begins
            self._writer = EventFile(self.folder, self._told + 1)

    @property
    def _file(self) -> EventFile:
        assert self._writer is not None, "an epoch has begun"
        return self._writer

    def record(self, run: Run) -> None:
        step = steps_so_far(run)
        losses = run.history.steps["loss"][self._told :]
        if losses:
            self._scalar("step/loss", np.mean(losses), step)
        # At the end of an epoch the optimizer has the rate of the next one.
        self._scalar("step/lr", run.logs.get("lr", run.optimizer.current_lr), step)
        self._told = step
        if self.histograms:
            for kind, name, array in run.arrays():
                self._describe(kind if kind == name else f"{kind}/{name}", array, step)

    def on_epoch_end(self, run: Run) -> None:
        super().on_epoch_end(run)
        for name, value in run.logs.items():
            if name != "epoch" and isinstance(value, int | float | np.number):
                self._scalar(f"epoch/{name}", value, steps_so_far(run))
        self._file.flush()

    def on_train_end(self, run: Run) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _scalar(self, tag: str, value: Any, step: int) -> None:
        self._file.scalar(tag, float(value), step)

    def _describe(self, tag: str, array: np.ndarray, step: int) -> None:
        """The histogram of the finite values and its figures; how many are not finite, where some are not."""
        figures = describe(array, self.bins)
        if figures["nonfinite"]:
            self._scalar(f"{tag}/nonfinite", figures["nonfinite"], step)
        count = int(figures["counts"].sum())
        if not count:
            return
        for name in ("min", "max", "mean", "std"):
            self._scalar(f"{tag}/{name}", figures[name], step)
        mean, std = figures["mean"], figures["std"]
        self._file.histogram(
            tag,
            step,
            min=figures["min"],
            max=figures["max"],
            num=count,
            sum=count * mean,
            sum_squares=count * (std * std + mean * mean),
            bucket_limits=figures["edges"][1:].tolist(),
            bucket_counts=figures["counts"].tolist(),
        )
