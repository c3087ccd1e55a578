"""Validation and test sets that are cut off training samples, as a system asks for them."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data import Use
from fastnn.data.division import divide


def split(first, count):
    return fn.Split(np.arange(first, first + count)[:, None], np.arange(first, first + count))


def dataset(val=None, test=None, source="file"):
    return fn.Dataset(split(0, 60), val, test, {"source": source})


def cut(data, **use):
    """The labels of each split."""
    return {name: part.y.tolist() for name, part in divide(data, Use(**use)).splits().items()}


def test_without_a_wish_they_are_as_they_come():
    data = dataset()
    assert divide(data, Use()) is data


def test_what_is_missing_is_cut_off_the_end_of_the_training_set():
    numbers = list(range(60))
    assert cut(dataset(), val=10, test=5) == {"train": numbers[:45], "val": numbers[45:55], "test": numbers[55:]}
    assert cut(dataset(), val=10) == {"train": numbers[:50], "val": numbers[50:]}
    assert cut(dataset(), test=5) == {"train": numbers[:55], "test": numbers[55:]}
    thirds = cut(dataset(), val=50, test=50)
    assert {name: len(part) for name, part in thirds.items()} == dict.fromkeys(("train", "val", "test"), 20)


def test_what_is_there_stays():
    both = dataset(split(100, 7), split(200, 9))
    own = {"val": list(range(100, 107)), "test": list(range(200, 209))}
    assert cut(both, val=3, test=4) == {"train": list(range(60)), "val": own["val"], "test": own["test"][:4]}
    assert cut(both, val=3) == {"train": list(range(60)), **own}
    assert cut(both, test=50) == {"train": list(range(60)), **own}
    assert cut(dataset(test=split(200, 9)), val=10)["test"] == own["test"]


def test_files_that_are_sorted_by_class_are_shuffled_first():
    found = cut(dataset(), val=10, shuffled=True)
    assert sorted(found["train"] + found["val"]) == list(range(60))
    assert found["val"] != list(range(50, 60))
    assert cut(dataset(), val=10, shuffled=True) == found, "in a fixed order"
    assert cut(dataset(source="generated"), val=10, shuffled=True)["val"] == list(range(50, 60))


def test_a_split_that_cannot_be_is_named():
    data = fn.Dataset(split(0, 2), None, None, {"source": "few.npz"})
    with pytest.raises(fn.DataError, match=r"'few.npz' holds train \(2\), which leaves none for val and test"):
        divide(data, Use(val=1, test=1, needs=("val", "test")))
