"""One trial of a sweep of a user's own model: built, trained to an epoch, and kept so that it can go on from there."""

import copy
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastnn.common.errors import FastnnError
from fastnn.common.figures import CIRCUMSTANCES
from fastnn.common.plain import plain
from fastnn.engine.threads import usable_threads
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.search.packing import opened
from fastnn.training.callbacks import Callback, Checkpoint, EarlyStopping
from fastnn.training.history import History

Build = Callable[..., Any]
Row = dict[str, Any]
PAUSED = "paused"


@dataclass(frozen=True)
class Job:
    """What all trials of a sweep have in common.

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


@dataclass(frozen=True)
class Step:
    """A part of a trial: train with these settings up to the epoch `until`, on from `state` if there is one."""

    settings: Mapping[str, Any]
    until: int
    state: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """What a step has come to: columns of the trial's row, and the state from which it can go on, which is a model."""

    row: Row
    state: bytes | None = None


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


def train(shared: Any, step: Step) -> Outcome:
    """Train a step of a trial. What a user's code or a training raises, and divergence, is noted in its row."""
    begin = time.monotonic()
    row: Row = {"threads": usable_threads()}
    try:
        outcome = _trained(opened(shared), step)
    except Exception as error:
        row |= {"status": "failed", "reason": told(error), "seconds": time.monotonic() - begin}
        return Outcome(row)
    return Outcome(outcome.row | row | {"seconds": time.monotonic() - begin}, outcome.state)


def told(error: BaseException) -> str:
    """The error in a line, with its kind where it is not fastnn's own."""
    text = " ".join(str(error).split())
    return text if isinstance(error, FastnnError) and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def _trained(job: Job, step: Step) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="fastnn-") as folder:
        path = Path(folder) / "trial.h5"
        if step.state is not None:
            path.write_bytes(step.state)
        model, given = built(job, step.settings)
        epochs = given.pop("epochs")
        own = copy.deepcopy(list(job.callbacks))
        pause = [Pause(model.epoch + step.until)] if step.until < epochs else []
        watching = [*own, *pause, KeptAtEnd(path, resume=step.state is not None)]
        history = model.fit(**job.arrays(), **given, epochs=epochs, callbacks=watching, verbose=False)
        reason = history.stop_reason or ""
        row = {"status": "paused" if reason == PAUSED else "finished", "reason": reason.replace(PAUSED, "")}
        return Outcome(row | figures_of(history, own), path.read_bytes())


def built(job: Job, settings: Mapping[str, Any]) -> tuple[Model, dict[str, Any]]:
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
