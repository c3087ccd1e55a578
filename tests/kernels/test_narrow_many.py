"""Nets in lanes: what a step records is summed in float64, and lanes know nothing of each other."""

import numpy as np
import pytest

from fastnn_kernels._lanes.lanes import LANES
from tests.kernels.cases import DTYPES, made
from tests.tolerances import error

# By the reference the record is judged as float32, of which each loss is made: a sum in float32 would pass there.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ["moons", "sums", "deep"])
def test_the_record_is_summed_in_float64(shape, dtype):
    spec, args = made("narrow_many", dtype, shape)
    given = dict(zip(spec.kernel.operands, args, strict=True))
    given["rates"][:] = 0  # the weights are those of the beginning, and all steps record the same
    record, _, _, _, loss, correct, *_ = spec.run(spec.kernel.serial, args)
    losses, weight = loss.astype(np.float64), given["loss_weight"].astype(np.float64)
    penalties = _penalties(given)
    want = penalties + weight @ losses, losses.sum(axis=0), correct.sum(axis=0, dtype=np.float64), penalties
    for step in record.reshape(-1, 4, LANES):
        assert error(step, np.stack(want), len(losses)) <= 1


def _penalties(given):
    """½ · λ · Σ w² over the weights, in float64"""
    total, parameters = 0.0, given["parameters"].astype(np.float64)
    for (inputs, units, _, at, stride, *_), strength in zip(given["geometry"], given["l2"], strict=True):
        w = parameters[at : at + inputs * stride].reshape(inputs, stride, LANES)[:, :units]
        total = total + 0.5 * strength.astype(np.float64) * (w**2).sum(axis=(0, 1))
    return total


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_net_has_the_same_bits_in_every_lane(dtype):
    spec, args = made("narrow_many", dtype, "sums")
    turned = list(args)
    for name in ("parameters", "rates", "l2"):
        number = spec.kernel.operands.index(name)
        turned[number] = np.roll(args[number], 1, axis=1)
    got, want = spec.run(spec.kernel.serial, tuple(turned)), spec.run(spec.kernel.serial, args)
    for name, g, w in zip(spec.kernel.operands, got, want, strict=False):
        if name in ("record", "parameters", "loss", "correct"):
            lines = len(w), -1, LANES
            np.testing.assert_array_equal(g.reshape(lines), np.roll(w.reshape(lines), 1, axis=2), err_msg=name)
