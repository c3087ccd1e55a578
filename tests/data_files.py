"""Small data sets and helpers that the tests of all loaders share."""

from pathlib import Path

import numpy as np
import pytest

from fastnn.data import Dataset, Split

rng = np.random.default_rng(8)
REAL = Path(__file__).parents[1].parent / "shared" / "data"
with_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real files is absent")


def images(count, *shape):
    return rng.integers(0, 256, (count, *shape), np.uint8)


def labels(count, classes=10):
    """Labels with both ends of their range among them."""
    y = rng.integers(0, classes, count, np.uint8)
    y[0], y[-1] = 0, classes - 1
    return y


def small_set(*shape, classes=10):
    return Dataset(Split(images(23, *shape), labels(23, classes)), None, Split(images(11, *shape), labels(11, classes)))


def assert_same(got, want):
    assert list(got.splits()) == list(want.splits())
    for name, split in want.splits().items():
        np.testing.assert_array_equal(got.splits()[name].x, split.x, strict=True)
        np.testing.assert_array_equal(got.splits()[name].y, split.y, strict=True)


def message(error, load, path):
    """The text of the error that loading raises; it must be of this very class, one line, and name the file."""
    with pytest.raises(error) as caught:
        load(path)
    text = str(caught.value)
    assert type(caught.value) is error
    assert "\n" not in text
    assert Path(path).name in text
    return text
