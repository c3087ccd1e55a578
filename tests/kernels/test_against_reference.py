"""Every kernel computes what its reference says, at every size, in both dtypes, serial and parallel."""

import inspect

import numpy as np
import pytest

from tests.kernels.cases import DTYPES, made, params
from tests.tolerances import check


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params())
def test_outputs(name, dtype, shape, twin):
    spec, args = made(name, dtype, shape)
    got, want = spec.run(getattr(spec.kernel, twin), args), spec.want(args)
    assert [g.dtype for g in got] == [a.dtype for a in args[: spec.outputs]]
    terms = spec.terms(spec.shapes[shape])
    check(got, want, terms, f"{name} {np.dtype(dtype)} {shape} {twin}", spec.precision(args))


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params(over_shapes=False))
def test_inputs_are_only_read(name, dtype, shape, twin):
    spec, args = made(name, dtype, shape)
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in args[spec.outputs :]]
    getattr(spec.kernel, twin)(*args)
    for got, want in zip(args[spec.outputs :], before, strict=True):
        np.testing.assert_array_equal(got, want)


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
        changed = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
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
