"""The words of a text as nets take them: windows in any order, or streams of whole sentences for a recurrent net.

Both have the same targets: every token of a sentence, and its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastnn.data.dataset import Split

Ids = NDArray[np.integer]
Batch = tuple[Ids, Ids]
NO_TARGET = -100  # as PyTorch's cross-entropy has it


@dataclass(frozen=True)
class Windows:
    """n-grams: x (batch, n − 1) and y (batch,), shuffled."""

    split: Split
    batch: int

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-len(self.split) // self.batch)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of one epoch; `rng` draws their order."""
        return self._cut(rng.permutation(len(self.split)))

    def in_order(self) -> Iterator[Batch]:
        """All samples as they stand."""
        return self._cut(np.arange(len(self.split)))

    def _cut(self, order: Ids) -> Iterator[Batch]:
        for begin in range(0, len(order), self.batch):
            rows = order[begin : begin + self.batch]
            yield self.split.x[rows], self.split.y[rows]


@dataclass(frozen=True)
class Streams:
    """Sentences in a row, cut into streams of one length: x and y (time, streams), piece after piece.

    A net begins an epoch without a state, and takes that of the piece before into the next. The sentences come in
    another order in each epoch, so that what is between two of them says nothing, as in the validation and test
    sentences, which were drawn from the text.

    pairs  2-grams in the order of the text, so that x is the text itself, a `<s>` before each sentence
    start  the id of `<s>`
    """

    pairs: Split
    start: int
    streams: int
    time: int

    @property
    def batch(self) -> int:
        """Targets of a step."""
        return self.streams * self.time

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-(len(self.pairs) // self.streams) // self.time)

    def _sentences(self) -> list[Ids]:
        """Where the words of each sentence stand."""
        begins = np.flatnonzero(self.pairs.x[:, 0] == self.start)
        return np.split(np.arange(len(self.pairs)), begins[1:])

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The pieces of one epoch; `rng` draws the order of the sentences. Words that fill no row are left out."""
        sentences = self._sentences()
        order = np.concatenate([sentences[i] for i in rng.permutation(len(sentences))])
        length = len(order) // self.streams
        rows = order[: self.streams * length].reshape(self.streams, length).T
        return self._cut(self.pairs.x[rows, 0], self.pairs.y[rows])

    def in_order(self) -> Iterator[Batch]:
        """All targets, each sentence whole in one stream; where a stream has ended before others, y is NO_TARGET."""
        sentences = self._sentences()
        rows = [np.concatenate(own) for i in range(self.streams) if (own := sentences[i :: self.streams])]
        x = np.full((max(map(len, rows)), len(rows)), self.start)
        y = np.full(x.shape, NO_TARGET)
        for i, own in enumerate(rows):
            x[: len(own), i], y[: len(own), i] = self.pairs.x[own, 0], self.pairs.y[own]
        return self._cut(x, y)

    def _cut(self, x: Ids, y: Ids) -> Iterator[Batch]:
        for begin in range(0, len(x), self.time):
            yield x[begin : begin + self.time], y[begin : begin + self.time]
