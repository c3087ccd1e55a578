"""Sums over ranks of tables that are 0 in nearly all rows: only the other rows travel."""

from collections.abc import Sequence

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.ranks.group import Group


class RowSum:
    """Replaces tables that have the same rows in common by their sums over all ranks.

    tables : (V, columns) each, of one dtype; 0 except in the listed rows
    listed : (m,) the rows of this rank, each once; numbers from V on name none
    all    : (size · m,) what is written: the rows of all ranks, each once, in ascending order, then V
    """

    def __init__(self, group: Group, tables: Sequence[np.ndarray], listed: np.ndarray, all: np.ndarray):
        self._group, self._tables, self._listed, self._all = group, tables, listed, all
        self._rows = len(tables[0])
        self._widths = [table.shape[1] for table in tables]
        self._all[...] = self._rows

    def clear(self) -> None:
        """Make the tables 0 again, before a step: what other ranks sent is in rows that are not listed here."""
        used = self._all[: np.searchsorted(self._all, self._rows)]
        for table in self._tables:
            table[used] = 0

    def list_nothing(self) -> None:
        """This rank has no samples of the step."""
        self._listed[...] = self._rows

    @ieee
    def add(self) -> None:
        """Replace the tables by the sums."""
        own = self._listed[self._listed < self._rows]
        rows = np.concatenate([table[own] for table in self._tables], axis=1)
        ids = self._group.communicator.gather_rows(own)
        came = self._group.communicator.gather_rows(rows)
        for table in self._tables:
            table[own] = 0
        for named, numbers in zip(ids, came, strict=True):
            for table, part in zip(self._tables, np.split(numbers, np.cumsum(self._widths)[:-1], axis=1), strict=True):
                table[named] += part
        everywhere = np.unique(np.concatenate(ids))
        self._all[: len(everywhere)] = everywhere
        self._all[len(everywhere) :] = self._rows
