"""A plan that runs: buffers placed in one arena, rows encoded as a table for the compiled driver.

With JIT off the same rows run in a Python loop over the kernels' bodies.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastnn.engine import schedule
from fastnn.engine.builder import Builder, Columns, First, Row, Rows
from fastnn.engine.memory import Arena, Buffer, aligned_bytes
from fastnn.engine.table import Call, Encoded
from fastnn.engine.threads import guard, worth_sharing
from fastnn_kernels._jit import JIT
from fastnn_kernels._tuning import PARALLEL_FROM, SERIAL_ELEMENT

# A training needs four tables: whole batches and the last one, on one thread and on all.
TABLES = 16
# Two threads that made the same adapter at once would each keep an address, but only one the code behind it.
_encoding = threading.Lock()


class Program:
    """The rows of a builder, ready to run for any batch up to the builder's.

    Arrays from outside (a data set's) stand in rows as buffers too; `bind` says which arrays they are.
    Of `private` arrays nobody asks what is in them: where it can, a worker keeps its share in memory of
    its own, that is, in its cache, and the array itself is never written.
    """

    def __init__(self, builder: Builder, outside: tuple[Buffer, ...] = (), private: Sequence[np.ndarray] = ()):
        self.batch = builder.batch
        self.rows, self.first_rows = builder.rows, builder.first_rows
        self._samples = builder.samples
        self._outside: dict[Buffer, np.ndarray | int | None] = dict.fromkeys(outside)
        self._private = private
        self.arena = Arena(builder.buffers)
        self._phases: dict[frozenset[int], list[list[schedule.Group]]] = {}
        self._encoded: dict[tuple[int, int], Encoded] = {}
        self._current: set[tuple[int, int]] = set()  # those that hold the outside arrays bound now

    def __getitem__(self, buffer: Buffer) -> np.ndarray:
        return self.arena[buffer]

    def bind(self, arrays: Mapping[Buffer, np.ndarray | int]) -> None:
        """Say which arrays the outside buffers are, until the next call. They are kept alive."""
        if not all(_same_words(self._outside[buffer], array) for buffer, array in arrays.items()):
            self._outside.update(arrays)
            self._expire()

    def unbind(self) -> None:
        """Let go of all outside arrays."""
        self._outside = dict.fromkeys(self._outside)
        self._expire()

    def _expire(self) -> None:
        """Say that what is encoded holds other arrays than those bound now."""
        self._current.clear()
        for encoded in self._encoded.values():
            encoded.release()

    def begin(self, batch: int) -> None:
        """Run, once, the rows that do not run in every step."""
        for row in self.first_rows:
            self._run_whole(row, batch)

    def run(self, steps: int, batch: int | None = None, workers: int = 1) -> None:
        """Run all rows `steps` times on `batch` samples each (default: the full batch), on so many threads."""
        if JIT:
            encoded = self._encode(batch or self.batch, workers)
            with guard(workers):
                encoded.run(steps)
            return
        calls = [(row.kernel.body, self._whole(row, batch or self.batch)) for row in self.rows]
        with np.errstate(all="ignore"):  # compiled code does not warn of overflow or NaN either
            for _ in range(steps):
                for body, operands in calls:
                    body(*operands)

    def trace(self, batch: int) -> Iterator[tuple[Row, Any, np.ndarray]]:
        """Run the rows one by one; after each, its row and its arrays: (row, operand as it was written, array)."""
        for row in self.rows:
            for operand, array in zip(row.operands, self._run_whole(row, batch), strict=True):
                if isinstance(array, np.ndarray):
                    yield row, operand, array

    def _run_whole(self, row: Row, batch: int) -> tuple:
        """Run one row on one thread; its operands."""
        operands = self._whole(row, batch)
        if JIT:
            alone = [[[Call(row, None, False, {})]]]
            Encoded(alone, lambda call: operands, lambda row: False).run(1)
        else:
            with np.errstate(all="ignore"):
                row.kernel.body(*operands)
        return operands

    def prepare(self, batch: int | None = None, workers: int = 1) -> None:
        """Compile, or load from disk, what a run would need: the first run then starts at once."""
        if JIT:
            self._encode(batch or self.batch, workers).run(0)

    def is_shared(self, batch: int, workers: int) -> bool:
        """Whether more than one of `workers` would have anything to do."""
        return JIT and workers > 1 and self._encode(batch, workers).bounds is not None

    def _encode(self, batch: int, workers: int) -> Encoded:
        key = (batch, workers)
        if key not in self._current:
            operands = partial(self._operands, batch=batch)
            with _encoding:
                if key in self._encoded:
                    self._encoded[key].renew(operands)
                else:
                    self._forget_oldest()
                    self._encoded[key] = Encoded(self._lists(batch, workers), operands, self._varies)
            self._current.add(key)
        return self._encoded[key]

    def _forget_oldest(self) -> None:
        """Make room for a table: a model that predicts batches of ever new sizes must not keep one for each."""
        if len(self._encoded) >= TABLES:
            oldest = next(iter(self._encoded))
            del self._encoded[oldest]
            self._current.discard(oldest)

    def _varies(self, row: Row) -> bool:
        return any(isinstance(one, Buffer) and one in self._outside for one in row.operands)

    def _lists(self, batch: int, workers: int) -> list[list[list[Call]]]:
        """The calls of each phase and worker."""

        def alone(row: Row) -> bool:
            return workers > 1 and worth_sharing(row.kernel, self._whole(row, batch))

        phases = self._phases_with(frozenset(i for i, row in enumerate(self.rows) if row.axis is None and alone(row)))
        private = {id(array) for array in schedule.used_in_one_group(self._private, phases)}
        found = []
        for groups in phases:
            costs = [sum(_cost(row, self._whole(row, batch)) for row in group.rows) for group in groups]
            solitary = groups[0].axis is None and alone(groups[0].rows[0])
            active = workers if sum(costs) >= PARALLEL_FROM and not solitary else 1
            jobs = schedule.shares(groups, costs, batch, active)
            found.append([_calls(share, private, solitary) for share in jobs])
        return found

    def _phases_with(self, alone: frozenset[int]) -> list[list[schedule.Group]]:
        """The phases where these rows share themselves among threads: planned once for all batches that agree in it."""
        if alone not in self._phases:
            self._phases[alone] = schedule.phases(self.rows, alone)
        return self._phases[alone]

    def _operands(self, call: Call, batch: int) -> tuple:
        if call.job is None or call.job.group.axis is None:
            return self._whole(call.row, batch)
        return tuple(self._share(operand, call.job, batch, call.own) for operand in call.row.operands)

    def _share(self, operand, job: schedule.Job, batch: int, own: dict):
        """The part of an operand that a job works on."""
        if isinstance(operand, Rows):
            rows = own.get((id(operand.array), job.last - job.first))
            if rows is None:
                rows = self._resolve(operand.array, 0, batch)[job.first : job.last]
            return rows.reshape(-1) if operand.flat else rows
        if isinstance(operand, First):
            return job.first
        if job.group.axis is self._samples:
            return self._resolve(operand, job.first, job.last)
        return self._resolve(operand, 0, batch)

    def _whole(self, row: Row, batch: int) -> tuple:
        return tuple(self._resolve(one, 0, batch) for one in row.operands)

    def _resolve(self, operand, first: int, last: int):
        """An operand for samples first ≤ i < last and everything else whole."""
        if isinstance(operand, Columns):
            operand = operand.array
        if isinstance(operand, Rows):
            array = self._resolve(operand.array, first, last)
            return array.reshape(-1) if operand.flat else array
        if isinstance(operand, First):
            return first
        if not isinstance(operand, Buffer):
            return operand
        if operand in self._outside:
            return self._outside[operand]
        array = self.arena[operand]
        return array[first:last] if operand.batched else array


def _calls(jobs: list[schedule.Job], private: set[int], parallel: bool) -> list[Call]:
    """What one worker calls, in order, with its own memory for the shares of each private array."""
    most: dict[int, np.ndarray] = {}  # of each private array, the worker's largest share
    shares = [(job, array) for job in jobs for array in _private_arrays(job, private)]
    for job, array in shares:
        rows = array[job.first : job.last]
        if len(rows) > len(most.get(id(array), ())):
            # Not shared between arrays: kernels leave the padding of rows as it is, which is 0.
            most[id(array)] = aligned_bytes(rows.nbytes).view(rows.dtype).reshape(rows.shape)
    own = {(id(array), job.last - job.first): most[id(array)][: job.last - job.first] for job, array in shares}
    return [Call(row, job, parallel, own) for job in jobs for row in job.group.rows]


def _private_arrays(job: schedule.Job, private: set[int]) -> list[np.ndarray]:
    """The private arrays of which a job takes rows."""
    arrays = [one.array for row in job.group.rows for one in row.operands if isinstance(one, Rows)]
    return [array for array in arrays if isinstance(array, np.ndarray) and id(array) in private]


def _cost(row: Row, operands: tuple) -> float:
    """Nanoseconds of a row on one core, roughly."""
    if row.kernel.work is not None:
        return row.kernel.work(*operands)
    return SERIAL_ELEMENT * max(a.size for a in operands if isinstance(a, np.ndarray) and a.dtype.kind != "u")


def _same_words(bound, given) -> bool:
    """Whether a row would hold the same words for either. (What is bound is alive, so its address is its own.)"""
    if not isinstance(bound, np.ndarray) or not isinstance(given, np.ndarray):
        return type(bound) is type(given) and bound == given
    return (bound.ctypes.data, bound.shape, bound.dtype) == (given.ctypes.data, given.shape, given.dtype)
