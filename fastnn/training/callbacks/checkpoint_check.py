"""What a checkpoint says of a training is looked at before anything of the training is changed."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.training.callbacks.run import Run
from fastnn.training.models.storage import Saved, check_array


def check_training(run: Run, saved: Saved) -> None:
    """TypeError, ValueError, KeyError or FileFormatError unless `restore` can put the run into this state.

    Counters are whole numbers, arrays have the shapes and dtypes of those that they replace. What callbacks keep they
    look at themselves.
    """
    training = saved.training
    _check_optimizer(run, training["optimizer"], saved)
    history = _dict(training["history"], "history")
    epochs = history["epochs"]
    if not isinstance(epochs, list) or not all(isinstance(epoch, dict) for epoch in epochs):
        raise TypeError("the epochs of its history are no list of dicts")
    for name, values in _dict(history["steps"], "steps").items():
        check_array(f"{saved.file}: the history of {name!r}", values, (len(values),), np.dtype(float))
    _dict(training["callbacks"], "callbacks")
    if training.get("position") is not None:
        _check_position(run, _dict(training["position"], "position"), saved)


def _check_optimizer(run: Run, found: Any, saved: Saved) -> None:
    for name in ("iteration", "epoch"):
        count = _dict(found, "optimizer").get(name, 0)  # older files lack the epoch
        if type(count) is not int or count < 0:
            raise TypeError(f"{name} is {count!r:.60}, expected a whole number from 0 up")
    lr = json.loads(found["config"])["lr"]
    if not isinstance(lr, dict) and (type(lr) not in (int, float) or not 0 <= lr < math.inf):
        raise ValueError(f"lr is {lr!r:.60}, expected a finite number from 0 up")
    state = found.get("state", {})
    if state.keys() != run.optimizer.state.keys() and any(run.optimizer.state.values()):
        raise ValueError("its optimizer has state of other parameters")
    for name, parts in state.items():
        for part, value in parts.items():
            own = run.optimizer.state[name][part]
            check_array(f"{saved.file}: optimizer state {name}/{part}", value, own.shape, own.dtype)


def _check_position(run: Run, found: dict[str, Any], saved: Saved) -> None:
    """Where an epoch was interrupted must lie within it: kernels look there for samples, and loops run from there."""
    own, steps = run.position(), len(found["losses"])
    for name, shape in (("losses", (steps,)), ("sums", (steps, *own["sums"].shape[1:])), ("cursor", (4,))):
        check_array(f"{saved.file}: position/{name}", found[name], shape, own[name].dtype)
    samples, done, _, before = found["cursor"].tolist()  # before: those of the chunks before this one
    chunk, most = found["chunk"], min(run.samples, steps * run.batch_size)
    fits = type(chunk) is int and 0 <= chunk <= before <= samples <= most and (chunk > 0) == (before > 0)
    if not fits or done != steps:
        raise ValueError(f"position is step {done} and sample {samples} in chunk {chunk!r:.60}, which this epoch lacks")


def _dict(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is {type(value).__name__}, expected a dict")
    return dict(value)
