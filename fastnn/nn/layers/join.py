"""Layers with several inputs: their base, their sum, and their concatenation."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import ShapeError, not_defined
from fastnn.engine.builder import Builder
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn.layers.base import Layer

# As `Backward`, with a flag for each input, and a gradient for each.
JoinBackward = Callable[[Value, Mapping[str, ParameterView], Sequence[bool]], Sequence[Value | None]]


@dataclass(frozen=True, kw_only=True)
class Join(Layer):
    """Base of layers with several inputs: a subclass says `joined_shape` and `join`.

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
    """

    def shape_of(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return self.joined_shape(shapes)

    def joined_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of one output sample, from those of the inputs.

        Args:
            shapes: Of one sample of each input.

        Raises:
            ShapeError: If they do not fit together.
        """
        raise not_defined(self, "joined_shape")

    def join(self, build: Builder, xs: Sequence[Value], p: Mapping[str, ParameterView]) -> tuple[Value, JoinBackward]:
        """Emit the operations that compute the output from all inputs. As `forward`, but for several inputs.

        The function that emits the backward operations gets a flag for each input, and returns a gradient for each.

        Args:
            build: What collects the operations.
            xs: The inputs.
            p: The layer's parameters and buffers by short name.

        Returns:
            The output, and a function that emits the backward operations.
        """
        raise not_defined(self, "join")


@dataclass(frozen=True)
class Add(Join):
    """a + b + …: two or more inputs of one shape (N, …), and an output of the same shape.

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ShapeError: In a network: for inputs of different shapes.

    Examples:
        >>> a = fn.Input((8,))
        >>> fn.Add()(a, fn.Dense(8, "relu")(a)).shape
        (8,)
    """

    kind: ClassVar[str] = "add"

    def joined_shape(self, shapes):
        _expect_several("Add", shapes)
        if any(shape != shapes[0] for shape in shapes):
            raise ShapeError(f"Add got samples of shapes {_listed(shapes)}, expected equal ones")
        return shapes[0]

    def join(self, build, xs, p):
        out = build.value("add", xs[0].shape)
        build.emit(k.add_rows, out.buffer, xs[0].buffer, xs[1].buffer, out.width)
        for x in xs[2:]:
            build.emit(k.add_rows, out.buffer, out.buffer, x.buffer, out.width)
        return out, lambda dout, grads, wanted: [dout if one else None for one in wanted]


@dataclass(frozen=True)
class Concatenate(Join):
    """Two or more inputs side by side along the last axis: (N, …, A), (N, …, B) to (N, …, A + B).

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ShapeError: In a network: for inputs that differ in another axis.

    Examples:
        >>> fn.Concatenate()(fn.Input((8,)), fn.Input((3,))).shape
        (11,)
    """

    kind: ClassVar[str] = "concatenate"

    def joined_shape(self, shapes):
        _expect_several("Concatenate", shapes)
        if not all(shapes) or any(shape[:-1] != shapes[0][:-1] for shape in shapes):
            raise ShapeError(
                f"Concatenate got samples of shapes {_listed(shapes)}, expected equal extents but the last"
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def join(self, build, xs, p):
        out = build.value("concatenate", self.joined_shape([x.shape for x in xs]))
        positions, width = math.prod(out.shape[:-1]), out.shape[-1]
        begins = [sum(x.shape[-1] for x in xs[:i]) for i in range(len(xs))]
        for x, begin in zip(xs, begins, strict=True):
            build.emit(k.copy_columns, out.buffer, x.buffer, positions, width, begin, x.shape[-1])

        def part(dout, x, begin):
            dx = build.value("dx", x.shape)
            build.emit(k.take_columns, dx.buffer, dout.buffer, positions, width, begin, x.shape[-1])
            return dx

        def backward(dout, grads, wanted):
            parts = zip(xs, begins, wanted, strict=True)
            return [part(dout, x, begin) if one else None for x, begin, one in parts]

        return out, backward


def _expect_several(layer: str, shapes: Sequence[tuple[int, ...]]) -> None:
    if len(shapes) < 2:
        raise ShapeError(f"{layer} got {len(shapes)} input, expected at least two")


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
