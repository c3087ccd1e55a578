"""A share computed alone has the bits that it has in the whole: what lets threads, and fused plans, cut the work."""

import inspect

import numpy as np
import pytest

from fastnn_kernels import _product, _tile
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import DTYPES, made, needs_jit, shapes

# The operands that hold a row a sample, in kernels that treat each sample by itself.
BATCHED = {"out", "dx", "loss", "correct", "x", "dout", "loss_weight", "labels", "target", "mask", "mean", "rstd"}
BATCHED |= {"argmax", "ids", "indices"}
OF_CHANNELS = {"mean", "rstd"}  # in the kernels of batch normalisation, not of samples
# The operands that a share takes rows of, in kernels that say where a share begins.
OWNED = {"matmul_xt": ["dw"], "bias_backward": ["db"], "channel_bias_backward": ["db"], "conv2d_backward_w": ["dw"]}
OWNED |= {"transpose": ["w"], "batch_norm_moments": ["mean", "rstd", "running_mean", "running_var"]}
OWNED |= {"batch_norm_backward_sums": ["dgamma", "dbeta", "dgamma_mean", "dbeta_mean", "mean", "rstd"]}


def copies(args):
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def names_of(entry):
    return list(inspect.signature(entry.kernel.body).parameters)


def assert_same(entry, whole, shares):
    for a, b in zip(whole[: entry.outputs], shares[: entry.outputs], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name, entry in REGISTRY.items() if entry.kernel.per_sample])
def test_samples_one_part_after_the_other(name, dtype):
    batched = BATCHED - OF_CHANNELS if name.startswith("batch_norm") else BATCHED
    for shape in shapes(REGISTRY[name]):
        entry, args = made(name, dtype, shape)
        whole, shares, names = copies(args), copies(args), names_of(entry)
        entry.kernel.serial(*whole)
        batch = len(args[0])
        for first, last in ((0, batch // 3), (batch // 3, batch)):
            cut = [a[first:last] if n in batched else a for n, a in zip(names, shares, strict=False)]
            entry.kernel.serial(*cut, *([first] if "offset" in names else []))
        assert_same(entry, whole, shares)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OWNED)
def test_rows_one_part_after_the_other(name, dtype):
    for shape in shapes(REGISTRY[name]):
        entry, args = made(name, dtype, shape)
        whole, shares, names = copies(args), copies(args), names_of(entry)
        entry.kernel.serial(*whole)
        count = len(args[names.index(OWNED[name][0])])
        for first, last in ((0, count // 3), (count // 3, count)):
            cut = [a[first:last] if n in OWNED[name] else a for n, a in zip(names, shares, strict=False)]
            entry.kernel.serial(*cut, first)
        assert_same(entry, whole, shares)


def test_every_kernel_that_says_where_a_share_begins_is_among_these():
    beginning = {n for n, entry in REGISTRY.items() if "offset" in names_of(entry)}
    assert beginning == set(OWNED) | {"dropout_forward"}


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kernel_writes_its_outputs_and_nothing_else(name):
    """By what a kernel writes, plans know which rows must wait for which."""
    for shape in shapes(REGISTRY[name]):
        entry, args = made(name, np.float64, shape)
        given = copies(args)
        entry.kernel.serial(*given)
        for before, after in zip(args[entry.outputs :], given[entry.outputs :], strict=True):
            np.testing.assert_array_equal(before, after)


@needs_jit
def test_rows_of_tiles_have_names_of_their_own():
    """Symbols of cached code are found by name: two helpers with one name were taken for each other."""
    if _tile.shape()[0]:
        assert _product._tiled_rows(1).py_func.__qualname__ != _product._tiled_rows(2).py_func.__qualname__
