"""Layers: one family a file. Each is a description; plans are made of what they emit."""

from typing import Any

from fastnn.layers.activation import Activation
from fastnn.layers.base import Layer, Parameter, restored
from fastnn.layers.dense import Dense
from fastnn.layers.embedding import Embedding
from fastnn.layers.shape import Flatten, Sum
from fastnn.naming import look_up

LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Activation, Dense, Embedding, Flatten, Sum)}


def from_config(config: dict[str, Any]) -> Layer:
    """The layer that `Layer.config` described."""
    arguments = {name: restored(value) for name, value in config.items() if name != "kind"}
    return look_up("layer", config.get("kind"), LAYERS)(**arguments)


__all__ = ["LAYERS", "Activation", "Dense", "Embedding", "Flatten", "Layer", "Parameter", "Sum", "from_config"]
