"""Updates and penalties against their definitions, and worked numbers."""

import numpy as np
import pytest

import fastnn_kernels as kernels
from fastnn_kernels._lanes.sums import CHUNK, chunks
from fastnn_kernels.registry.inputs import padded
from tests.kernels.cases import DTYPES, made

LR, DECAY, BETA1, BETA2, EPS, WEIGHT_DECAY = 1e-2, 0.99, 0.9, 0.999, 1e-8, 0.1


def test_momentum_example():
    w, g, v = np.linspace(-0.4, 0.6, 20), np.linspace(-0.6, 0.4, 20), np.linspace(0.6, 0.9, 20)
    kernels.momentum_update.serial(w, v, g, np.array([1e-3, 0.9]))
    want = [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789]
    np.testing.assert_allclose(w[:5], want, rtol=0, atol=1e-7)
    assert abs(v[19] - 0.8096) < 1e-7


def scalars(name, t):
    """The scalars that a kernel gets at step t = 1, 2, …"""
    adam = [LR / (1 - BETA1**t), 1 - BETA1, 1 - BETA2, 1 / np.sqrt(1 - BETA2**t), EPS]
    return {
        "rmsprop_update": [LR, 1 - DECAY, EPS],
        "adagrad_update": [LR, EPS],
        "adam_update": adam,
        "adamw_update": [*adam, LR * WEIGHT_DECAY],
    }[name]


def defined(name, w, state, g, t):
    """The next parameters and state, by the definition."""
    if name == "rmsprop_update":
        c = DECAY * state[0] + (1 - DECAY) * g**2
        return w - LR * g / (np.sqrt(c) + EPS), [c]
    if name == "adagrad_update":
        c = state[0] + g**2
        return w - LR * g / (np.sqrt(c) + EPS), [c]
    m, v = BETA1 * state[0] + (1 - BETA1) * g, BETA2 * state[1] + (1 - BETA2) * g**2
    step = LR * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + EPS)
    decay = LR * WEIGHT_DECAY * w if name == "adamw_update" else 0
    return w - decay - step, [m, v]


STATES = {"rmsprop_update": 1, "adagrad_update": 1, "adam_update": 2, "adamw_update": 2}


def ten_steps(name, dtype):
    """(parameters, state) by the kernel and by the definition, on the same gradients."""
    rng = np.random.default_rng(0)
    want = rng.standard_normal(23)
    want_state = [np.zeros(23) for _ in range(STATES[name])]
    w, *state = (a.astype(dtype) for a in (want, *want_state))
    for t in range(1, 11):
        g = rng.standard_normal(23) * 10.0 ** rng.integers(-6, 3, 23)
        getattr(kernels, name).serial(w, *state, g.astype(dtype), np.array(scalars(name, t), dtype))
        want, want_state = defined(name, want, want_state, g, t)
    return (w, *state), (want, *want_state)


@pytest.mark.parametrize("name", STATES)
def test_ten_steps_follow_the_definition(name):
    for got, want in zip(*ten_steps(name, np.float64), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", STATES)
def test_float32_keeps_its_digits(name):
    for got, want in zip(*ten_steps(name, np.float32), strict=True):
        np.testing.assert_allclose(got, want, rtol=5e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["adam_update", "adamw_update"])
def test_adam_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    w, m, v = rng.standard_normal(11), np.zeros(11), np.zeros(11)
    tensor = torch.nn.Parameter(torch.tensor(w))
    if name == "adam_update":
        optimizer = torch.optim.Adam([tensor], lr=LR)
    else:
        optimizer = torch.optim.AdamW([tensor], lr=LR, weight_decay=WEIGHT_DECAY)
    for t in range(1, 11):
        g = rng.standard_normal(11)
        tensor.grad = torch.tensor(g)
        optimizer.step()
        getattr(kernels, name).serial(w, m, v, g, np.array(scalars(name, t)))
    np.testing.assert_allclose(w, tensor.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", STATES)
def test_tiny_state_becomes_zero_and_a_parameter_without_gradient_stays(name, dtype):
    spec, args = made(name, dtype, "64")
    assert all(args[1 + s][0] != 0 for s in range(STATES[name]))
    w, *state = spec.run(spec.kernel.serial, args)
    assert all(s[0] == 0 for s in state)
    assert np.isfinite(w).all()
    if name != "adamw_update":
        assert w[0] == args[0][0]


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 1])
def test_penalty_gradients_belong_to_their_values(size):
    w = np.random.default_rng(2).standard_normal(size)
    strength, cursor, partial, h = np.array([0.3]), np.array([0, 1, 0, 0]), np.empty(chunks(size)), 1e-4
    at = np.arange(0, size, 997)
    for value, gradient in ((kernels.penalty_l1, kernels.add_l1), (kernels.penalty_l2, kernels.add_l2)):
        dw, losses = np.zeros(size), np.zeros((2, 2))
        gradient.serial(dw, w, strength)
        for sign, out in zip((1, -1), losses, strict=True):
            moved = w.copy()
            moved[at] += sign * h * np.sign(w[at])
            value.serial(out, partial, cursor, moved, strength)
        want = np.sum(dw[at] * np.sign(w[at]))
        assert abs((losses[0, 1] - losses[1, 1]) / (2 * h) - want) < 1e-6 * max(1, abs(want))
        assert losses[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_clipping_by_norm_ends_at_the_bound_and_leaves_smaller_norms(dtype):
    for factor in (0.5, 2.0):
        dw = np.random.default_rng(3).standard_normal(CHUNK + 3).astype(dtype)
        before, norm2 = dw.copy(), np.empty(1)
        kernels.sum_of_squares.serial(norm2, np.empty(2), dw)
        bound = np.array([factor * np.sqrt(norm2[0])], dtype)
        kernels.clip_by_global_norm.serial(dw, norm2, bound)
        if factor > 1:
            np.testing.assert_array_equal(dw, before)
        else:
            np.testing.assert_allclose(np.linalg.norm(dw.astype(float)), bound[0], rtol=1e-6)
    zero = np.zeros(3, dtype)
    kernels.clip_by_global_norm.serial(zero, np.zeros(1), np.ones(1, dtype))
    assert not zero.any()


def test_max_norm_bounds_each_column_and_no_other():
    w = np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]])
    kernels.max_norm_columns.serial(w, np.array([1.0]))
    np.testing.assert_allclose(w, [[0.6, 0.3, 0], [0.8, 0.4, 0]], rtol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (7, 31), (13, 48), (100, 300)])
def test_an_outer_update_has_the_bits_of_a_product_and_an_update(shape, twin, dtype):
    rng = np.random.default_rng(0)
    w, x, dout = (padded(dtype, *size, rng.standard_normal(size)) for size in (shape, (1, shape[0]), (1, shape[1])))
    x[0, ::3], rate = 0, np.array([0.15], dtype)
    want, dw = w.copy(), np.empty_like(w)
    kernels.matmul_xt.serial(dw, x, dout)
    kernels.sgd_update.serial(want.reshape(-1), dw.reshape(-1), rate)
    kernels.sgd_outer_update.twin(twin)(w, x, dout, rate)
    assert w.tobytes() == want.tobytes()
