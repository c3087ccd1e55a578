"""What a layer is: an immutable description. It names its parameters and writes its rows on a builder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from fastnn.common.errors import ShapeError
from fastnn.engine.builder import Builder, Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer

# (gradient of the output, gradients of the parameters to fill, whether the input's is wanted) -> the input's
Backward = Callable[[Value, Mapping[str, np.ndarray], bool], Value | None]


@dataclass(frozen=True)
class Parameter:
    """An array that training changes: its shape and how it starts."""

    shape: tuple[int, ...]
    initializer: Initializer


@dataclass(frozen=True, kw_only=True)
class Penalised:
    """For layers with weights w: what large weights cost, and a bound on them.

    l1, l2    add l1·Σ|w| and ½·l2·Σw² to the loss of a batch
    max_norm  after each step, scale the weights of each unit (column) so that their norm is at most this
    """

    l1: float = 0.0
    l2: float = 0.0
    max_norm: float | None = None

    def check_penalties(self, layer: str) -> None:
        """ValueError unless the penalties are ≥ 0 and the bound is positive."""
        for name in ("l1", "l2"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{layer}: {name} is {getattr(self, name)}, expected ≥ 0")
        if self.max_norm is not None and not self.max_norm > 0:
            raise ValueError(f"{layer}: max_norm is {self.max_norm}, expected above 0")

    def checked(self, owner: str) -> tuple[float, float]:
        """l1 and l2, checked."""
        self.check_penalties(owner)
        return float(self.l1), float(self.l2)


@dataclass(frozen=True)
class Layer:
    """Base of all layers. A subclass says its kind, shapes, parameters and forward rows.

    `forward(build, x, p)` emits the rows that make the output from x and the layer's arrays p, and
    returns the output with a function that emits the backward rows. The function is called, if
    at all, once, after all forward rows.
    """

    kind: ClassVar[str]
    takes_ids: ClassVar[bool] = False  # whether the input is word ids, not numbers

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one output sample, from that of one input sample. ShapeError if it cannot be."""
        return shape

    def parameters(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Parameters by short name (w, b), for inputs of `shape`."""
        return {}

    def buffers(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Running statistics by short name: arrays that training writes, but not by gradients."""
        return {}

    def forward(self, build: Builder, x: Value, p: Mapping[str, np.ndarray]) -> tuple[Value, Backward]:
        raise NotImplementedError

    def least_samples(self, shape: tuple[int, ...]) -> int:
        """How many samples a training batch must have at the least."""
        return 1

    def config(self) -> dict[str, Any]:
        """The description as plain data, from which `from_config` makes an equal layer."""
        return {"kind": self.kind, **{field.name: _plain(getattr(self, field.name)) for field in fields(self)}}


def _plain(value: Any) -> Any:
    if isinstance(value, Initializer):
        return {"initializer": type(value).__name__, **{f.name: getattr(value, f.name) for f in fields(value)}}
    return list(value) if isinstance(value, tuple) else value


def restored(value: Any) -> Any:
    """The inverse of what `config` does to one field."""
    if isinstance(value, dict) and "initializer" in value:
        arguments = {name: item for name, item in value.items() if name != "initializer"}
        known = getattr(initializers, value["initializer"], None)
        # A user's own class cannot be found again; the file that names it holds the values it once gave.
        return known(**arguments) if known else initializers.Zeros()
    return value


def positive(layer: str, name: str, value: Any) -> int:
    """`value` as a whole number ≥ 1; TypeError or ValueError that names layer and argument otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{layer}: {name} is {value!r} ({type(value).__name__}), expected a whole number")
    if value < 1:
        raise ValueError(f"{layer}: {name} is {value}, expected at least 1")
    return int(value)


def expect_rank(layer: str, shape: tuple[int, ...], rank: int, what: str) -> None:
    """ShapeError unless one sample has `rank` extents; `what` says which and how to get there."""
    if len(shape) != rank:
        raise ShapeError(f"{layer} got samples of shape {shape}, expected {what}")
