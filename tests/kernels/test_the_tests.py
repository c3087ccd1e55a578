"""The comparison with the reference finds planted errors: each of these kernels is wrong in one small way."""

import dataclasses

import numpy as np
import pytest

from fastnn_kernels import reference
from tests.kernels.cases import DTYPES, made
from tests.tolerances import check, error


def drop_last_row(out, x, w):
    reference.matmul(out[:-1], x[:-1], w)


def drop_last_term(out, x, w):
    reference.matmul(out, x[:, : len(w) - 1], w[:-1])


def one_weight_off(out, x, w):
    w = w.copy()
    w[-1, 3] *= 1 + 1e-3
    reference.matmul(out, x, w)


def write_into_padding(out, x, w):
    reference.matmul(out, x, w)
    out[0, -1] = 1


def turn_nan_into_zero(out, x, w):
    reference.matmul(out, x, w)
    out[np.isnan(out)] = 0


def half_precision(out, x, w):
    narrow = {np.dtype(np.float32): np.float16, np.dtype(np.float64): np.float32}[x.dtype]
    out[:] = x[:, : len(w)].astype(narrow) @ w.astype(narrow)


def half_the_gradient(loss, correct, dx, x, labels, loss_weight, n):
    reference.softmax_cross_entropy(loss, correct, dx, x, labels, loss_weight, n)
    dx[-1] /= 2


def last_of_equals(loss, correct, dx, x, labels, loss_weight, n):
    reference.softmax_cross_entropy(loss, correct, dx, x, labels, loss_weight, n)
    correct[:] = x[:, :n][:, ::-1].argmax(axis=1) == n - 1 - labels


def last_write_wins(dw, dout, starts, positions, C, n, first):
    rows = np.repeat(np.arange(len(dw)), np.diff(starts))
    dw[:] = 0
    dw[rows, :n] = dout[:, first : first + C * n].reshape(-1, n)[positions]


def unstable_sort(starts, positions, ids):
    reference.group_by_row(starts, positions, ids)
    positions[starts[0] : starts[1]] = positions[starts[0] : starts[1]][::-1].copy()


def forget_momentum(w, velocity, dw, scalars):
    velocity *= 0
    reference.momentum_update(w, velocity, dw, scalars)


WRONG = [
    ("matmul", "7x13x11", drop_last_row),
    ("matmul", "7x13x11", drop_last_term),
    ("matmul", "7x13x11", one_weight_off),
    ("matmul", "7x13x11", write_into_padding),
    ("matmul", "7x13x11", turn_nan_into_zero),
    ("matmul", "7x13x11", half_precision),
    ("softmax_cross_entropy", "13x33", half_the_gradient),
    ("softmax_cross_entropy", "13x33", last_of_equals),
    ("embedding_backward", "5x3x7x5", last_write_wins),
    ("group_by_row", "5x3x7x5", unstable_sort),
    ("momentum_update", "17", forget_momentum),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "shape", "wrong"), WRONG, ids=[w[2].__name__ for w in WRONG])
def test_wrong_kernel_is_found(name, shape, wrong, dtype):
    spec, args = made(name, dtype, shape)
    if wrong is turn_nan_into_zero:
        args[1][0, 0] = np.nan
    terms = spec.terms(spec.shapes[shape])
    check(spec.run(spec.reference, args), spec.want(args), terms, "right")
    with pytest.raises(AssertionError, match="times the tolerance"):
        check(spec.run(wrong, args), spec.want(args), terms, "wrong")


def test_shape_and_number_of_outputs_count():
    with pytest.raises(AssertionError, match="got shape"):
        error(np.zeros(3), np.zeros((1, 3)), 1)
    with pytest.raises(ValueError, match="zip"):
        check([np.zeros(3)], [], 1, "one output too many")


def test_infinity_of_the_other_sign_is_an_error():
    assert error(np.array([np.inf]), np.array([-np.inf]), 1) == np.inf
    assert error(np.array([np.inf, np.nan]), np.array([np.inf, np.nan]), 1) == 0


def test_a_wrong_reference_is_found_too():
    spec, args = made("sum_forward", np.float64, "7x13x11")
    wrong = dataclasses.replace(spec, reference=lambda out, x, C, n: reference.sum_forward(out, x[:, n:], C - 1, n))
    assert error(spec.run(spec.kernel.serial, args)[0], wrong.want(args)[0], 13) > 1
