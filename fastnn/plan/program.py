"""A plan that runs: buffers placed in one arena, rows encoded as a table for the compiled driver.

With JIT off the same rows run in a Python loop over the kernels' bodies.
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.plan.arena import Arena, Buffer
from fastnn.plan.builder import Builder, Row
from fastnn.threads import guard, parallel_allowed, worth_sharing
from fastnn_kernels import _driver
from fastnn_kernels._jit import JIT

# Two threads that made the same adapter at once would each keep an address, but only one the code behind it.
_encoding = threading.Lock()


class Program:
    """The rows of a builder, ready to run for any batch up to the builder's.

    Arrays from outside (a data set's) stand in rows as buffers too; `bind` says which arrays they are.
    """

    def __init__(self, builder: Builder, outside: tuple[Buffer, ...] = ()):
        self.batch = builder.batch
        self.rows = builder.rows
        self._outside: dict[Buffer, np.ndarray | int | None] = dict.fromkeys(outside)
        self.arena = Arena(builder.buffers)
        self._encoded: dict[tuple[int, bool], tuple[np.ndarray, list]] = {}

    def __getitem__(self, buffer: Buffer) -> np.ndarray:
        return self.arena[buffer]

    def bind(self, arrays: Mapping[Buffer, np.ndarray | int]) -> None:
        """Say which arrays the outside buffers are, until the next call. They are kept alive."""
        if not all(_same_words(self._outside[buffer], array) for buffer, array in arrays.items()):
            self._outside.update(arrays)
            self._encoded.clear()

    def unbind(self) -> None:
        """Let go of all outside arrays."""
        self._outside = dict.fromkeys(self._outside)
        self._encoded.clear()

    def run(self, steps: int, batch: int | None = None) -> None:
        """Run all rows `steps` times on `batch` samples each (default: the full batch)."""
        parallel = parallel_allowed()
        table, calls = self._table(batch or self.batch, parallel)
        if JIT:
            with guard(parallel):
                _driver.run(table, steps)
            return
        with np.errstate(all="ignore"):  # compiled code does not warn of overflow or NaN either
            for _ in range(steps):
                for body, operands in calls:
                    body(*operands)

    def trace(self, batch: int) -> Iterator[tuple[Row, Any, np.ndarray]]:
        """Run the rows one by one; after each, its row and its arrays: (row, operand as it was written, array)."""
        table, calls = self._table(batch, False)
        for r, row in enumerate(self.rows):
            if JIT:
                _driver.run(table[r : r + 1], 1)
            else:
                body, operands = calls[r]
                with np.errstate(all="ignore"):
                    body(*operands)
            for operand, array in zip(row.operands, calls[r][1], strict=True):
                if isinstance(array, np.ndarray):
                    yield row, operand, array

    def prepare(self, batch: int | None = None) -> None:
        """Compile, or load from disk, what a run would need: the first run then starts at once."""
        self._table(batch or self.batch, parallel_allowed())
        if JIT:
            _driver.run(np.zeros((0, 1), np.int64), 0)

    def _table(self, batch: int, parallel: bool) -> tuple[np.ndarray, list]:
        key = (batch, parallel)
        if key not in self._encoded:
            calls = [(row.kernel, tuple(self._resolve(one, batch) for one in row.operands)) for row in self.rows]
            with _encoding:
                self._encoded[key] = _encode(calls, parallel)
        return self._encoded[key]

    def _resolve(self, operand, batch: int):
        if not isinstance(operand, Buffer):
            return operand
        if operand in self._outside:
            return self._outside[operand]
        array = self.arena[operand]
        return array[:batch] if operand.batched else array


def _same_words(bound, given) -> bool:
    """Whether a row would hold the same words for either. (What is bound is alive, so its address is its own.)"""
    if not isinstance(bound, np.ndarray) or not isinstance(given, np.ndarray):
        return type(bound) is type(given) and bound == given
    return (bound.ctypes.data, bound.shape, bound.dtype) == (given.ctypes.data, given.shape, given.dtype)


def _encode(calls: list, parallel: bool) -> tuple[np.ndarray, list]:
    """The driver's table and, beside it, the calls themselves, which keep the arrays alive."""
    bodies = [(kernel.body, operands) for kernel, operands in calls]
    if not JIT:
        return np.zeros((0, 1), np.int64), bodies
    lines = []
    for kernel, operands in calls:
        kinds = tuple(map(_driver.operand_type, operands))
        shared = parallel and worth_sharing(kernel, operands)
        words = [word for operand in operands for word in _driver.operand_words(operand)]
        lines.append([_driver.adapter(kernel, shared, kinds).address, *words])
    table = np.zeros((len(lines), max(map(len, lines), default=1)), np.int64)
    for row, line in zip(table, lines, strict=True):
        row[: len(line)] = line
    return table, bodies
