"""Sums over ranks: always in the order of the ranks, so that the bits are the same each time, and on every rank."""

from collections.abc import Sequence

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.ranks.group import Group

# From this number of bytes on each rank sums a part of the numbers for all: that moves fewer bytes, in two messages.
DEALT_FROM = 16_384


def added(group: Group, array: np.ndarray) -> np.ndarray:
    """The sum of the arrays of all ranks."""
    return _in_order(group.of_each(array))


@ieee
def _in_order(parts: np.ndarray) -> np.ndarray:
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


class FlatSum:
    """Replaces arrays by their sums over all ranks, in one message or two.

    arrays : of one dtype; flat, or C-contiguous
    """

    def __init__(self, group: Group, arrays: Sequence[np.ndarray]):
        self._group = group
        self._arrays = [array.reshape(-1) for array in arrays if array.size]
        self._count = sum(array.size for array in self._arrays)
        dtype = self._arrays[0].dtype if self._arrays else np.dtype(np.float32)
        self._is_dealt = self._count * dtype.itemsize >= DEALT_FROM
        share = -(-self._count // group.size)
        width = share if self._is_dealt else self._count
        self._came = np.zeros((group.size, width), dtype)
        self._sent = np.zeros((group.size, share), dtype) if self._is_dealt else np.zeros(self._count, dtype)
        self._summed = np.zeros_like(self._sent)

    @property
    def nbytes(self) -> int:
        """The memory that messages take."""
        return self._came.nbytes + self._sent.nbytes + self._summed.nbytes

    def add(self) -> None:
        """Replace the arrays by the sums."""
        if not self._count:
            return
        talk = self._group.communicator
        self._pack(self._sent.reshape(-1))
        if self._is_dealt:
            talk.deal(self._sent, self._came)
            talk.gather(_in_order(self._came), self._summed)
        else:
            talk.gather(self._sent, self._came)
            self._summed[...] = _in_order(self._came)
        self._unpack(self._summed.reshape(-1))

    @ieee
    def average(self) -> None:
        """The means of the ranks' arrays in place of the sums."""
        self.add()
        for array in self._arrays:
            array /= array.dtype.type(self._group.size)

    def _pack(self, flat: np.ndarray) -> None:
        at = 0
        for array in self._arrays:
            flat[at : at + array.size] = array
            at += array.size

    def _unpack(self, flat: np.ndarray) -> None:
        at = 0
        for array in self._arrays:
            array[...] = flat[at : at + array.size]
            at += array.size
