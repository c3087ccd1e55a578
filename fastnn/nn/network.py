"""A network as a description: layers with their names, shapes and parameters, but no arrays."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnn.common import random, validation
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.names import numbered
from fastnn.common.plain import plain
from fastnn.engine.builder import Builder, Value
from fastnn.engine.parameters import Block, ParameterView
from fastnn.nn import layers as layer_kinds
from fastnn.nn import losses
from fastnn.nn.layers import Layer, Parameter
from fastnn.nn.layers.base import Penalised
from fastnn.nn.layers.blocked import BlockedDense
from fastnn.nn.losses import Loss


class State(NamedTuple):
    """The arrays of a model: the parameters, which gradients change, and the buffers, such as running means."""

    parameters: Block
    buffers: Block


class Network:
    """Layers in a row, for samples of `input_shape`, trained by `loss`.

    names   one per layer, counted up by kind: dense, dense_1
    shapes  of one sample: before the first layer, then after each
    dtype   of the model's arithmetic: inputs and targets have no number that it cannot hold
    """

    dtype = validation.DOUBLE

    def __init__(
        self, layers: Sequence[Layer], input_shape: tuple[int, ...], loss: Loss, l1: float = 0.0, l2: float = 0.0
    ):
        if not layers:
            raise ValueError("Sequential needs at least one layer")
        self.layers = tuple(map(_layer, layers))
        self.loss = loss
        self.l1, self.l2 = Penalised(l1=l1, l2=l2).checked("Sequential")
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

    def of_dtype(self, dtype: np.dtype) -> "Network":
        """This network for a model of that dtype."""
        other = copy.copy(self)
        other.dtype = dtype
        return other

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shapes[0]

    @property
    def output_width(self) -> int:
        return math.prod(self.shapes[-1])

    @property
    def classes(self) -> int | None:
        """The number of classes, if targets are labels."""
        return self.output_width if self.loss.takes_labels else None

    @property
    def takes_ids(self) -> bool:
        return self.layers[0].takes_ids

    def parameters_of(self, index: int) -> dict[str, Parameter]:
        """Parameters of one layer by their public names, such as dense.w."""
        specs = self.layers[index].parameters(self.shapes[index])
        return {f"{self.names[index]}.{short}": spec for short, spec in specs.items()}

    def buffers_of(self, index: int) -> dict[str, Parameter]:
        """Running statistics of one layer by their public names, such as batch_norm.mean."""
        specs = self.layers[index].buffers(self.shapes[index])
        return {f"{self.names[index]}.{short}": spec for short, spec in specs.items()}

    def penalties(self) -> dict[str, tuple[float, float]]:
        """The λ of Σ|w| and of ½·Σw² of each weight that has one: the layer's own and the whole network's."""
        sums = {name: (layer.l1 + self.l1, layer.l2 + self.l2) for name, layer in self._penalised()}
        return {name: strengths for name, strengths in sums.items() if any(strengths)}

    def max_norms(self) -> dict[str, float]:
        """The bound on the norm of each unit's weights, for the weights that have one."""
        return {name: layer.max_norm for name, layer in self._penalised() if layer.max_norm is not None}

    def _penalised(self) -> Iterator[tuple[str, Penalised]]:
        """The public name of each weight that a penalty or a bound may apply to, and its layer."""
        for name, layer in zip(self.names, self.layers, strict=True):
            if isinstance(layer, Penalised):
                yield from ((f"{name}.{weight}", layer) for weight in layer.weights)

    def check_batch(self, samples: int) -> None:
        """DataError if a layer cannot train on a batch of `samples` samples."""
        for i, layer in enumerate(self.layers):
            if samples < (least := layer.least_samples(self.shapes[i])):
                raise DataError(f"{self.names[i]} needs batches of at least {least} samples, one has {samples}")

    def checked_inputs(self, x: Any, name: str) -> np.ndarray:
        """x as kernels take it, (N, *input_shape). ShapeError, TypeError or DataError if it cannot be an input."""
        x = validation.samples(x, name, self.input_shape)
        if not self.takes_ids:
            return validation.finite(x, name, self.dtype)
        rows = self.layers[0].rows  # type: ignore[attr-defined]
        return validation.whole_numbers(x, name, rows, f"ids into {rows} rows of {self.names[0]}")

    def checked_targets(self, y: Any, name: str) -> np.ndarray:
        """y as the loss takes it. ShapeError, TypeError or DataError if it cannot be a target."""
        return validation.representable(self.loss.checked_targets(y, name, self.output_width), name, self.dtype)

    def checked(self, x: Any, y: Any, names: tuple[str, str] = ("x", "y")) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of equal length, as kernels take them. Errors call them by `names`."""
        x, y = self.checked_inputs(x, names[0]), self.checked_targets(y, names[1])
        validation.check_same_length(x, y, names)
        return x, y

    def initial_state(self, dtype, seed: int) -> State:
        """Initial parameters and running statistics. The numbers of an array depend only on the seed and its name."""
        parameters = (self.parameters_of(i) for i in range(len(self.layers)))
        buffers = (self.buffers_of(i) for i in range(len(self.layers)))
        return State(_drawn(parameters, dtype, seed), _drawn(buffers, dtype, seed))

    def forward(self, build: Builder, x: Value, state: State) -> tuple[Value, Callable[[Value, Block], None]]:
        """Emit all layers. Returns the scores and a function that emits the backward operations."""
        backwards = []
        for i, layer in enumerate(self.layers):
            build.begin(self.names[i])
            own = self._own(self.parameters_of(i), state.parameters) | self._own(self.buffers_of(i), state.buffers)
            x, backward = layer.forward(build, x, own)
            build.outputs[self.names[i]] = x
            backwards.append(backward)

        def emit_backward(dout: Value, gradients: Block) -> None:
            first = next((i for i in range(len(self.layers)) if self.parameters_of(i)), len(self.layers))
            flowing: Value | None = dout
            for i in range(len(self.layers) - 1, first - 1, -1):
                assert flowing is not None
                build.begin(self.names[i])
                flowing = backwards[i](flowing, self._own(self.parameters_of(i), gradients), i > first)

        return x, emit_backward

    def _own(self, names: Iterable[str], block: Block) -> dict[str, ParameterView]:
        """The arrays of one layer under their short names."""
        return {name.rpartition(".")[2]: block.view(name) for name in names}

    def blocked(self) -> "Network":
        """This network, its first layer, a `Dense`, as one whose weight takes a block of steps at once."""
        other = copy.copy(self)
        other.layers = (BlockedDense.of(self.layers[0]), *self.layers[1:])
        return other

    def config(self) -> dict[str, Any]:
        return {
            "layers": [layer.config() for layer in self.layers],
            "input_shape": list(self.input_shape),
            "loss": self.loss.config(),
            "l1": self.l1,
            "l2": self.l2,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], loss: Loss | None = None) -> "Network":
        """The network that `config` described; `loss` instead of the one it had."""
        stack = [layer_kinds.from_config(item) for item in config["layers"]]
        loss = loss or losses.from_config(config["loss"])
        return cls(stack, tuple(config["input_shape"]), loss, config["l1"], config["l2"])


@ieee  # float32 rounds some numbers to 0
def _drawn(specs_of_layers: Iterable[Mapping[str, Parameter]], dtype, seed: int) -> Block:
    specs = {name: spec for specs in specs_of_layers for name, spec in specs.items()}
    block = Block({name: spec.shape for name, spec in specs.items()}, dtype)
    for name, spec in specs.items():
        block[name][...] = spec.initializer.sample(random.generator(seed, "initial", name), spec.shape)
    return block


def _layer(value: Any) -> Layer:
    if not isinstance(value, Layer):
        raise TypeError(f"layers holds {value!r}, expected layers such as Dense(10)")
    return value


def _sample_shape(given: Any) -> tuple[int, ...]:
    given = plain(given)
    whole = isinstance(given, tuple | list) and all(isinstance(extent, int) for extent in given)
    if not whole or any(extent < 1 for extent in given):
        raise ShapeError(f"input_shape is {given!r}, expected the extents of one sample, such as (3,)")
    return tuple(int(extent) for extent in given)
