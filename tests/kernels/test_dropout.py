"""The random numbers of dropout: of the right frequency, independent in every direction, the same on any thread."""

import itertools

import numba
import numpy as np
import pytest

from fastnn_kernels import dropout, dropout_backward, dropout_forward
from fastnn_kernels._jit import JIT
from tests.kernels.cases import needs_jit
from tests.tiny import THREADS

KEY = np.array([0x0123456789ABCDEF, 0xFEDCBA9876543210], np.uint64)
ROWS, COLUMNS = (1000, 301) if JIT else (40, 61)


def kept(keep=0.5, rows=ROWS, columns=COLUMNS, key=KEY, stream=0, step=0, sample=0, dtype=np.float32, twin="serial"):
    """Which numbers of a mask stay."""
    x = np.ones((rows, columns), dtype)
    out, mask = np.empty_like(x), np.empty_like(x)
    scalars, cursor = np.array([keep], dtype), np.array([sample, step, 0, 0])
    getattr(dropout_forward, twin)(out, mask, x, key, cursor, stream, columns, scalars)
    assert set(np.unique(mask)) <= {dtype(0), dtype(1) / dtype(keep)}
    np.testing.assert_array_equal(out, mask)
    return mask != 0


def surprise(same, p, count):
    """How many standard deviations a count of `count` trials lies from its mean."""
    return abs(same - p * count) / np.sqrt(count * p * (1 - p))


def test_philox_is_philox():
    """The published vectors of Philox 2×32 with seven rounds (Random123, kat_vectors)."""
    vectors = [
        ((0, 0), 0, (0x257A3673, 0xCD26BE2A)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0xAB302C4D, 0x3DC9D239)),
        ((0x243F6A88, 0x85A308D3), 0x13198A2E, (0xBEDBBE6B, 0xE4C770B3)),
    ]
    for counter, key, want in vectors:
        got = dropout._philox(*(np.uint64(word) for word in (*counter, key)))
        assert tuple(int(word) for word in got) == want


@pytest.mark.parametrize("keep", [0.1, 0.25, 0.5, 0.9])
def test_the_fraction_that_stays(keep):
    found = kept(keep)
    assert surprise(found.sum(), keep, found.size) < 4
    for axis in (0, 1):
        surprises = surprise(found.sum(axis=axis), keep, found.shape[axis])
        assert surprises.max() < 5.5
        # neither more even than chance nor less: the mean of n squares of normal numbers is 1 ± √(2/n)
        assert abs(np.mean(surprises**2) - 1) < 4 * np.sqrt(2 / len(surprises))


def test_all_stay_at_one():
    assert kept(1.0).all()


def test_any_other_row_column_step_stream_or_key_is_independent():
    base = kept()
    others = {
        "row": kept(sample=1),
        "far row": kept(sample=2**31),
        "column": np.roll(base, 1, axis=1),
        "rows and columns exchanged": kept(rows=COLUMNS, columns=ROWS).T,
        "step": kept(step=1),
        "step and row": kept(step=1, sample=ROWS),
        "stream": kept(stream=1),
        "stream for step": kept(step=0, stream=1)[::-1],
    }
    for word, bit in itertools.product(range(2), (0, 31, 32, 63)):
        key = KEY.copy()
        key[word] ^= np.uint64(1) << np.uint64(bit)
        others[f"bit {bit} of word {word}"] = kept(key=key)
    for (name, a), (other, b) in itertools.combinations([("itself", base), *others.items()], 2):
        assert surprise(np.sum(a == b), 0.5, a.size) < 5, f"{name} and {other}"


def test_pairs_of_neighbours_come_equally_often():
    found = kept().astype(int)
    for a, b in (
        (found[:, 1:], found[:, :-1]),
        (found[1:], found[:-1]),
        (found[:, 2:], found[:, :-2]),
        (found[:, 16:], found[:, :-16]),
    ):
        counts = np.bincount((2 * a + b).ravel(), minlength=4)
        assert surprise(counts, 0.25, a.size).max() < 5


def test_an_element_draws_the_same_in_any_batch_dtype_and_width():
    whole = kept(0.7, rows=30)
    np.testing.assert_array_equal(kept(0.7, rows=20, sample=10), whole[10:])
    np.testing.assert_array_equal(kept(0.7, rows=30, columns=17), whole[:, :17])
    # .7 is another number in float32, but no draw lies between the two
    np.testing.assert_array_equal(kept(0.7, rows=30, dtype=np.float64), whole)


@needs_jit
def test_threads_do_not_matter():
    want = kept(0.3)
    for threads in range(1, min(4, THREADS) + 1):
        numba.set_num_threads(threads)
        np.testing.assert_array_equal(kept(0.3, twin="parallel"), want)


def test_gradient_is_the_mask():
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal((2, 5, 16))
    out, mask, dx = np.zeros((3, 5, 16))
    args = KEY, np.array([3, 4, 0, 0]), 5, 11, np.array([0.6])
    dropout_forward.serial(out, mask, x, *args)
    dropout_backward.serial(dx, dout, mask, 11)
    above, below = np.zeros((2, 5, 16))
    for i, j in np.ndindex(5, 16):
        step = np.zeros_like(x)
        step[i, j] = 0.5
        dropout_forward.serial(above, mask, x + step, *args)
        dropout_forward.serial(below, mask, x - step, *args)
        assert dx[i, j] == pytest.approx(np.sum((above - below) * dout), abs=1e-12)
