"""The classes that every loader returns: `Split`, samples and their labels, and `Dataset`, up to three splits."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.text import SPLITS, plural
from fastnn.common.validation import whole_number
from fastnn.data.stream import Stream, part, rows

# The number of blocks, spread evenly over a stream, from which `drawn` takes samples: files may be sorted by class.
DRAWN_BLOCKS = 64
# Samples in memory from which on they are drawn so, too: an order of 10⁸ samples takes 800 MB and seconds.
DRAWN_IN_BLOCKS = 10_000_000


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their labels.

    Args:
        x: (N, …) any dtype: the samples, an array or a stream such as `fn.H5Stream`.
        y: (N, …) any dtype: the label or target of each, likewise.

    Raises:
        DataError: If the lengths differ, or if one of the two is neither array nor stream or has no axis.

    Examples:
        >>> split = fn.Split(x, y)
        >>> len(split), len(split.part(0, 10))
        (30, 10)
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

    def __repr__(self) -> str:
        x, y = (f"{one} {array.dtype} {array.shape}" for one, array in (("x", self.x), ("y", self.y)))
        return f"<Split of {plural(len(self), 'sample')}: {x}, {y}>"

    def part(self, first: int, last: int) -> "Split":
        """Samples first … last − 1: views, not copies.

        Args:
            first: The number of the first sample.
            last: The number after that of the last.
        """
        first, last = whole_number("first", first, 0), whole_number("last", last, 0)
        return Split(part(self.x, first, last), part(self.y, first, last))

    def shuffled(self, seed: int) -> "Split":
        """A copy of the samples in an order that depends on `seed` alone.

        Args:
            seed: Chooses the order.

        Raises:
            DataError: For streams.
        """
        if self.is_streamed:
            raise DataError("a stream cannot be shuffled as a whole; fit shuffles its samples as it reads them")
        # Sorting uniform numbers, and not NumPy's shuffle, whose algorithm may change with its version.
        order = np.argsort(random.generator(seed, "cut").random(len(self)), kind="stable")
        return Split(self.x[order], self.y[order])

    def drawn(self, count: int) -> "Split":
        """A copy of `count` of the samples, the same ones each time.

        Those of a stream, and of more than 10 million, come from blocks all over it.

        Args:
            count: How many.
        """
        count = whole_number("count", count)
        if not self.is_streamed and len(self) <= DRAWN_IN_BLOCKS:
            chosen = random.generator(0, "fewer samples").permutation(len(self))[:count]
            return Split(self.x[chosen], self.y[chosen])
        ranges = _spread_ranges(len(self), count)
        return Split(*(np.concatenate([rows(array, *ends) for ends in ranges]) for array in (self.x, self.y)))

    def in_memory(self, most: int | None = None) -> "Split":
        """The samples as arrays.

        Args:
            most: How many of the first samples; None: all.
        """
        count = len(self) if most is None else min(len(self), whole_number("most", most, 0))
        return Split(rows(self.x, 0, count), rows(self.y, 0, count))

    @property
    def is_streamed(self) -> bool:
        """Whether samples or labels stay in a file until they are read."""
        return isinstance(self.x, Stream) or isinstance(self.y, Stream)


def _spread_ranges(total: int, count: int) -> list[tuple[int, int]]:
    """Ranges (first, last + 1) that hold `count` of `total` rows, in blocks spread evenly over all of them."""
    blocks = min(DRAWN_BLOCKS, count)
    starts, taken = (np.linspace(0, rows, blocks + 1).astype(int) for rows in (total, count))
    ranges, end = [], 0
    for start, size in zip(starts[:-1], np.diff(taken), strict=True):
        first = max(start, end)  # if nearly all rows are taken, a block may reach beyond the start of the next
        end = first + size
        ranges.append((first, end))
    return ranges


@dataclass(frozen=True, eq=False)
class Dataset:
    """Splits for training, validation and test; `val` or `test` is None where the data have none.

    Each loader says which other keys than those below it adds to `meta`.

    Args:
        train: The training samples.
        val: The samples to validate on.
        test: The samples to test on.
        meta: Always `source`, "generated" or the path. Images and points: `classes`, a list of str by label. Language
            data: `words`, a list of str by id, and `true_entropy` in nats, None if it is not known.

    Examples:
        >>> data = fn.Dataset(fn.Split(x, y)).cut(20, 5, 5)
        >>> {name: len(split) for name, split in data.splits().items()}
        {'train': 20, 'val': 5, 'test': 5}
    """

    train: Split
    val: Split | None = None
    test: Split | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {len(split)}" for name, split in self.splits().items())
        return f"<{type(self).__name__} of samples: {told}>"

    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        found = zip(SPLITS, (self.train, self.val, self.test), strict=True)
        return {name: split for name, split in found if split is not None}

    def cut(self, train: int, val: int = 0, test: int | None = None, seed: int | None = None) -> "Dataset":
        """Smaller splits by count: `data.cut(49_000, 1_000, 1_000)`.

        Training samples are the first of the training split, validation samples the next ones. Test samples are the
        first of the test split; if there is no test split, they are the next ones of the training split.

        Args:
            train: The number of training samples.
            val: The number of validation samples. With 0 a validation split that exists is kept, else it is replaced.
            test: The number of test samples; None: all of the test split.
            seed: Shuffles the training split first; None keeps its order.

        Raises:
            DataError: If there are too few samples.
        """
        train, val = whole_number("train", train, 0, DataError), whole_number("val", val, 0, DataError)
        test = test if test is None else whole_number("test", test, 0)
        source = self.train if seed is None else self.train.shuffled(seed)
        moved = 0 if self.test is not None else test or 0  # from the training split to the test split
        if train < 1 or val < 0 or moved < 0 or train + val + moved > len(source):
            raise DataError(
                f"{train} + {val} + {moved} samples were asked for, expected at most {len(source)} altogether"
            )
        new_val = source.part(train, train + val) if val else self.val
        new_test = source.part(train + val, train + val + moved) if moved else self._first_of_test(test)
        return Dataset(source.part(0, train), new_val, new_test, self.meta)

    def joined(self) -> "Dataset":
        """Training and validation samples as one training split, a copy, and no validation split."""
        if self.val is None:
            return self
        both = (np.concatenate([self.train.x, self.val.x]), np.concatenate([self.train.y, self.val.y]))
        return Dataset(Split(*both), None, self.test, self.meta)

    def _first_of_test(self, count: int | None) -> Split | None:
        """The first `count` test samples, None: all; DataError if there are fewer."""
        if self.test is None or count is None:
            return self.test
        if not 0 < count <= len(self.test):
            raise DataError(f"{count} test samples were asked for, expected 1 to {len(self.test)}")
        return self.test.part(0, count)


@dataclass(frozen=True, eq=False, repr=False)
class CompleteDataset(Dataset):
    """A data set that has all three splits, as type checkers should know."""

    val: Split
    test: Split


def id_dtype(count: int) -> np.dtype[Any]:
    """The smallest integer dtype for ids 0 … count − 1: uint8, uint16 or int32."""
    if count <= 2**8:
        return np.dtype(np.uint8)
    return np.dtype(np.uint16 if count <= 2**16 else np.int32)
