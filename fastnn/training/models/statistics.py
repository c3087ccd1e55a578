"""What layers learn of the training data before the first step: see `Layer.fitted`."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.hints.habits import warn
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.nn.layers import Layer
from fastnn.training.models.model import Predictor


def fit_statistics(model: Predictor, source: Source) -> None:
    """Set the running statistics of layers that take them from all training data; not in a training that goes on.

    A layer that reads several inputs has those of all of them together. DataError for batches that come only once.
    """
    if model.epoch:
        return
    inputs = list(model.network.graph.inputs)
    calls = [call for call in model.network.calls if type(call.layer).fitted is not Layer.fitted]
    for owner, layer in {call.owner: call.layer for call in calls}.items():
        numbers = [inputs.index(call.inputs[0]) for call in calls if call.owner == owner]
        for short, value in layer.fitted(partial(_data, source, numbers, owner)).items():
            model.buffers.assign(f"{owner}.{short}", value)


def warn_without_statistics(model: Predictor) -> None:
    """Warn of a layer whose running statistics are those that it began with: nobody has seen all training data."""
    for call in model.network.calls:
        buffers = model.network.buffers_of(call)
        if type(call.layer).fitted is Layer.fitted or not buffers or model.epoch:
            continue
        begun = {name: spec.initializer.sample(random.generator(0), spec.shape) for name, spec in buffers.items()}
        if all(np.array_equal(model.buffers[name], value) for name, value in begun.items()):
            names = " and ".join(f"model.buffers[{name!r}]" for name in buffers)
            warn(
                f"{call.owner} has no statistics of all training data, so its numbers go in as they are: only fit "
                f"computes them; assign {names} yourself, or say standardise=False"
            )


def _data(source: Source, numbers: Sequence[int], owner: str) -> Iterator[np.ndarray]:
    """The data of some inputs, chunk by chunk."""
    if isinstance(source, BatchSource) and source.comes_once:
        raise DataError(
            f"{owner} takes mean and deviation from all training data before the first step, but these batches can be "
            "iterated over only once; give a list or a loader that begins anew, or standardise=False"
        )
    return (chunk.x[number] for chunk in source.chunks(1) for number in numbers)
