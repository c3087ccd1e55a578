"""bfloat16 words: their random bits, their rounding, and the updates that keep their state in them."""

import itertools

import numpy as np
import pytest

from fastnn_kernels import adam_update_bfloat16, momentum_update_bfloat16, reference
from fastnn_kernels._jit import JIT, compiled
from fastnn_kernels._math import bfloat16
from fastnn_kernels.dropout import _step_words
from fastnn_kernels.registry import REGISTRY

COUNT = 2**16 if JIT else 2**12
KEY = np.array([0x0123456789ABCDEF, 0xFEDCBA9876543210], np.uint64)
ROUNDING = [name for name in REGISTRY if name.endswith("_bfloat16")]


def _fill(out, first, a, b):
    for i in range(out.shape[0]):
        out[i] = bfloat16.random_word(np.uint64(first) + np.uint64(i), a, b)


def _round_all(out, x):
    for random in range(out.shape[0]):
        out[random] = bfloat16.to_word(x, np.uint32(random))


fill, round_all = compiled(_fill, cached=False), compiled(_round_all, cached=False)


def drawn(key=KEY, stream=0, step=0, first=0):
    """The random words of COUNT elements."""
    out = np.empty(COUNT, np.uint32)
    fill(out, first, *_step_words(key, np.array([0, step, 0, 0]), stream))
    return out


def number(words):
    return (np.asarray(words).astype(np.uint32) << np.uint32(16)).view(np.float32)


def surprise(same, p, count):
    """How many standard deviations a count of `count` trials lies from its mean."""
    return abs(same - p * count) / np.sqrt(count * p * (1 - p))


class TestRandomWords:
    def test_without_a_key_they_are_the_published_mixer(self):
        want = np.arange(100, dtype=np.uint64)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            want = (want ^ want >> np.uint64(shift)) * np.uint64(factor) & np.uint64(2**32 - 1)
        got = np.empty(100, np.uint32)
        fill(got, 0, np.uint64(0), np.uint64(0))
        np.testing.assert_array_equal(got, want)

    def test_every_bit_and_every_pair_of_bits_is_fair(self):
        bits = drawn()[:, None] >> np.arange(32, dtype=np.uint32) & 1
        assert surprise(bits.sum(axis=0), 0.5, COUNT).max() < 4.5
        for i, j in itertools.combinations(range(32), 2):
            assert surprise(np.sum(bits[:, i] == bits[:, j]), 0.5, COUNT) < 5, (i, j)

    @pytest.mark.parametrize("shift", [0, 8, 16, 24])
    def test_bytes_come_equally_often(self, shift):
        counts = np.bincount(drawn() >> np.uint32(shift) & 255, minlength=256)
        surprises = surprise(counts, 1 / 256, COUNT)
        assert surprises.max() < 5
        # neither more even than chance nor less: the mean of n squares of normal numbers is 1 ± √(2/n)
        assert abs(np.mean(surprises**2) - 1) < 4 * np.sqrt(2 / 256)

    def test_any_other_element_step_stream_or_key_is_independent(self):
        base = drawn()
        others = {f"{2**shift} elements on": drawn(first=2**shift) for shift in (0, 1, 4, 20, 31)}
        others |= {"next step": drawn(step=1), "later step": drawn(step=1000), "stream": drawn(stream=1)}
        others |= {"halves exchanged": base >> np.uint32(16) | base << np.uint32(16)}
        for word, bit in itertools.product(range(2), (0, 31, 32, 63)):
            key = KEY.copy()
            key[word] ^= np.uint64(1) << np.uint64(bit)
            others[f"bit {bit} of word {word}"] = drawn(key)
        for (name, a), (other, b) in itertools.combinations([("itself", base), *others.items()], 2):
            both = a ^ b
            for half in (both & np.uint32(0xFFFF), both >> np.uint32(16)):
                ones = np.unpackbits(half.astype(np.uint16).view(np.uint8)).sum()
                assert surprise(ones, 0.5, 16 * COUNT) < 5, f"{name} and {other}"


