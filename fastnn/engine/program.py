"""A program: operations that are ready to run, their buffers placed in one arena, their tables made when needed.

With JIT off the same operations run in a Python loop over the kernels' bodies.
"""

import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastnn.engine import forks as forks  # it acts by being imported
from fastnn.engine import schedule
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Arena, Buffer
from fastnn.engine.operands import Operands
from fastnn.engine.ops import Op, array_of
from fastnn.engine.plan import Plan
from fastnn.engine.table import Entry, Table, adapter_of
from fastnn.engine.threads import guard, usable_threads
from fastnn_kernels._jit import JIT

# A training needs four tables: for whole batches and for the last one, on one thread and on all.
MOST_TABLES = 16
# Two threads that made the same adapter at once would each keep an address, but only one the code behind it.
_compiling = threading.Lock()


def _after_fork() -> None:
    global _compiling
    _compiling = threading.Lock()  # another thread may have had it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Program:
    """The operations of a builder, ready to run for any batch up to the builder's.

    inputs     buffers that stand for arrays from outside, such as those of a data set; `bind` says which arrays
    transient  arrays that nobody reads after a step: where a worker takes them in slices that its cache holds, it has
               memory for one slice, and the array itself is never written; beside those of the builder
    unread     batched buffers that nobody reads after a step: likewise (`local_rows`), but for those of the prologue
    ops        of the builder's operations those that run; None: all
    arena      where the buffers lie that another program of the same builder has placed; None: in one of its own
    """

    def __init__(
        self,
        builder: Builder,
        inputs: tuple[Buffer, ...] = (),
        transient: Sequence[np.ndarray] = (),
        ops: Sequence[Op] | None = None,
        arena: Arena | None = None,
        unread: Collection[Buffer] = (),
    ):
        self.batch = builder.batch
        self.ops, self.prologue = builder.ops if ops is None else ops, builder.prologue
        self.transient = [*transient, *builder.passing]
        self.arena = Arena(builder.buffers) if arena is None else arena
        self._operands = Operands(self.arena, inputs, builder.samples)
        kept = {id(array_of(operand)) for op in builder.prologue for operand in op.operands}
        left = [buffer for buffer in unread if id(buffer) not in kept]
        self.plan = Plan(self.ops, self._operands, builder.samples, self.batch, self.transient, left)
        self._tables: dict[tuple[int, int], Table] = {}
        self._current: set[tuple[int, int]] = set()  # the tables that hold the inputs bound now
        self._pays: dict[int, bool] = {}  # by the batch, whether it may be work for threads

    def __getitem__(self, buffer: Buffer) -> np.ndarray:
        return self.arena[buffer]

    def bind(self, arrays: Mapping[Buffer, np.ndarray | int]) -> None:
        """Say which arrays the inputs are, until the next call. They are kept alive."""
        if self._operands.bind(arrays):
            self._expire()

    @property
    def is_bound(self) -> bool:
        """Whether the inputs are arrays now."""
        return self._operands.are_bound

    def unbind(self) -> None:
        """Let go of all arrays from outside."""
        self._operands.unbind()
        self._expire()

    def give_back(self, kept: Collection[Buffer] = ()) -> None:
        """Give the memory of a batch's values back until the next run, but for those kept. Not of a gathered data set.

        A step computes them anew from its batch.
        """
        if not self.prologue:
            self.arena.give_back(kept)

    def take_over(self, inputs: Mapping[Buffer, Buffer], other: "Program") -> None:
        """Bind inputs as another program's are bound: its buffer -> this one's."""
        theirs = ((mine, other._operands.bound(its)) for its, mine in inputs.items())
        self.bind({mine: bound for mine, bound in theirs if bound is not None})

    def _expire(self) -> None:
        """Note that the tables hold other arrays than those bound now."""
        self._current.clear()
        for table in self._tables.values():
            table.release()

    def begin(self, batch: int) -> None:
        """Run the prologue, once."""
        if JIT:
            self.prepare(batch, usable_threads())  # so that its kernels are compiled together with all others
        for op in self.prologue:
            self._run_alone(op, self._operands.whole(op, batch))

    def run(self, steps: int, batch: int | None = None, workers: int = 1) -> None:
        """Run all operations `steps` times on `batch` samples each (default: the full batch), on `workers` threads."""
        if JIT:
            table = self._table(batch or self.batch, workers)
            with guard(workers):
                table.run(steps)
            return
        calls = [(op.kernel.body, operands) for op, operands in self._calls(batch or self.batch)]
        with np.errstate(all="ignore"):  # compiled code does not warn of overflow or NaN either
            for _ in range(steps):
                for body, operands in calls:
                    body(*operands)

    def trace(self, batch: int) -> Iterator[tuple[Op, Any, np.ndarray]]:
        """Run the operations one by one. After each, its arrays: (operation, operand as emitted, array)."""
        for op, operands in self._calls(batch):
            self._run_alone(op, operands)
            for operand, array in zip(op.operands, operands, strict=True):
                if isinstance(array, np.ndarray):
                    yield op, operand, array

    def _calls(self, batch: int) -> Iterator[tuple[Op, tuple]]:
        """The operations of a step with their operands, in an order in which one thread can run them."""
        for numbers in schedule.together(self.ops):
            axis = self.ops[numbers[0]].axis
            samples = [(i, i + 1) for i in range(batch)] if axis is not None and axis.serial else [(0, batch)]
            for first, last in samples:
                for op in (self.ops[number] for number in numbers):
                    yield op, self._operands.of_samples(op, first, last, batch)

    @staticmethod
    def _run_alone(op: Op, operands: tuple) -> None:
        """Run one operation on one thread."""
        if JIT:
            alone = [[[Entry(op, None, False, {})]]]
            Table(alone, lambda entry: operands, lambda op: False).run(1)
        else:
            with np.errstate(all="ignore"):
                op.kernel.body(*operands)

    def prepare(self, batch: int | None = None, workers: int = 1) -> None:
        """Compile, or load from disk, the kernels that a run needs: the first run then starts at once."""
        if JIT:
            size = batch or self.batch
            self._table(size, workers if self.uses_threads(size, workers) else 1)

    def uses_threads(self, batch: int, workers: int) -> bool:
        """Whether a step on `workers` threads gives more than one of them something to do."""
        return workers > 1 and self.may_use_threads(batch) and self._table(batch, workers).bounds is not None

    def may_use_threads(self, batch: int) -> bool:
        """Whether a step may be enough work for two threads."""
        if JIT and batch not in self._pays:
            self._pays[batch] = self.plan.pays_for_threads(batch)
        return JIT and self._pays[batch]

    def _table(self, batch: int, workers: int) -> Table:
        key = (batch, workers)
        if key not in self._current:
            operands = partial(self._operands.of_entry, batch=batch)
            with _compiling:
                if key in self._tables:
                    self._tables[key].renew(operands)
                else:
                    self._forget_oldest()
                    prologue = [adapter_of(op, False, self._operands.whole(op, batch)) for op in self.prologue]
                    self._tables[key] = Table(self.plan.entries(batch, workers), operands, self._varies, prologue)
            self._current.add(key)
        return self._tables[key]

    def _forget_oldest(self) -> None:
        """Make room for a table: a model that predicts batches of ever new sizes must not keep one for each."""
        if len(self._tables) >= MOST_TABLES:
            oldest = next(iter(self._tables))
            del self._tables[oldest]
            self._current.discard(oldest)

    def _varies(self, op: Op) -> bool:
        return any(map(self._operands.is_input, op.operands))
