"""A slice of an axis computed alone has the bits that it has in the whole: so threads and plans may cut the work."""

import inspect

import numpy as np
import pytest

from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import DTYPES, copies, made, shapes

CUT = [name for name, spec in REGISTRY.items() if spec.kernel.cut]


def names_of(spec):
    return list(inspect.signature(spec.kernel.body).parameters)


def rows_of(spec, args):
    """How many rows each operand that is cut has, by name: several for each sample, if they are steps of sequences."""
    return {n: len(a) for n, a in zip(names_of(spec), args, strict=False) if n in spec.kernel.cut}


def run_slice(spec, args, first, end):
    """Run the kernel on the rows of the samples first ≤ i < end of the operands that it declares as cut."""
    rows = rows_of(spec, args)
    each = {name: size // max(min(rows.values()), 1) for name, size in rows.items()}
    names = names_of(spec)
    operands = [a[first * each[n] : end * each[n]] if n in each else a for n, a in zip(names, args, strict=False)]
    spec.kernel.serial(*operands, *([first] if "offset" in names else []))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CUT)
def test_two_slices_have_the_bits_of_the_whole(name, dtype):
    for shape in shapes(REGISTRY[name]):
        spec, args = made(name, dtype, shape)
        whole, slices = copies(args), copies(args)
        spec.kernel.serial(*whole)
        count = min(rows_of(spec, args).values())
        for first, end in ((0, count // 3), (count // 3, count)):
            run_slice(spec, slices, first, end)
        for got, want in zip(slices[: spec.outputs], whole[: spec.outputs], strict=True):
            np.testing.assert_array_equal(got, want, err_msg=f"{name}, cut={spec.kernel.cut}")


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kernel_that_can_be_cut_says_which_operands(name):
    kernel, names = REGISTRY[name].kernel, names_of(REGISTRY[name])
    needed = kernel.per_sample or "offset" in names
    assert bool(kernel.cut) == needed, f"{name}: cut= names the operands of which a slice gets its own rows"
    assert set(kernel.cut) <= set(names)
    if kernel.per_sample:
        assert set(names[: kernel.outputs]) <= set(kernel.cut)
