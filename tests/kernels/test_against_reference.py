"""Every kernel computes what its reference says, at every size, in both dtypes, serial and parallel."""

import inspect

import numpy as np
import pytest

from tests.kernels.cases import DTYPES, copies, made, params
from tests.tolerances import check


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params())
def test_outputs(name, dtype, shape, twin):
    """Inputs stay as they are: the scheduler derives from a kernel's outputs which operations must wait for it."""
    spec, args = made(name, dtype, shape)
    given, want = copies(args), spec.want(args)
    with np.errstate(all="ignore"):  # as compiled code has it
        getattr(spec.kernel, twin)(*given)
    got, inputs = list(given[: spec.outputs]), given[spec.outputs :]
    assert [g.dtype for g in got] == [a.dtype for a in args[: spec.outputs]]
    terms = spec.terms(spec.shapes[shape])
    check(got, want, terms, f"{name} {np.dtype(dtype)} {shape} {twin}", spec.precision(args))
    for after, before in zip(inputs, args[spec.outputs :], strict=True):
        np.testing.assert_array_equal(after, before)


def _spoiled(spec, args, values):
    """`args` with some elements of one float array replaced, once for each array that can hold `values`."""
    for i, name in enumerate(list(inspect.signature(spec.reference).parameters)[: len(args)]):
        # In loss_weight, infinity meets probabilities that float32 rounds to 0: 0·∞ is NaN there, ∞ in float64.
        if (
            np.size(args[i]) == 0
            or np.asarray(args[i]).dtype.kind != "f"
            or (name == "loss_weight" and np.inf in values)
        ):
            continue
        changed = list(copies(args))
        changed[i].flat[:: max(1, args[i].size // 3)][: len(values)] = values[: args[i].size]
        yield name, tuple(changed)


@pytest.mark.parametrize("values", [[np.nan], [np.inf, -np.inf]], ids=["nan", "inf"])
@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params(over_shapes=False))
def test_nan_and_infinity_survive(name, dtype, shape, twin, values):
    spec, args = made(name, dtype, shape)
    for argument, spoiled in _spoiled(spec, args, values):
        got, want = spec.run(getattr(spec.kernel, twin), spoiled), spec.want(spoiled)
        for g, w in zip(got, want, strict=True):
            if g.dtype.kind != "f":
                continue
            np.testing.assert_array_equal(np.isnan(g), np.isnan(w), err_msg=f"NaN in {argument}")
            np.testing.assert_array_equal(g[np.isinf(w)], w[np.isinf(w)], err_msg=f"infinity in {argument}")
            assert not np.isinf(g[~np.isinf(w)]).any(), f"infinity appears from {argument}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["momentum_update", "nesterov_update"])
def test_tiny_velocity_becomes_zero(name, dtype):
    spec, args = made(name, dtype, "64")
    assert args[1][0] != 0
    for twin in (spec.kernel.serial, spec.kernel.parallel):
        assert spec.run(twin, args)[1][0] == 0
