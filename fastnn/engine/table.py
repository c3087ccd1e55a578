"""Operations as the compiled driver reads them: a table of entries, and which thread runs which of them."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from fastnn.engine.local_rows import Rows
from fastnn.engine.memory import aligned_bytes
from fastnn.engine.ops import Op
from fastnn.engine.schedule import Task
from fastnn.engine.slices import largest_slices, transient_arrays
from fastnn.engine.threads import usable_threads
from fastnn_kernels._compile.parallel import compile_missing
from fastnn_kernels._run import team
from fastnn_kernels._run.adapter import Adapter, adapter, operand_type, operand_words
from fastnn_kernels._run.driver import Loop

# So often a team may fail to gather, say because others hold the processors, before a table does without it.
MOST_FAILURES = 8


@dataclass(frozen=True, eq=False)
class Entry:
    """An operation as one worker runs it.

    task      the slice that it works on; None: everything
    parallel  whether the kernel's parallel version runs
    own       the worker's own memory for slices of transient arrays, by (id of the array, number of rows), and for
              batched buffers, by (id of the buffer, number of samples)
    """

    op: Op
    task: Task | None
    parallel: bool
    own: dict[tuple[int, int], np.ndarray]


def entries_of(tasks: Sequence[Task], transient: Collection[int], parallel: bool, rows: Rows) -> list[Entry]:
    """One worker's entries, in order, with memory of its own for its slices of transient arrays (ids of arrays).

    rows : its memory for batched buffers
    """
    # Not shared between arrays: kernels leave the padding of rows as it is, which is 0.
    memory = {
        key: aligned_bytes(rows.nbytes).view(rows.dtype).reshape(rows.shape)
        for key, rows in largest_slices(tasks, transient).items()
    }
    lengths = [(id(array), task.last - task.first) for task in tasks for array in transient_arrays(task, transient)]
    own = rows | {(key, length): memory[key][:length] for key, length in lengths}
    return [Entry(op, task, parallel, own) for task in tasks for op in task.chain.ops]


class Table:
    """A table for the driver, and the operands whose addresses it holds, kept alive here.

    lists    the entries of each phase and worker
    operands (entry) -> the operands as they are bound now
    varying  (op) -> whether its operands may be bound anew
    besides  adapters that will be needed besides: what is not in the cache is compiled in one go
    """

    def __init__(
        self,
        lists: Sequence[Sequence[Sequence[Entry]]],
        operands: Callable[[Entry], tuple],
        varying: Callable[[Op], bool],
        besides: Sequence[Adapter] = (),
    ):
        # `operands` is not kept: its owner holds this table, and a reference cycle would outlive its use.
        self._entries = [entry for phase in lists for of_worker in phase for entry in of_worker]
        self._varying = [i for i, entry in enumerate(self._entries) if varying(entry.op)]
        self._alive = [operands(entry) for entry in self._entries]
        both = list(zip(self._entries, self._alive, strict=True))
        needed = [adapter_of(entry.op, entry.parallel, held) for entry, held in both]
        self.bounds = _bounds(lists)
        self._loop = _loop("run" if self.bounds is None else "run_phases")
        compile_missing([*besides, *needed, self._loop], usable_threads())
        lines = [_line(one, held) for one, held in zip(needed, self._alive, strict=True)]
        self.words = np.zeros((len(lines), max(map(len, lines), default=1)), np.int64)
        for row, line in zip(self.words, lines, strict=True):
            row[: len(line)] = line
        self._failures = 0
        self._team = _team_for(self.bounds, self._entries)

    def renew(self, operands: Callable[[Entry], tuple]) -> None:
        """Write the entries whose operands were bound anew, maybe to arrays of another dtype."""
        adapters = []
        for i in self._varying:
            entry, held = self._entries[i], operands(self._entries[i])
            self._alive[i] = held
            adapters.append(adapter_of(entry.op, entry.parallel, held))
        if not all(one.address for one in adapters):  # another dtype needs other versions of the kernels
            compile_missing(adapters, usable_threads())
        for i, one in zip(self._varying, adapters, strict=True):
            line = _line(one, self._alive[i])
            self.words[i, : len(line)] = line

    def release(self) -> None:
        """Let go of the operands that may be bound anew; `renew` before the next run."""
        for i in self._varying:
            self._alive[i] = ()

    def run(self, steps: int) -> None:
        if self.bounds is None:
            self._loop(self.words, steps)
        else:
            self._loop(self.words, self.bounds, steps, self._team)
            self._count_failures()

    def _count_failures(self) -> None:
        """Do without a team if it again and again did not gather: to wait for it costs a millisecond each time."""
        if len(self._team) and self._team[team.STATE] == team.GIVEN_UP:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._team = self._team[:0]


def adapter_of(op: Op, parallel: bool, operands: tuple) -> Adapter:
    """What calls an operation's kernel on operands of these types; `_compile.parallel.make` makes it."""
    key = op.kernel, parallel, tuple((one.dtype, one.ndim) if isinstance(one, np.ndarray) else None for one in operands)
    if key not in _adapters:  # Numba's types, which name adapters, are slow to hash
        _adapters[key] = adapter(op.kernel, parallel, tuple(map(operand_type, operands)))
    return _adapters[key]


_adapters: dict[tuple, Adapter] = {}
_loop = functools.cache(Loop)  # it is named by Numba's types, too


def _line(one: Adapter, operands: tuple) -> list[int]:
    return [one.address, *(word for operand in operands for word in operand_words(operand))]


def _bounds(lists: Sequence[Sequence[Sequence[Entry]]]) -> np.ndarray | None:
    """The first and last entry of each phase and worker, as the driver takes them; None where one worker runs all."""
    workers = max(map(len, lists), default=1)
    if workers == 1:
        return None
    counts = [[len(of_worker) for of_worker in phase] + [0] * (workers - len(phase)) for phase in lists]
    ends = np.cumsum(np.ravel(counts)).reshape(len(lists), workers)
    begins = np.concatenate([[0], ends[:-1, -1]])
    return np.column_stack([begins, ends])


def _team_for(bounds: np.ndarray | None, entries: Sequence[Entry]) -> np.ndarray:
    """Memory for a team of the workers; none if there is one worker, or a kernel enters a parallel region itself."""
    if bounds is None or any(entry.parallel for entry in entries):
        return np.zeros(0, np.int64)
    size = 8 * team.team_words(bounds.shape[1] - 1)
    return aligned_bytes(size).view(np.int64)
