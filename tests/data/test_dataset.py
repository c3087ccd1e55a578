"""The classes that all loaders return: their checks, and cutting data sets to size."""

import numpy as np
import pytest

from fastnn.common.errors import DataError
from fastnn.data import Dataset, Split
from fastnn.data.dataset import id_dtype


def test_split_and_dataset():
    split = Split(np.zeros((4, 3), np.uint8), np.zeros(4, np.uint8))
    assert len(split) == 4
    assert list(Dataset(split, test=split).splits()) == ["train", "test"]
    with pytest.raises(DataError, match="x has 4 samples but y has 5"):
        Split(np.zeros((4, 3)), np.zeros(5))
    with pytest.raises(DataError, match="y of a split must be an array"):
        Split(np.zeros((4, 3)), np.array(3))
    with pytest.raises(AttributeError):
        split.x = split.y


@pytest.mark.parametrize(
    ("count", "dtype"), [(250, "u1"), (256, "u1"), (257, "u2"), (65536, "u2"), (65537, "i4"), (10**6, "i4")]
)
def test_ids_take_the_smallest_dtype(count, dtype):
    assert id_dtype(count) == np.dtype(dtype)
    assert np.iinfo(id_dtype(count)).max >= count - 1


def test_cut_takes_training_then_validation_samples():
    data = Dataset(Split(np.arange(10), np.arange(10)), None, Split(np.arange(6), np.arange(6)), {"a": 1})
    got = data.cut(5, 3, 2)
    assert [got.splits()[name].x.tolist() for name in ("train", "val", "test")] == [[0, 1, 2, 3, 4], [5, 6, 7], [0, 1]]
    assert got.meta == {"a": 1}
    assert len(data.cut(10).test) == 6
    assert data.cut(10).val is None


def test_cut_makes_all_three_of_one_and_shuffles():
    data = Dataset(Split(np.arange(10), np.arange(10) + 100))
    got = data.cut(5, 3, 2, seed=1)
    together = np.concatenate([split.x for split in got.splits().values()])
    assert sorted(together) == list(range(10))
    assert together.tolist() != list(range(10))
    assert all((split.y == split.x + 100).all() for split in got.splits().values())
    assert (data.cut(5, 3, 2, seed=1).train.x == got.train.x).all()
    with pytest.raises(DataError, match="val is -1, expected at least 0"):
        data.cut(5, -1)
    for counts in ((8, 3), (0, 3), (5, 3, 3)):
        with pytest.raises(DataError, match="samples were asked for, expected"):
            data.cut(*counts)


def test_of_very_many_samples_some_are_drawn_from_blocks_all_over(monkeypatch):
    monkeypatch.setattr("fastnn.data.dataset.DRAWN_IN_BLOCKS", 999)
    split = Split(np.arange(1_000), np.arange(1_000))
    monkeypatch.setattr("fastnn.common.random.generator", None)  # no order of all samples is made
    found = split.drawn(130).x
    assert np.array_equal(found, split.drawn(130).y)
    assert len(np.unique(found)) == 130
    assert np.array_equal(np.unique(found // 100), np.arange(10))
