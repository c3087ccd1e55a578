"""Layers, one family a file: descriptions that emit operations."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastnn.common.hints.habits import completed_by, missing_from, stays_as_made
from fastnn.common.names import near
from fastnn.nn.layers.activation import Activation
from fastnn.nn.layers.adaptive import AdaptiveSoftmax
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.columns import Columns
from fastnn.nn.layers.conv1d import Conv1D
from fastnn.nn.layers.convolution import Conv2D
from fastnn.nn.layers.dense import Dense
from fastnn.nn.layers.dropout import Dropout
from fastnn.nn.layers.embedding import Embedding
from fastnn.nn.layers.gru import GRU
from fastnn.nn.layers.join import Add, Concatenate, Join
from fastnn.nn.layers.lstm import LSTM
from fastnn.nn.layers.normalisation import BatchNorm, LayerNorm
from fastnn.nn.layers.plain_fields import restored
from fastnn.nn.layers.pooling import AveragePool1D, AveragePool2D, GlobalAveragePool, MaxPool1D, MaxPool2D
from fastnn.nn.layers.sampled import SampledSoftmax
from fastnn.nn.layers.shape import Flatten, Reshape, Sum

KINDS = (
    *(
        GRU,
        LSTM,
        Activation,
        AdaptiveSoftmax,
        Add,
        AveragePool1D,
        AveragePool2D,
        BatchNorm,
        Columns,
        Concatenate,
        Conv1D,
        Conv2D,
        Dense,
        Dropout,
        Embedding,
    ),
    *(Flatten, GlobalAveragePool, LayerNorm, MaxPool1D, MaxPool2D, Reshape, SampledSoftmax, Sum),
)
for _kind in KINDS:
    stays_as_made(_kind)
LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in KINDS}


def from_config(config: dict[str, Any], own: Iterable[type[Layer]] = ()) -> Layer:
    """The layer that `Layer.config` described; `own`: classes that are a user's."""
    arguments = {name: restored(value) for name, value in config.items() if name != "kind"}
    if config.get("kind") == Activation.kind and "activation" not in config:  # as files before version 2 have it
        arguments = {"activation": arguments["name"]}
    known, kind = LAYERS | {layer.kind: layer for layer in own}, config.get("kind")
    if kind not in known:
        raise ValueError(f"unknown layer {kind!r}, {near(kind, known)}; of a class of your own: load(path, layers=[…])")
    return known[kind](**arguments)


__all__ = ["LAYERS", "Join", "Layer", "Parameter", "from_config", *(kind.__name__ for kind in KINDS)]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
