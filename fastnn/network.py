"""A stack of layers as one description: names, shapes and parameters, but no arrays."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn import layers as layer_kinds
from fastnn import losses, random
from fastnn.errors import ShapeError
from fastnn.layers import Layer, Parameter
from fastnn.losses import Loss
from fastnn.naming import numbered
from fastnn.plan.block import Block
from fastnn.plan.builder import Builder, Value


class Network:
    """Layers in a row, for samples of `input_shape`, trained by `loss`.

    names   one per layer, counted up by kind: dense, dense_1
    shapes  of one sample: before the first layer, then after each
    """

    def __init__(self, layers: Sequence[Layer], input_shape: tuple[int, ...], loss: Loss):
        if not layers:
            raise ValueError("Sequential needs at least one layer")
        self.layers = tuple(map(_layer, layers))
        self.loss = loss
        self.names = numbered(layer.kind for layer in self.layers)
        self.shapes = [_sample_shape(input_shape)]
        for position, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if layer.takes_ids and position:
                raise ValueError(f"{name} takes word ids and so must be the first layer, not number {position + 1}")
            try:
                self.shapes.append(layer.output_shape(self.shapes[-1]))
            except ShapeError as error:
                raise ShapeError(f"{name} (layer {position + 1}): {error}") from None
        if len(self.shapes[-1]) != 1:
            raise ShapeError(f"{self.names[-1]} ends with samples of shape {self.shapes[-1]}, expected (outputs,)")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shapes[0]

    @property
    def output_width(self) -> int:
        return math.prod(self.shapes[-1])

    @property
    def takes_ids(self) -> bool:
        return self.layers[0].takes_ids

    def parameters_of(self, index: int) -> dict[str, Parameter]:
        """Parameters of one layer by their public names, such as dense.w."""
        specs = self.layers[index].parameters(self.shapes[index])
        return {f"{self.names[index]}.{short}": spec for short, spec in specs.items()}

    def initial_parameters(self, dtype, seed: int) -> Block:
        """All parameters at their initial values; each array's draw depends on seed and its name alone."""
        specs = {name: spec for i in range(len(self.layers)) for name, spec in self.parameters_of(i).items()}
        block = Block({name: spec.shape for name, spec in specs.items()}, dtype)
        for name, spec in specs.items():
            block[name][...] = spec.initializer.sample(random.stream(seed, "initial", name), spec.shape)
        return block

    def forward(self, build: Builder, x: Value, parameters: Block) -> tuple[Value, Callable[[Value, Block], None]]:
        """Emit all layers; returns the scores and a function that emits the backward rows."""
        backwards = []
        for i, layer in enumerate(self.layers):
            x, backward = layer.forward(build, x, self._own(i, parameters.buffers))
            backwards.append(backward)

        def emit_backward(dout: Value, gradients: Block) -> None:
            first = next((i for i in range(len(self.layers)) if self.parameters_of(i)), len(self.layers))
            flowing: Value | None = dout
            for i in range(len(self.layers) - 1, first - 1, -1):
                assert flowing is not None
                flowing = backwards[i](flowing, self._own(i, gradients.buffers), i > first)

        return x, emit_backward

    def _own(self, index: int, buffers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of one layer under their short names."""
        return {name.rpartition(".")[2]: buffers[name] for name in self.parameters_of(index)}

    def config(self) -> dict[str, Any]:
        return {
            "layers": [layer.config() for layer in self.layers],
            "input_shape": list(self.input_shape),
            "loss": self.loss.config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Network":
        stack = [layer_kinds.from_config(item) for item in config["layers"]]
        return cls(stack, tuple(config["input_shape"]), losses.from_config(config["loss"]))


def _layer(value: Any) -> Layer:
    if not isinstance(value, Layer):
        raise TypeError(f"layers holds {value!r}, expected layers such as Dense(10)")
    return value


def _sample_shape(given: Any) -> tuple[int, ...]:
    whole = isinstance(given, tuple | list) and all(isinstance(extent, int | np.integer) for extent in given)
    if not whole or any(extent < 1 for extent in given):
        raise ShapeError(f"input_shape is {given!r}, expected the extents of one sample, such as (3,)")
    return tuple(int(extent) for extent in given)
