"""Rows as the compiled driver reads them: a table of words, and who runs which of its lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fastnn.engine.builder import Row
from fastnn.engine.schedule import Job
from fastnn_kernels import _driver


@dataclass(frozen=True, eq=False)
class Call:
    """A row as one worker runs it.

    job       the share it works on; None: everything
    parallel  whether the kernel's parallel twin runs
    own       the worker's memory in the place of private arrays, by shape and dtype
    """

    row: Row
    job: Job | None
    parallel: bool
    own: dict


class Encoded:
    """A table for the driver and the operands that it points at, kept alive here.

    lists    the calls of each phase and worker
    operands (call) -> the operands as they are bound now
    varying  (row) -> whether its operands may be bound anew
    """

    def __init__(
        self,
        lists: Sequence[Sequence[Sequence[Call]]],
        operands: Callable[[Call], tuple],
        varying: Callable[[Row], bool],
    ):
        # `operands` is not kept: what it belongs to holds this table, and a ring of the two would outlive its use.
        self._calls = [call for phase in lists for share in phase for call in share]
        self._varying = [i for i, call in enumerate(self._calls) if varying(call.row)]
        self._alive = [operands(call) for call in self._calls]
        lines = [_line(call, held) for call, held in zip(self._calls, self._alive, strict=True)]
        self.table = np.zeros((len(lines), max(map(len, lines), default=1)), np.int64)
        for row, line in zip(self.table, lines, strict=True):
            row[: len(line)] = line
        self.bounds = _bounds(lists)

    def renew(self, operands: Callable[[Call], tuple]) -> None:
        """Write the lines of rows whose operands were bound anew."""
        for i in self._varying:
            self._alive[i] = operands(self._calls[i])
            line = _line(self._calls[i], self._alive[i])
            self.table[i, : len(line)] = line

    def release(self) -> None:
        """Let go of the operands that may be bound anew; `renew` before the next run."""
        for i in self._varying:
            self._alive[i] = ()

    def run(self, steps: int) -> None:
        if self.bounds is None:
            _driver.run(self.table, steps)
        else:
            _driver.run_phases(self.table, self.bounds, steps)


def _line(call: Call, operands: tuple) -> list[int]:
    kinds = tuple(map(_driver.operand_type, operands))
    words = [word for operand in operands for word in _driver.operand_words(operand)]
    return [_driver.adapter(call.row.kernel, call.parallel, kinds).address, *words]


def _bounds(lists: Sequence[Sequence[Sequence[Call]]]) -> np.ndarray | None:
    """Where each phase's and worker's lines begin and end; None where one worker does everything."""
    workers = max(map(len, lists), default=1)
    if workers == 1:
        return None
    counts = [[len(share) for share in phase] + [0] * (workers - len(phase)) for phase in lists]
    ends = np.cumsum(np.ravel(counts)).reshape(len(lists), workers)
    begins = np.concatenate([[0], ends[:-1, -1]])
    return np.column_stack([begins, ends])
