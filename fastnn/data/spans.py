"""Spans of a text: rows of words that follow each other, each of which is predicted from those before it in its row."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.data.dataset import CompleteDataset, Split
from fastnn.data.stream import check_rows, rows
from fastnn.text.vocabulary import START

NO_LABEL = -1  # as a target: nothing is asked at that step
ROW_BYTES = 8  # of each id of a row: a chunk holds it and, while it is read, copies of it


@dataclass(frozen=True)
class Layout:
    """Which words of a text each row has.

    words   of the text: the last words of its n-grams
    length  of a row
    lead    words at the beginning of a row that the row before has predicted already: no row predicts its first words
            from nothing but those of a text's beginning
    """

    words: int
    length: int
    lead: int

    def __len__(self) -> int:
        """How many rows there are."""
        return -(-self.words // self.step)

    @property
    def step(self) -> int:
        """How many words a row predicts, but for the last one, which may have fewer."""
        return self.length - self.lead


@dataclass(frozen=True, eq=False)
class Spans:
    """A stream of rows (N, length): of `values`, a number for each word of a text, that of a row's words.

    values  (words,) or (words, n), of which the last column counts: an array or a stream
    filler  stands where a row has no word, before the text or behind it
    asked   whether the values are targets: those that the row before has are `filler`, too
    """

    values: Any
    layout: Layout
    filler: int
    asked: bool
    first: int = 0
    last: int | None = None

    chunk_rows = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the ids; of targets one that has −1."""
        return np.dtype(np.int32) if self.asked else self.values.dtype

    def __len__(self) -> int:
        return (len(self.layout) if self.last is None else self.last) - self.first

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), self.layout.length

    @property
    def row_bytes(self) -> int:
        """The memory that a row takes while it is read."""
        return self.layout.length * ROW_BYTES

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Rows first … last − 1. DataError unless there are such rows."""
        check_rows(first, last, len(self), "spans")
        lay, low = self.layout, (self.first + first) * self.layout.step
        lead, high = min(lay.lead, low), min(low + (last - first) * lay.step, lay.words)
        found = np.full(lay.lead + (last - first) * lay.step, self.filler, self.dtype)
        words = rows(self.values, low - lead, max(high, low))
        found[lay.lead - lead : lay.lead - lead + len(words)] = words if words.ndim == 1 else words[:, -1]
        if len(found) < lay.length:  # no row is asked for
            return np.empty((0, lay.length), self.dtype)
        made = np.lib.stride_tricks.sliding_window_view(found, lay.length)[:: lay.step].copy()
        if self.asked:
            made[:, : lay.lead] = self.filler
        return made

    def part(self, first: int, last: int) -> "Spans":
        """Rows first … last − 1 as a stream. DataError unless there are such rows."""
        check_rows(first, last, len(self), "spans")
        return replace(self, first=self.first + first, last=self.first + last)


def spans(grams: Split, length: int, lead: int = 0, start: int = 0) -> Split:
    """The text whose n-grams stand in their order, as rows for a network that has a label at each of `length` steps.

    x holds the word before each, y the word; −1 where nothing is asked. They are streams where those of the n-grams
    are. Before the text, and behind it, stands `start`.
    """
    layout = Layout(len(grams), length, lead)
    x, y = Spans(grams.x, layout, start, asked=False), Spans(grams.y, layout, NO_LABEL, asked=True)
    if grams.is_streamed:
        return Split(x, y)
    return Split(x.read(0, len(x)), y.read(0, len(y)))


def in_spans(data: CompleteDataset, length: int) -> CompleteDataset:
    """A data set of n-grams in spans; `meta["grams"]` are the n-grams.

    Those of validation and test data have half of a row as their lead, so that figures do not depend on where rows
    begin: a word is predicted from half a row before it, at least.
    """
    words = data.meta["words"]
    start = words.index(START) if START in words else 0
    train = spans(data.train, length, start=start)
    val, test = (spans(part, length, length // 2, start) for part in (data.val, data.test))
    return CompleteDataset(train, val, test, meta=data.meta | {"grams": data})
