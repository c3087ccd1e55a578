"""What every loader returns: arrays of samples, split for training, validation and test, and what is known of them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.data import source as feed
from fastnn.data.source import Stream

# From how many places of a stream `drawn` takes its samples: files may be sorted by class.
PLACES = 64


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their labels.

    x : (N, …) any dtype — one sample per row; an array, or a stream such as `fn.H5Stream`.
    y : (N, …) any dtype — its label or target, likewise.

    Raises DataError if the lengths differ or one of the two is no array with rows.
    """

    x: Any
    y: Any

    def __post_init__(self) -> None:
        for name, array in (("x", self.x), ("y", self.y)):
            if not isinstance(array, np.ndarray | Stream) or not array.shape:
                raise DataError(f"{name} of a split must be an array with one row per sample, found {array!r:.60}")
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} samples but y has {len(self.y)}, expected one label per sample")

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)

    def part(self, first: int, last: int) -> "Split":
        """Samples first … last − 1, as views."""
        return Split(feed.part(self.x, first, last), feed.part(self.y, first, last))

    def shuffled(self, seed: int) -> "Split":
        """The same samples in an order that depends on `seed` alone, copied. DataError for streams."""
        if self.is_streamed:
            raise DataError("a stream cannot be shuffled as a whole; fit mixes its samples as it reads them")
        # The ranks of uniform numbers are a permutation that no change of NumPy's own shuffle can alter.
        order = np.argsort(random.generator(seed, "cut").random(len(self)), kind="stable")
        return Split(self.x[order], self.y[order])

    def drawn(self, count: int) -> "Split":
        """`count` of the samples, the same ones each time, copied; of streams from places all over the file."""
        if not self.is_streamed:
            rows = random.generator(0, "fewer samples").permutation(len(self))[:count]
            return Split(self.x[rows], self.y[rows])
        places = min(PLACES, count)
        begins, shares = (np.linspace(0, total, places + 1).astype(int) for total in (len(self), count))
        ranges, end = [], 0
        for begin, taken in zip(begins, np.diff(shares), strict=False):
            first = max(begin, end)  # of nearly all rows the shares may be longer than the way to the next place
            end = first + taken
            ranges.append((first, end))
        return Split(*(np.concatenate([feed.rows(one, *ends) for ends in ranges]) for one in (self.x, self.y)))

    @property
    def is_streamed(self) -> bool:
        """Whether samples or labels come into memory only when they are asked for."""
        return isinstance(self.x, Stream) or isinstance(self.y, Stream)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three splits and what is known of them; `val` or `test` is None where the data have no such part.

    meta : dict — `source` ("generated" or the path) always; for images and points `classes` (list of
    str, by label); for language data `words` (list of str, by id) and `true_entropy` (nats, or None where nobody
    knows it); the loaders say what else they add.
    """

    train: Split
    val: Split | None = None
    test: Split | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        named = (("train", self.train), ("val", self.val), ("test", self.test))
        return {name: split for name, split in named if split is not None}

    def cut(self, train: int, val: int = 0, test: int | None = None, seed: int | None = None) -> "Dataset":
        """Smaller splits by count: `cut(49_000, 1_000, 1_000)`.

        Training and validation samples come one after the other from the training split; test samples from the test
        split (None: all of it), or, where there is none, from the training split, too. `seed` shuffles the training
        split first, None keeps its order. A validation split that exists is kept whole if val is 0, else replaced.
        Raises DataError if there are too few samples.
        """
        source = self.train if seed is None else self.train.shuffled(seed)
        own = 0 if self.test is not None else test or 0
        if train < 1 or val < 0 or own < 0 or train + val + own > len(source):
            raise DataError(
                f"{train} + {val} + {own} samples were asked for, expected at most {len(source)} altogether"
            )
        if self.test is not None and test is not None and not 0 < test <= len(self.test):
            raise DataError(f"{test} test samples were asked for, expected 1 to {len(self.test)}")
        held = source.part(train, train + val) if val else self.val
        tested = self.test.part(0, len(self.test) if test is None else test) if self.test is not None else None
        if own:
            tested = source.part(train + val, train + val + own)
        return Dataset(source.part(0, train), held, tested, self.meta)


def id_dtype(count: int) -> np.dtype[Any]:
    """The smallest integer dtype for ids 0 … count − 1: uint8, uint16 or int32."""
    if count <= 2**8:
        return np.dtype(np.uint8)
    return np.dtype(np.uint16 if count <= 2**16 else np.int32)
