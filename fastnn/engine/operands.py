"""From the operands of operations to what kernels take: arrays, or parts of them, and numbers."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastnn.engine.memory import Arena, Buffer
from fastnn.engine.ops import PARTS, Axis, Offset, Op, Slice, Whole
from fastnn.engine.schedule import Task
from fastnn.engine.table import Entry


class Operands:
    """What the operands of a program stand for: buffers in its arena, and inputs that are bound to arrays from outside.

    arena    where the buffers lie
    inputs   buffers that stand for arrays from outside
    samples  the axis along which batched buffers are cut
    """

    def __init__(self, arena: Arena, inputs: Iterable[Buffer], samples: Axis):
        self._arena, self._samples = arena, samples
        self._bound: dict[Buffer, np.ndarray | int | None] = dict.fromkeys(inputs)

    def bind(self, arrays: Mapping[Buffer, np.ndarray | int]) -> bool:
        """Say what the inputs are, which is kept alive; whether kernels see a difference."""
        if all(_same_words(self._bound[buffer], array) for buffer, array in arrays.items()):
            return False
        self._bound.update(arrays)
        return True

    def unbind(self) -> None:
        """Let go of what is bound."""
        self._bound = dict.fromkeys(self._bound)

    @property
    def are_bound(self) -> bool:
        """Whether all inputs are arrays now."""
        return all(array is not None for array in self._bound.values())

    def bound(self, buffer: Buffer) -> np.ndarray | int | None:
        """What an input stands for now; None: nothing yet."""
        return self._bound[buffer]

    def is_input(self, operand: Any) -> bool:
        """Whether an operand stands for an array from outside."""
        return isinstance(operand, Buffer) and operand in self._bound

    def of_entry(self, entry: Entry, batch: int) -> tuple:
        """The arguments of an entry's kernel in a batch of `batch` samples."""
        if entry.task is None or entry.task.chain.axis is None:
            return self.whole(entry.op, batch)
        return tuple(self._part(operand, entry.task, batch, entry.own) for operand in entry.op.operands)

    def of_samples(self, op: Op, first: int, last: int, batch: int) -> tuple:
        """What an operation takes for the samples first ≤ i < last of a batch."""
        return tuple(self._rows(operand, first, last, batch) for operand in op.operands)

    def whole(self, op: Op, batch: int) -> tuple:
        """What an operation takes that runs on a batch as a whole."""
        return tuple(self._resolved(operand, 0, batch) for operand in op.operands)

    def _part(self, operand: Any, task: Task, batch: int, own: dict[tuple[int, int], np.ndarray]) -> Any:
        """The part of an operand that a task works on."""
        if task.chain.axis is not None and task.chain.axis.serial:
            return self._rows(operand, task.first, task.last, batch)
        if isinstance(operand, Slice):
            rows = own.get((id(operand.array), task.last - task.first))
            if rows is None:
                rows = self._resolved(operand.array, 0, batch)[task.first : task.last]
            return rows.reshape(-1) if operand.flat else rows
        if isinstance(operand, Offset):
            return task.first
        if task.chain.axis is self._samples:
            rows = own.get((id(operand), task.last - task.first))
            return self._resolved(operand, task.first, task.last) if rows is None else rows
        return self._resolved(operand, 0, batch)

    def _rows(self, operand: Any, first: int, last: int, batch: int) -> Any:
        """As `_resolved`; of a serial axis, along which a sample may get the rows of all."""
        return self._resolved(operand, *((0, batch) if isinstance(operand, Whole) else (first, last)))

    def _resolved(self, operand: Any, first: int, last: int) -> Any:
        """An operand for the samples first ≤ i < last; everything that is not batched, whole."""
        if isinstance(operand, Slice):
            array = self._resolved(operand.array, first, last)
            return array.reshape(-1) if operand.flat else array
        if isinstance(operand, PARTS):
            return self._resolved(operand.array, first, last)
        if isinstance(operand, Offset):
            return first
        if not isinstance(operand, Buffer):
            return operand
        if operand in self._bound:
            return self._bound[operand]
        array = self._arena[operand]
        return operand.of_samples(array, first, last) if operand.batched else array


def _same_words(bound: Any, given: Any) -> bool:
    """Whether an entry would hold the same words for either. (A bound array is alive, so its address is its own.)"""
    if bound is given:
        return True
    if not isinstance(bound, np.ndarray) or not isinstance(given, np.ndarray):
        return type(bound) is type(given) and bound == given
    return (bound.ctypes.data, bound.shape, bound.dtype) == (given.ctypes.data, given.shape, given.dtype)
