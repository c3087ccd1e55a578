"""What layers learn of the training data before the first step: see `Layer.fitted`."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from fastnn.data.source import Source
from fastnn.nn.layers import Layer
from fastnn.training.model import Predictor


def fit_statistics(model: Predictor, source: Source) -> None:
    """Set the running statistics of layers that take them from all training data; not in a training that goes on."""
    if model.epoch:
        return
    inputs = list(model.network.graph.inputs)
    for call in model.network.calls:
        if type(call.layer).fitted is not Layer.fitted:
            number = inputs.index(call.inputs[0])
            for short, value in call.layer.fitted(partial(_data, source, number)).items():
                model.buffers.assign(f"{call.owner}.{short}", value)


def _data(source: Source, number: int) -> Iterator[np.ndarray]:
    """The data of one input, chunk by chunk."""
    return (chunk.x[number] for chunk in source.chunks(1))
