"""Keeps the whole state of a training on disk, so that it can go on after an interruption."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from fastnn.common.assigned import above_zero, optional, path, positive, switch
from fastnn.common.errors import FileFormatError
from fastnn.common.names import numbered
from fastnn.nn.config import config_of
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.checkpoint_check import check_training
from fastnn.training.callbacks.run import Run
from fastnn.training.history.history import put_back
from fastnn.training.models import storage
from fastnn.training.models.model import Predictor
from fastnn.training.models.storage import Saved


class Checkpoint(Callback):
    """After each epoch, write model, optimizer state, counters, history and callbacks' states to `path`.

    Ctrl-C and SIGTERM while `fit` runs write it too, after the step that is running and its callbacks; a second signal
    does not wait for callbacks. Not between two epochs, where the file of the last one stays, nor within an epoch of
    batches that a user makes.

    The file is a model too, which `load` reads: that of the last epoch, and once the training has ended the one that it
    leaves, as `EarlyStopping(restore_best=True)` puts the best parameters back. Then the last ones stand beside them,
    from which a training of more epochs goes on. One that was stopped stays stopped.

    Args:
        path: The HDF5 file.
        resume: Start from the file, if it is there: parameters, state, position in the epoch, sample order and what
            follows are the same bits as without the interruption. Not within an epoch of batches that a user makes:
            they cannot be read from the middle.
        every: Also every so many steps of an epoch.
        minutes: Also whenever so many have passed.

    Raises:
        ValueError: For a number out of range; in `fit`, for `every` or `minutes` with batches that cannot be read from
            the middle.
        FileFormatError: In `fit`, if the path cannot be written, or the file to resume from is damaged or of another
            training.

    Examples:
        >>> history = model.fit(x, y, epochs=2, callbacks=[fn.Checkpoint("training.h5")])
        >>> fn.load("training.h5").epoch
        2
    """

    last = True  # after each epoch it keeps what the other callbacks have made of it
    _checks = Callback._checks | {"path": path, "resume": switch, "minutes": optional(above_zero)}

    def __init__(
        self, path: str | Path, *, resume: bool = False, every: int | None = None, minutes: float | None = None
    ):
        self.path, self.resume = cast(Path, path), resume  # its check makes it one
        self.every = 0 if every is None else positive("Checkpoint", "every", every)
        self.minutes = minutes
        self._due = math.inf
        self.setup: dict[str, Any] = {}  # of the training that it watches
        self._is_there = False  # whether the file is of this training

    @property
    def often(self) -> bool:  # type: ignore[override]
        """Whether `minutes` are to be watched."""
        return self.minutes is not None

    def on_train_begin(self, run: Run) -> None:
        import h5py  # noqa: F401  (the first file needs it: a signal would wait for that import)

        # As it is now: a callback may change the learning rate, and a resumed training is set up with the first again.
        self.setup = setup_of(run)
        self._is_there = False
        self._due = math.inf if self.minutes is None else time.monotonic() + 60 * self.minutes
        if (self.every or self.minutes) and not run.can_resume_within:
            raise ValueError("Checkpoint: every or minutes, but batches cannot be read from the middle of an epoch")
        if self.resume and self.path.exists():
            saved = storage.read(self.path)
            with storage.building(saved.file):
                self._check(saved.training)
                self.setup = saved.training["setup"]
                check_training(run, saved)
                run.model.restore_saved(last_of(saved))
            restore(run, saved)
            self._is_there = True

    def _check(self, training) -> None:
        """FileFormatError unless the checkpoint was made by a training like this one."""
        if not training:
            raise FileFormatError(f"{self.path}: a model without a training state, cannot resume from it")
        was, now = training["setup"], self.setup
        changed = [name for name in now | was if was.get(name) != now.get(name)]
        if "optimizer" in changed and now["optimizer"] == training["optimizer"]["config"]:
            changed.remove("optimizer")  # the very object that trained before, at the rate it had reached
        if changed:
            told = "; ".join(_difference(name, was.get(name), now.get(name)) for name in changed)
            raise FileFormatError(f"{self.path}: was trained with {told}; cannot resume from it")

    def bytes_kept(self, run: Run) -> int:
        """All bytes of the file, where it is read: to resume, or at the end, where the best parameters are put back.

        Args:
            run: The training.
        """
        puts_back = any(getattr(callback, "restore_best", False) for callback in run.callbacks)
        if not puts_back and not (self.resume and self.path.exists()):
            return 0
        return (1 + puts_back) * run.model.state.nbytes + sum(array.nbytes for array in run.optimizer.flat_state())

    def on_batch_end(self, run: Run) -> None:
        """Called every `every` steps, and often if `minutes` is set.

        Args:
            run: The training.
        """
        if (self.every and run.step % self.every == 0) or time.monotonic() >= self._due:
            self._save(run, position=run.position())

    def on_epoch_end(self, run: Run) -> None:
        self._save(run)

    def save_within(self, run: Run, position: dict[str, Any]) -> None:
        """Write what a training has come to that is to end within an epoch.

        Args:
            run: The training.
            position: As of `run.position`.
        """
        self._save(run, position=position)

    def _save(self, run: Run, **position: Any) -> None:
        storage.save(self.path, run.model.saved(training_state(run, self.setup) | position))
        self._is_there = True
        self._due = math.inf if self.minutes is None else time.monotonic() + 60 * self.minutes

    def on_train_end(self, run: Run) -> None:
        if run.put_back and self._is_there:
            storage.save(self.path, with_parameters(storage.read(self.path), run.model))


def training_state(run: Run, setup: dict[str, Any]) -> dict[str, Any]:
    """Everything beside the model that the next epoch depends on, as nested dicts of arrays and plain values."""
    optimizer, history = run.optimizer, run.history
    return {
        "setup": setup,
        "optimizer": {
            "iteration": optimizer.iteration,
            "epoch": optimizer.epoch,
            "state": optimizer.state,
            "config": json.dumps(optimizer.config()),
        },
        "history": {
            "epochs": history.epochs,
            "steps": {name: np.array(values) for name, values in history.steps.items()},
        },
        "callbacks": {key: callback.state_dict() for key, callback in _resumable(run).items()},
    }


def with_parameters(saved: Saved, model: Predictor) -> Saved:
    """A checkpoint with the parameters of `model`; training goes on from those that it had after its last epoch."""
    last = saved.training.get("last") or {"parameters": saved.parameters, "buffers": saved.buffers}
    training = {**saved.training, "last": last}
    return replace(saved, parameters=dict(model.parameters), buffers=dict(model.buffers), training=training)


def last_of(saved: Saved) -> Saved:
    """A checkpoint with the arrays from which its training goes on: of the last epoch, not of the best."""
    last = saved.training.get("last") or {"parameters": saved.parameters, "buffers": saved.buffers}
    return replace(saved, parameters=last["parameters"], buffers=last["buffers"])


def _difference(name: str, was: Any, now: Any) -> str:
    return f"another {name}" if name == "network" else f"{name} {was}, not {now}"


def setup_of(run: Run) -> dict[str, Any]:
    """The settings that a resumed training must have in common with the interrupted one."""
    return {
        "network": json.dumps(_trained(config_of(run.model.network))),
        "seed": run.model.seed,
        "dtype": run.model.dtype.name,
        "optimizer": json.dumps(run.optimizer.config()),
        "batch_size": run.batch_size,
        "samples": run.samples,
        "shuffle": run.shuffle,
        "callbacks": sorted(_resumable(run)),
    }


def _trained(network: dict[str, Any]) -> dict[str, Any]:
    """What of a network's description decides the weights: all but the metrics."""
    return {name: value for name, value in network.items() if name != "metrics"}


def restore(run: Run, saved: Saved) -> None:
    """Put a run, whose model is restored already, into the state that `training_state` recorded."""
    training = saved.training
    for name, parts in training["optimizer"].get("state", {}).items():
        for part, value in parts.items():
            run.optimizer.state[name][part][...] = value
    run.optimizer.iteration = training["optimizer"]["iteration"]
    run.optimizer.epoch = training["optimizer"].get("epoch", saved.config["epoch"])  # which older files lack
    lr = json.loads(training["optimizer"]["config"])["lr"]
    if not isinstance(lr, dict):  # a schedule does not change, and the setup says that it is the same
        run.optimizer.lr = lr
    run.epoch = run.model.epoch = saved.config["epoch"]
    put_back(run.history, training["history"]["epochs"], training["history"]["steps"])
    run.position_to_resume = training.get("position")
    for key, callback in _resumable(run).items():
        callback.load_state_dict(training["callbacks"][key])


def _resumable(run: Run) -> dict[str, Callback]:
    """The callbacks that have a state, by kind and order: a progress bar more or less changes nothing."""
    found = [callback for callback in run.callbacks if type(callback).state_dict is not Callback.state_dict]
    return dict(zip(numbered(type(callback).__name__ for callback in found), found, strict=True))