class TestRounding:
    @pytest.mark.parametrize("x", [1.0, -1.0, 1.001, -3.14159, 1e-30, -7.7e29, 65535.9, 2.0**-126, 0.0, 3.3e38])
    def test_the_mean_over_all_random_bits_is_the_number(self, x):
        x, words = np.float32(x), np.empty(2**16, np.uint16)
        round_all(words, x)
        values, counts = np.unique(number(words).astype(np.float64), return_counts=True)
        assert np.sum(values * counts) / 2**16 == x
        assert len(values) == (1 if x == number(np.float32(x).view(np.uint32) >> 16) else 2)

    @pytest.mark.parametrize("bits", [0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_infinity_and_nan_stay(self, bits):
        x, words = np.uint32(bits).view(np.float32), np.empty(2**16, np.uint16)
        round_all(words, x)
        np.testing.assert_array_equal(number(words), x)

    def test_the_greatest_numbers_stay_finite(self):
        words = np.empty(2**16, np.uint16)
        round_all(words, np.finfo(np.float32).max)
        assert (words == 0x7F7F).all()
        with np.errstate(over="ignore"):
            round_all(words, np.float64(1e39))
        assert np.isinf(number(words)).all()


@pytest.mark.parametrize("name", ROUNDING)
def test_the_random_bits_are_those_of_the_reference(name):
    """Powers of two and small whole numbers: no float32 is rounded, so the words are equal to the last bit."""
    spec = REGISTRY[name]
    rng = np.random.default_rng(1)
    shape = spec.shapes["13x1x31x17" if "rows" in name else "64"]
    args = list(spec.inputs(rng, np.float32, shape))
    names = list(spec.kernel.operands)
    for i in range(names.index("dw") + 1):
        whole = rng.integers(0, 200, args[i].shape).astype(np.float32)
        args[i][...] = whole.view(np.uint32) >> 16 if args[i].dtype == np.uint16 else whole + 0.5
    scalars = args[names.index("scalars")]
    scalars[...] = [0.5, 0.25, 0.125, 1, 1, 0.5][: len(scalars)]
    got, want = (spec.run(function, args) for function in (spec.kernel.serial, spec.reference))
    for g, w, before in zip(got[1:], want[1:], args[1:], strict=False):
        np.testing.assert_array_equal(g, w)
        assert (g != before).any()


def test_what_is_rounded_to_nearest_stands_still_and_what_is_rounded_by_chance_does_not():
    """Adam's v without a gradient: .999 of it at each step, where words lie .4 to .8 % apart."""
    steps, n = (700, 2000) if JIT else (60, 100)
    scalars = np.array([0, 0.1, 0.001, 1, 1e-8], np.float32)
    w, dw, m = np.ones(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.uint16)
    v = np.full(n, 0x3F90, np.uint16)  # 1.125
    nearest = np.float32(1.125)
    for step in range(steps):
        adam_update_bfloat16.serial(w, m, v, dw, scalars, KEY, np.array([0, step, 0, 0]), 5, 1)
        nearest = number((np.float32(nearest + scalars[2] * -nearest).view(np.uint32) + 0x7FFF) >> 16)
    assert nearest == 1.125
    want = 1.125 * 0.999**steps
    got = number(v).astype(np.float64)
    assert abs(got.mean() - want) < 5 * got.std() / np.sqrt(n)
    assert got.std() < 0.1 * want


def test_infinite_and_undefined_gradients_show_in_the_state():
    w, v = np.zeros(3, np.float32), np.zeros(3, np.uint16)
    dw = np.array([np.inf, np.nan, 1], np.float32)
    momentum_update_bfloat16.serial(w, v, dw, np.array([0.1, 0.9], np.float32), KEY, np.zeros(4, np.int64), 0, 1)
    assert number(v)[0] == -np.inf
    assert np.isnan(number(v)[1])
    assert np.isfinite(number(v)[2])


def test_offset_and_width_say_which_elements_a_slice_holds():
    spec = REGISTRY["adam_update_bfloat16"]
    *args, _ = spec.inputs(np.random.default_rng(2), np.float32, (60,))
    whole = spec.run(spec.kernel.serial, (*args, 1))
    rows = [a.reshape(5, 12) if i < 4 else a for i, a in enumerate(args)]
    part = [a[2:4].reshape(-1) if i < 4 else a for i, a in enumerate(rows)]
    for got, want in zip(spec.run(spec.kernel.serial, (*part, 12, 2)), whole, strict=True):
        np.testing.assert_array_equal(got, want[24:48])
    got = [a.copy() for a in args[:4]]
    reference.adam_update_bfloat16(*got, *args[4:], 1)
    np.testing.assert_array_equal(got[1] > 0, whole[1] > 0)
