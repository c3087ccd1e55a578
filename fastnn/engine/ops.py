"""An operation, its operands, and along which axis it may be cut into slices."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastnn.engine.memory import Buffer
from fastnn_kernels._jit import Kernel


@dataclass(frozen=True, eq=False)
class Axis:
    """An axis along which operations may be cut: the samples, or the rows of a parameter.

    size   its extent; None: that of the batch that runs
    step   a slice begins at a multiple of it: whole tiles, whole cache lines
    grain  the largest slice that one thread takes through a chain of operations, so that it stays in the cache
    serial whether one thread takes the slices, of one element each, one after the other through the whole chain:
           then a slice may read what earlier ones wrote, and operations may write arrays as a whole
    """

    size: int | None
    step: int
    grain: int
    serial: bool = False


@dataclass(frozen=True, eq=False)
class Slice:
    """An operand of which a slice of the axis takes its own rows; `flat`: as one vector."""

    array: np.ndarray | Buffer
    flat: bool = False


@dataclass(frozen=True, eq=False)
class Columns:
    """An operand of which a slice of the axis takes its own columns, as the transpose of the axis's rows does.

    The kernel gets the whole array; the operand OFFSET tells it where its columns begin.
    """

    array: np.ndarray | Buffer


@dataclass(frozen=True, eq=False)
class Listed:
    """An operand of which a slice of the axis takes the rows that a list names, each of which is named once.

    The kernel gets the whole array; another operand, a slice of the list, tells it which rows are its own.
    """

    array: np.ndarray | Buffer


@dataclass(frozen=True, eq=False)
class Whole:
    """A batched buffer of which each sample of a serial axis gets all rows: it may read, or write, its neighbours'."""

    array: Buffer


CUTS = {Slice: "rows", Columns: "columns", Listed: "listed", Whole: None}


class Offset:
    """An operand: the number of the slice's first element."""


OFFSET = Offset()


class Op(NamedTuple):
    """An operation: one kernel and its operands.

    operands  buffers of the program, arrays from outside, `Slice` and its like, `OFFSET`, whole numbers
    owner     the layer that emitted it, or what else it is for
    axis      along which it may be cut: a slice takes its own rows of batched buffers (along the samples) and of
              `Slice` operands; None: it runs as a whole
    """

    kernel: Kernel
    operands: tuple[Any, ...]
    owner: str
    axis: Axis | None = None


# Tuples, made once: to make a union of types at each of the thousand calls of a training took a millisecond.
PARTS = (Slice, Columns, Listed, Whole)
ARRAYS = (Buffer, np.ndarray, *PARTS)


def is_array(operand: Any) -> bool:
    """Whether an operand is memory, not a number."""
    return isinstance(operand, ARRAYS)


def array_of(operand: Any) -> Any:
    """The array or buffer that an operand cuts; else the operand itself."""
    return operand.array if isinstance(operand, PARTS) else operand


def cut_of(operand: Any, axis: Axis) -> str | None:
    """What a slice of `axis` takes of an operand: its own "rows" or "columns", those "listed", or all of it (None)."""
    if isinstance(operand, PARTS):
        return CUTS[type(operand)]
    return "rows" if axis.size is None and isinstance(operand, Buffer) and operand.batched else None
