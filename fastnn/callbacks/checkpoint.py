"""Keeps the whole state of a training on disk, so that it can go on after an interruption."""

from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.callbacks.base import Callback
from fastnn.errors import FileFormatError
from fastnn.storage import load_checkpoint, save_model

if TYPE_CHECKING:
    from fastnn.training import Run


class Checkpoint(Callback):
    """After each epoch, write model, optimizer state, counters, history and callbacks' states to `path`.

    With resume=True and a file there, training starts from it: parameters, state, sample order and
    what follows are the same bits as without the interruption. The file is a model too: `load` reads it.
    """

    def __init__(self, path: str | Path, *, resume: bool = False):
        self.path, self.resume = Path(path), resume

    def on_train_begin(self, run):
        if self.resume and self.path.exists():
            model, training = load_checkpoint(self.path)
            self._check(run, model, training)
            restore(run, model, training)

    def _check(self, run, model, training) -> None:
        if not training:
            raise FileFormatError(f"{self.path}: a model without a training state, cannot resume from it")
        if model.network.config() != run.model.network.config() or model.seed != run.model.seed:
            raise FileFormatError(f"{self.path}: the checkpoint of another network or seed, cannot resume from it")
        if training["optimizer"]["config"] != run.optimizer.config():
            was, now = training["optimizer"]["config"], run.optimizer.config()
            raise FileFormatError(f"{self.path}: was trained with {was}, not {now}; cannot resume from it")

    def on_epoch_end(self, run):
        save_model(self.path, run.model, training_state(run))


def training_state(run: "Run") -> dict[str, Any]:
    """Everything beside the model that the next epoch depends on, as a tree for `save_model`."""
    return {
        "optimizer": {
            "config": run.optimizer.config(),
            "iteration": run.optimizer.iteration,
            "state": run.optimizer.state,
        },
        "history": {"epochs": run.history.epochs, "loss": np.array(run.history.steps["loss"])},
        "callbacks": {str(i): callback.state_dict() for i, callback in enumerate(_resumable(run))},
    }


def restore(run: "Run", model: Any, training: dict[str, Any]) -> None:
    """Put a run into the state that `training_state` took down."""
    run.model.set_parameters(model.parameters)
    for name, parts in training["optimizer"].get("state", {}).items():
        for part, value in parts.items():
            run.optimizer.state[name][part][...] = value
    run.optimizer.iteration = training["optimizer"]["iteration"]
    run.epoch = run.model.epoch = model.epoch
    run.history.epochs[:] = training["history"]["epochs"]
    run.history.steps["loss"] = array("d", training["history"]["loss"])
    for i, callback in enumerate(_resumable(run)):
        callback.load_state_dict(training["callbacks"][str(i)])


def _resumable(run: "Run") -> list[Callback]:
    """The callbacks that have a state, in their order: a progress bar more or less changes nothing."""
    return [callback for callback in run.callbacks if type(callback).state_dict is not Callback.state_dict]
