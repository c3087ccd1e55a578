"""Windows of ids that follow each other: the words before each word, made when they are asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.data.stream import Stream, check_rows, rows

Ids = NDArray[np.integer[Any]]

# For each id of a row: of a chunk of rows, that a buffer holds, there are copies with larger ids, and their order.
ROW_BYTES = 8


class Windows:
    """A stream whose row i is the `width` ids before id i of its sentence, (N, width).

    Nothing is stored for them. Before a sentence stands `start`, as often as a row needs it.

    ids    (N,) sentences, one after the other: an array, or a stream such as an `fn.H5Stream`
    end    the id after each sentence, with which it ends; None: all is one sentence
    """

    chunk_rows = 1

    def __init__(
        self, ids: Ids | Stream, width: int, start: int, end: int | None, first: int = 0, last: int | None = None
    ):
        self._ids, self._width, self._start, self._end = ids, width, start, end
        self._range = (first, len(ids) if last is None else last)
        self.shape = (len(self), width)
        self.dtype = ids.dtype
        self.row_bytes = width * ROW_BYTES

    def __len__(self) -> int:
        """Number of rows."""
        return self._range[1] - self._range[0]

    def read(self, first: int, last: int) -> Ids:
        """Rows first … last − 1, (last − first, width). DataError unless there are such rows."""
        check_rows(first, last, len(self), "windows")
        low, high = self._range[0] + first, self._range[0] + last
        begin = max(low - self._width, 0)
        known = rows(self._ids, begin, max(high - 1, low))
        before = np.concatenate([np.full(self._width - (low - begin), self._start, self.dtype), known])
        return self._in_sentences(np.lib.stride_tricks.sliding_window_view(before, self._width)[: high - low])

    def _in_sentences(self, windows: Ids) -> Ids:
        """A copy of the windows, with `start` for what is of an earlier sentence."""
        found = windows.copy()
        if self._end is not None:
            earlier = np.zeros(len(found), bool)
            for place in range(self._width - 1, -1, -1):
                earlier |= windows[:, place] == self._end
                found[earlier, place] = self._start
        return found

    def part(self, first: int, last: int) -> "Windows":
        """Rows first … last − 1 as a stream of the same ids. DataError unless there are such rows."""
        check_rows(first, last, len(self), "windows")
        low = self._range[0]
        return Windows(self._ids, self._width, self._start, self._end, low + first, low + last)
