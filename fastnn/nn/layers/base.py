"""The base of all layers: an immutable description that names its parameters and emits operations on a builder."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import ShapeError, not_defined
from fastnn.common.hints.habits import Hinted
from fastnn.common.plain import PlainNumbers
from fastnn.engine.builder import Builder
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn.initializers import Initializer
from fastnn.nn.layers.plain_fields import plain_field
from fastnn_kernels._jit import Kernel

MISSING = "; fill in what is missing; a table with missing cells goes through preprocessing=fn.Table"

# (gradient of the output, gradients of the parameters to fill, whether the input's is wanted) -> the input's
Backward = Callable[[Value, Mapping[str, ParameterView], bool], Value | None]


@dataclass(frozen=True, eq=False)
class Node:
    """A value of a network that is being described: an input (`fn.Input`), or what a layer makes of other values.

    Args:
        shape: Of one sample.
        layer: That makes it; None: an input.
        inputs: Of which the layer makes it.
        name: Of an input, if it was given one.
        number: Counts up in the order in which values are described.
    """

    shape: tuple[int, ...]
    layer: "Layer | None" = None
    inputs: "tuple[Node, ...]" = ()
    name: str | None = None
    number: int = field(default_factory=itertools.count().__next__)

    def __repr__(self) -> str:
        # Not the inputs: of a net that branches they would be told again and again.
        return f"<{'Input' if self.layer is None else type(self.layer).__name__} of shape {self.shape}>"

    def __add__(self, other: Any) -> "Node":
        raise TypeError("values of a network are added by a layer, fn.Add()(a, b), and put side by side by Concatenate")

    __radd__ = __add__


@dataclass(frozen=True)
class Parameter:
    """An array that training changes: its shape and its initial values.

    Args:
        shape: Of the array.
        initializer: What draws the initial values.
    """

    shape: tuple[int, ...]
    initializer: Initializer


@dataclass(frozen=True, kw_only=True)
class Layer(PlainNumbers, Hinted):
    """Base of all layers. A subclass says its kind, shapes, parameters and forward operations.

    Args:
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Attributes:
        kind: What names count up: dense, dense_1.
        takes_data: Whether it reads data as they are given, and so only an input of the network.
        takes_ids: Whether these are word ids, not numbers.
        needs_labels: Whether its scores depend on the labels while training: then it is an output, with a softmax.
        per_time_step: Whether it takes each step of sequences (T, C) as a sample (C,).
        weights: The short names of the parameters to which penalties and max_norm apply.
    """

    name: str | None = None
    freeze: bool = False
    kind: ClassVar[str]
    takes_data: ClassVar[bool] = False
    takes_ids: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    per_time_step: ClassVar[bool] = False
    weights: ClassVar[tuple[str, ...]] = ()

    def __call__(self, *inputs: "Node | Sequence[Node]") -> Node:
        """What this layer makes of a value of a network, for `fn.Model`.

        A layer that is called twice is one layer, used twice: both uses share its parameters.

        Args:
            *inputs: Values, or a list of them: one, or several for a layer that joins them.

        Returns:
            A value, which other layers take.

        Raises:
            ShapeError: If it cannot take that value.
            TypeError: For what is no value of a network, or a wrong number of them.

        Examples:
            >>> x = fn.Input((3,))
            >>> fn.Dense(4)(x).shape
            (4,)
        """
        nodes = _nodes(type(self).__name__, inputs)
        try:
            shape = self.shape_of([node.shape for node in nodes])
        except ShapeError as error:
            raise ShapeError(_of_last_states(str(error), nodes)) from None
        return Node(shape, self, nodes)

    def shape_of(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of one output sample, from those of all inputs.

        Args:
            shapes: Of one sample of each input.

        Raises:
            ShapeError: If a shape cannot be.
            TypeError: For a wrong number of inputs.
        """
        if len(shapes) != 1:
            raise TypeError(f"{type(self).__name__} takes one input, got {len(shapes)}; Add and Concatenate take more")
        return self.output_shape(*shapes)

    def id_count(self) -> int:
        """How many ids a layer that takes ids can look up, from 0."""
        raise NotImplementedError(f"{type(self).__name__} takes ids: its id_count must say how many there are")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one output sample, from that of one input sample.

        Args:
            shape: Of one input sample.

        Raises:
            ShapeError: If it cannot be.
        """
        return shape

    def parameters(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Parameters by short name (w, b), for inputs of `shape`.

        Args:
            shape: Of one input sample.
        """
        return {}

    def borrowed(self, shape: tuple[int, ...]) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Parameters of other layers that this one uses, by short name: their public names and expected shapes.

        Args:
            shape: Of one input sample.
        """
        return {}

    def buffers(self, shape: tuple[int, ...]) -> dict[str, Parameter]:
        """Running statistics by short name: arrays that training writes, but not by gradients.

        Args:
            shape: Of one input sample.
        """
        return {}

    def forward(self, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> tuple[Value, Backward]:
        """Emit the operations that compute the output from x.

        Args:
            build: What collects the operations.
            x: The input.
            p: The layer's parameters and buffers by short name.

        Returns:
            The output, and a function that emits the backward operations. It is called at most once, after the forward
                operations of all layers.
        """
        raise not_defined(self, "forward")

    @property
    def has_usual_check(self) -> bool:
        """Whether `checked_input` asks for finite numbers, or for ids in range, and for no more."""
        return type(self).checked_input is Layer.checked_input

    def checked_input(self, x: Any, what: str, owner: str) -> np.ndarray:
        """Data (N, *shape) as kernels take them, for a layer that reads an input of the network.

        Args:
            x: The data.
            what: What messages call the data.
            owner: What messages call the layer.

        Raises:
            TypeError: For data of a kind that it cannot take.
            DataError: For values that it cannot take.
        """
        return validation.finite(x, what, missing=MISSING)

    def fitted(self, chunks: Callable[[], Iterator[np.ndarray]]) -> dict[str, np.ndarray]:
        """Running statistics by short name, from all training data, for a layer that takes them before the first step.

        Args:
            chunks: Gives the data that the layer reads, (n, *shape), part by part, each time that it is called.
        """
        return {}

    def least_samples(self, shape: tuple[int, ...]) -> int:
        """The smallest number of samples that a training batch may have.

        Args:
            shape: Of one input sample.
        """
        return 1

    def title(self, name: str) -> str:
        """The layer in the table of a model's layers.

        Args:
            name: What it is called in the network.
        """
        activation = getattr(self, "activation", "identity")
        return name if activation == "identity" else f"{name} ({activation})"

    def config(self) -> dict[str, Any]:
        """The description as plain data, from which `from_config` makes an equal layer."""
        everything = {field.name: plain_field(getattr(self, field.name)) for field in fields(self)}
        usual = {field.name: field.default for field in fields(Layer)}
        return {"kind": self.kind} | {
            name: value for name, value in everything.items() if usual.get(name, ...) != value
        }


def _nodes(layer: str, given: Iterable[Any]) -> tuple[Node, ...]:
    """The values in what a layer was called with: values, or lists of them."""
    nodes = [node for one in given for node in (one if isinstance(one, list | tuple) else (one,))]
    for node in nodes:
        if not isinstance(node, Node):
            raise TypeError(
                f"{layer} was called with {type(node).__name__}, expected values of a network such as fn.Input((3,)); "
                "for data, put the layer into a model and call predict"
            )
    return tuple(nodes)


def as_kind(kind: type[Layer], layer: Layer) -> Any:
    """The same description as one of `kind`, a class with the same fields that emits otherwise."""
    return kind(**{field.name: getattr(layer, field.name) for field in fields(layer)})


def backward_by(build: Builder, x: Value, kernel: Kernel, *operands: Any) -> Backward:
    """The backward function of a layer without parameters: `kernel` computes dx from (dx, dout, *operands)."""

    def backward(dout: Value, grads: Mapping[str, ParameterView], wanted: bool) -> Value | None:
        if not wanted:
            return None
        dx = build.value("dx", x.shape)
        build.emit(kernel, dx.buffer, dout.buffer, *operands)
        return dx

    return backward


def _of_last_states(message: str, nodes: Sequence[Node]) -> str:
    """The message that a layer takes no such samples; another hint if a recurrent layer gave but its last state."""
    node = nodes[0]
    while len(node.inputs) == 1 and node.inputs[0].shape == node.shape:  # such as Dropout
        node = node.inputs[0]
    if "expected sequences" not in message or getattr(node.layer, "return_sequences", None) is not False:
        return message
    fact = message.partition(";")[0]
    return f"{fact}; {type(node.layer).__name__} gives its last state: return_sequences=True gives that of every step"


def expect_rank(layer: str, shape: tuple[int, ...], rank: int, what: str) -> None:
    """ShapeError unless one sample has `rank` extents; `what` says which and how to get there."""
    if len(shape) != rank:
        raise ShapeError(f"{layer} got samples of shape {shape}, expected {what}")


def expect_sequences(layer: str, shape: tuple[int, ...], axes: str) -> None:
    """ShapeError unless a sample is a sequence; `axes` says which two it has."""
    hint = f"; put Reshape({(*shape, 1)}) before it, of one number a step" if len(shape) == 1 else ""
    expect_rank(layer, shape, 2, f"sequences {axes}{hint}")
