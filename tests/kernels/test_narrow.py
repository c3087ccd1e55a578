"""Kernels for narrow layers: slices of whole blocks, and the one order of sums over samples."""

import numpy as np
import pytest

from fastnn_kernels import narrow, narrow_losses, narrow_softmax
from fastnn_kernels._jit import compiled
from fastnn_kernels._narrow import products
from fastnn_kernels._tuning import BLOCK
from fastnn_kernels.registry import REGISTRY, losses
from fastnn_kernels.registry.narrow import put
from tests.kernels.cases import DTYPES, made, needs_jit

PER_BLOCK = ("values", "gradients", "partial", "target")
PER_SAMPLE = ("indices", "out", "dout", "loss", "correct", "labels", "loss_weight")
GUARD = -77.0


@compiled
def _compiled(out, a, b):
    products.lane_products(out, a, b)


@compiled
def _readable(out, a, b):
    products.readable_lane_products(out, a, b)


def part(spec, args, first, last):
    """The arguments of a slice of whole blocks."""
    names = spec.kernel.operands
    rows = {
        **dict.fromkeys(PER_BLOCK, slice(first, last)),
        **dict.fromkeys(PER_SAMPLE, slice(first * BLOCK, last * BLOCK)),
    }
    return [a[rows[name]] if name in rows else a for name, a in zip(names, args, strict=True)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*narrow.__all__, *narrow_losses.__all__, *narrow_softmax.__all__])
def test_slices_of_whole_blocks_have_the_bits_of_the_whole(name, dtype):
    shape = "moons" if "moons" in REGISTRY[name].shapes else "200x2"
    spec, args = made(name, dtype, shape)
    whole, slices = ([a.copy() if isinstance(a, np.ndarray) else a for a in args] for _ in range(2))
    spec.kernel.serial(*whole)
    for first in (1, 0):
        spec.kernel.serial(*part(spec, slices, first, first + 1))
    for got, want in zip(slices[: spec.outputs], whole[: spec.outputs], strict=True):
        np.testing.assert_array_equal(got, want)


@compiled
def _by_columns(loss, correct, d, x, labels, loss_weight):
    narrow_softmax._column_cross_entropy(loss, correct, d, x, labels, loss_weight)


@compiled
def _of_two(loss, correct, d, x, labels, loss_weight):
    narrow_softmax._two_cross_entropy(loss, correct, d, x, labels, loss_weight)


@pytest.mark.parametrize("dtype", DTYPES)
def test_two_scores_in_one_pass_give_the_bits_of_any_number_of_scores(dtype):
    """Each pair of hostile scores, with either label, and everyday ones; 16 columns are behind the last sample."""
    info, rng = np.finfo(dtype), np.random.default_rng(2)
    values = [0.0, 1.0, -1.0, 1e-3, 88.8, -200.0, info.max, info.tiny, info.smallest_subnormal, np.inf, -np.inf, np.nan]
    pairs = np.array(np.meshgrid(values, values, [0, 1])).reshape(3, -1)
    everyday = np.vstack([rng.standard_normal((2, 101)), rng.integers(0, 2, 101)])
    *x, labels = np.hstack([pairs, everyday])
    x, labels, weight = np.array(x, dtype), labels.astype(np.int32), rng.random(labels.size).astype(dtype)
    results = []
    for kernel in (_by_columns, _of_two):
        loss, correct = np.full((2, labels.size), GUARD, dtype)
        d = np.full((4, labels.size + 16), GUARD, dtype)
        with np.errstate(all="ignore"):
            kernel(loss, correct, d, np.pad(x, ((0, 0), (0, 16))), labels, weight)
        results.append((loss, correct, d[:2]))
    for got, want in zip(*results, strict=True):
        np.testing.assert_array_equal(got, want)


@needs_jit
@pytest.mark.parametrize("dtype", DTYPES)
def test_tiles_of_lanes_give_the_bits_of_the_readable_loop(dtype):
    rng = np.random.default_rng(0)
    for m, n, width in ((1, 1, 16), (3, 2, 16), (4, 4, 128), (5, 3, 48), (9, 7, 112), (33, 17, 128)):
        a, b = rng.normal(size=(m, width)).astype(dtype), rng.normal(size=(n, width)).astype(dtype)
        got, want = np.full((2, m + 1, n + 2), GUARD, dtype)
        _compiled(got[:m, :n], a, b)
        _readable(want[:m, :n], a, b)
        np.testing.assert_array_equal(got, want)
        assert (got[m:] == GUARD).all()
        assert (got[:, n:] == GUARD).all()


@needs_jit  # a Python loop rounds each product
def test_lanes_are_added_in_the_order_that_is_promised():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-9, 9, (2, 1, 48)).astype(np.float32)
    b += rng.random((1, 48), np.float32) * np.float32(2**-9)
    lanes = np.zeros(16, np.float32)
    for s in range(0, 48, 16):
        lanes = (np.float64(a[0, s : s + 16]) * b[0, s : s + 16] + lanes).astype(np.float32)  # exact, rounded once
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    out = np.zeros((1, 1), np.float32)
    _compiled(out, a, b)
    assert out[0, 0] == lanes[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ["1x1", "5x2", "16x3", "200x2", "131x7", "256x5"])
@pytest.mark.parametrize("name", losses.TARGETED)
def test_losses_against_numbers_have_the_bits_of_those_of_rows(name, shape, dtype):
    _, (loss, correct, gradients, values, targets, *settings, at, n) = made(f"narrow_{name}", dtype, shape)
    samples = len(loss)
    x, target = np.zeros((2, samples, n), dtype)
    narrow.lanes_to_rows.serial(x, values, at, n)
    narrow.lanes_to_rows.serial(target, targets, 0, n)
    if samples > 9:
        x[3, 0], target[5, n - 1], x[7, :n], target[8, 0], x[8, 0] = np.nan, np.nan, -np.inf, np.inf, np.inf
        x[9, :n] = target[9, :n] = 1  # equals: the first of them counts
        for j in range(n):
            put(values, at + j, x[:, j])
            put(targets, j, target[:, j])
    with np.errstate(invalid="ignore"):
        REGISTRY[f"narrow_{name}"].kernel.serial(loss, correct, gradients, values, targets, *settings, at, n)
        dx, (each, right) = np.zeros_like(x), np.zeros((2, samples), dtype)
        REGISTRY[name].kernel.serial(each, right, dx, x, target, *settings, n)
    got = np.zeros_like(x)
    narrow.lanes_to_rows.serial(got, gradients, 0, n)
    np.testing.assert_array_equal(loss, each)
    np.testing.assert_array_equal(correct, right)
    np.testing.assert_array_equal(got, dx)
