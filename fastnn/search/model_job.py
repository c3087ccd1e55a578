"""A trial of a user's own model: built, trained to an epoch, and kept so that it can go on from there."""

import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastnn.common.figures import CIRCUMSTANCES
from fastnn.common.plain import plain
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.search.job import Outcome, Row, Step
from fastnn.training.callbacks import Callback, Checkpoint, EarlyStopping
from fastnn.training.history import History

Build = Callable[..., Any]
PAUSED = "paused"


@dataclass(frozen=True)
class ModelJob:
    """The job of a sweep of a user's own model.

    build      settings -> a model, or (model, optimizer)
    data       (x, y), or a function that gives them, or a Dataset: each process calls it once
    arguments  of `fit`
    callbacks  of which each trial gets copies
    to_build   the settings that are arguments of `build`; others are of `fit`
    """

    build: Build
    data: Any
    arguments: Mapping[str, Any]
    callbacks: Sequence[Callback]
    to_build: frozenset[str]
    found: list[Any] = field(default_factory=list)  # what `data` gave in this process

    def arrays(self) -> Mapping[str, Any]:
        """x, y and, where there is one, the validation set, as arguments of `fit`."""
        if not self.found:
            self.found.append(arguments_of(self.data() if callable(self.data) else self.data))
        return self.found[0]

    def load(self, settings: Mapping[str, Any]) -> None:
        self.arrays()

    def trained(self, step: Step) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="fastnn-") as folder:
            path = Path(folder) / "trial.h5"
            if step.state is not None:
                path.write_bytes(step.state)
            model, given = built(self, step.settings)
            epochs = given.pop("epochs")
            own = copy.deepcopy(list(self.callbacks))
            pause = [Pause(model.epoch + step.until)] if step.until < epochs else []
            watching = [*own, *pause, KeptAtEnd(path, resume=step.state is not None)]
            history = model.fit(**self.arrays(), **given, epochs=epochs, callbacks=watching, verbose=False)
            reason = history.stop_reason or ""
            row = {"status": "paused" if reason == PAUSED else "finished", "reason": reason.replace(PAUSED, "")}
            return Outcome(row | figures_of(history, own), path.read_bytes())


def arguments_of(data: Any) -> dict[str, Any]:
    """x, y and validation_data of what a user gives as data. TypeError for anything else."""
    if hasattr(data, "train") and hasattr(data, "val"):
        val = data.val
        found = {"x": data.train.x, "y": data.train.y}
        return found if val is None else found | {"validation_data": (val.x, val.y)}
    if isinstance(data, tuple | list) and len(data) == 2:
        return {"x": data[0], "y": data[1]}
    raise TypeError(f"data is {type(data).__name__}, expected (x, y), an fn.Dataset, or a function that returns one")


class Pause(Callback):
    """Ends a training after the epoch `until`: it can go on."""

    def __init__(self, until: int):
        self.until = until

    def on_epoch_begin(self, run):
        if run.epoch >= self.until:  # its state was kept, and then the sweep was killed before it wrote the row
            run.stop(PAUSED)

    def on_epoch_end(self, run):
        if run.epoch >= self.until:
            run.stop(PAUSED)


class KeptAtEnd(Checkpoint):
    """A Checkpoint that writes where a step of a trial ends, not after each epoch."""

    def on_epoch_end(self, run):
        if run.stop_reason is not None or run.epoch >= run.last_epoch:
            super().on_epoch_end(run)


def built(job: ModelJob, settings: Mapping[str, Any]) -> tuple[Model, dict[str, Any]]:
    """The model of these settings, untrained, and the arguments of its `fit`. TypeError if `build` gives no model."""
    made = job.build(**{name: value for name, value in settings.items() if name in job.to_build})
    model, optimizer = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(model, Model) or not isinstance(optimizer, Optimizer | str | None):
        raise TypeError(f"build returned {made!r:.80}, expected a model, or (model, optimizer)")
    given = copy.deepcopy(dict(job.arguments)) | {
        name: value for name, value in settings.items() if name not in job.to_build
    }
    return model, given if optimizer is None else given | {"optimizer": optimizer}


def figures_of(history: History, callbacks: Sequence[Callback]) -> Row:
    """The figures of the epoch whose parameters the model has: the last one, or the best one that was put back."""
    best = [one.best_epoch for one in callbacks if isinstance(one, EarlyStopping) and one.restore_best]
    epoch = next((epoch for epoch in history.epochs if epoch["epoch"] in best), history.epochs[-1])
    figures = {name: plain(value) for name, value in epoch.items() if name not in CIRCUMSTANCES}
    return {name: value for name, value in figures.items() if isinstance(value, int | float)} | {
        "epochs_run": len(history),
        "best_epoch": epoch["epoch"],
    }
