"""The order of samples: a permutation for every count and key, uniform, and readable from any sample on."""

import numpy as np
import pytest

from fastnn_kernels import advance_cursor, batch, permuted_indices, record_step, reference, sequential_indices
from fastnn_kernels._jit import JIT

COUNTS = [1, 2, 3, 4, 5, 7, 8, 9, 13, 31, 32, 33, 97, 127, 128, 129]
LARGE = [1009, 4095, 4096, 4097] if JIT else []


def keys(number, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, (number, 2 * batch.ROUNDS), np.uint64)


def order(count, key, start=0, size=None, function=permuted_indices.serial):
    indices = np.full(count - start if size is None else size, -1)
    function(indices, np.array([start, 0, 0, 0]), key, count)
    return indices


@pytest.mark.parametrize("count", COUNTS + LARGE)
def test_is_a_permutation(count):
    for key in keys(5):
        np.testing.assert_array_equal(np.sort(order(count, key)), np.arange(count))


@pytest.mark.parametrize("count", [2**31, 2**32 - 1, 2**32])
def test_largest_counts_stay_in_range_and_agree_with_the_reference(count):
    for key in keys(3):
        got = order(count, key, start=count - 20)
        assert got.min() >= 0
        assert got.max() < count
        assert len(set(got.tolist())) == 20
        np.testing.assert_array_equal(got, order(count, key, count - 20, function=reference.permuted_indices))


def test_different_keys_give_different_orders():
    orders = {tuple(order(33, key)) for key in keys(50)}
    assert len(orders) == 50


def test_each_word_of_the_key_matters():
    key = keys(1)[0]
    for word in range(len(key)):
        changed = key.copy()
        changed[word] ^= np.uint64(0b110)  # of a factor the last bit is always 1
        assert not np.array_equal(order(97, changed), order(97, key)), f"word {word}"


@pytest.mark.parametrize("count", [7, 32, 97])
def test_slices_put_together_are_the_whole(count):
    key = keys(1)[0]
    slices = [order(count, key, start, min(5, count - start)) for start in range(0, count, 5)]
    np.testing.assert_array_equal(np.concatenate(slices), order(count, key))


def surprise(table, samples):
    """How many standard deviations the chi-square of a table of counts lies above what chance gives."""
    expected = samples / table.shape[1]
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return (np.sum((table - expected) ** 2) / expected - freedom) / np.sqrt(2 * freedom)


def orders(count, number):
    return np.array([order(count, key) for key in keys(number, seed=count)])


@pytest.mark.parametrize("count", [2, 3, 5, 8, 11, 16])
def test_every_sample_comes_equally_often_at_every_position(count):
    number = 2000 if JIT else 300
    found = orders(count, number)
    table = np.array([np.bincount(found[:, at], minlength=count) for at in range(count)])
    assert surprise(table, number) < 5


@pytest.mark.parametrize("count", [5, 8, 11, 16])
def test_a_sample_says_little_about_the_next(count):
    number = 2000 if JIT else 300
    found = orders(count, number)
    steps = (found[:, 1:] - found[:, :-1]) % count  # 1 … count − 1, each as likely as the others
    table = np.bincount(steps.ravel(), minlength=count)[1:]
    relative = table / table.sum() * (count - 1)
    assert np.all(abs(relative - 1) < 0.3), f"distances between neighbours: {relative.round(2)}"


def test_one_epoch_of_steps():
    cursor, losses, sums = np.zeros(4, np.int64), np.array([0, 10.0, 0]), np.zeros((3, 4))
    loss, ones = np.arange(4, dtype=np.float32), np.ones(4, np.float32)
    for _ in range(2):
        record_step.serial(losses, sums, cursor, loss, ones, 2 * ones, ones / 4)
    indices = np.zeros(2, np.int64)
    sequential_indices.serial(indices, cursor)
    advance_cursor.serial(cursor, indices)
    assert losses.tolist() == [1.5, 11.5, 0]  # the second step had a penalty
    assert sums.tolist() == [[12, 8, 8, 0], [12, 8, 8, 10], [0, 0, 0, 0]]
    assert indices.tolist() == [8, 9]
    assert cursor.tolist() == [10, 3, 3, 0]
