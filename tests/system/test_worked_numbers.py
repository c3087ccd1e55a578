"""Numbers worked out elsewhere, through the public functions: an affine layer, and ten steps of adaptive optimizers."""

import numpy as np
import pytest

import fastnn as fn
from fastnn import ops
from tests.tiny import dense_model

STEPS = 10


def test_affine_example():
    x = np.linspace(-0.1, 0.5, 240).reshape(2, 120)
    w, b = np.linspace(-0.2, 0.3, 360).reshape(120, 3), np.linspace(-0.3, 0.1, 3)
    want = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]
    np.testing.assert_allclose(ops.bias_forward(ops.matmul(x, w), b), want, rtol=0, atol=1e-7)
    model = fn.Sequential([fn.Flatten(), fn.Dense(3)], input_shape=(4, 5, 6), dtype="float64")
    model.set_parameters({"dense.w": w, "dense.b": b})
    np.testing.assert_allclose(model.predict(x.reshape(2, 4, 5, 6), logits=True), want, rtol=0, atol=1e-7)


def rmsprop(w, state, g, t):
    """c = d·c + (1 − d)·g²;  w −= lr·g / (√c + eps)"""
    c = 0.99 * state["mean_square"] + (1 - 0.99) * g**2
    return w - 0.01 * g / (np.sqrt(c) + 1e-8), {"mean_square": c}


def adagrad(w, state, g, t):
    """c += g²;  w −= lr·g / (√c + eps)"""
    c = state["sum_square"] + g**2
    return w - 0.01 * g / (np.sqrt(c) + 1e-8), {"sum_square": c}


def adam(w, state, g, t):
    """m, v: running means of g and g², divided by 1 − βᵗ;  w −= lr·m̂ / (√v̂ + eps)"""
    m, v = 0.9 * state["m"] + (1 - 0.9) * g, 0.999 * state["v"] + (1 - 0.999) * g**2
    mean, square = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return w - 0.01 * mean / (np.sqrt(square) + 1e-8), {"m": m, "v": v}


# The optimizers' own defaults are the constants of the definitions; only the rate is given.
RULES = {"rmsprop": (fn.RMSProp, rmsprop), "adagrad": (fn.AdaGrad, adagrad), "adam": (fn.Adam, adam)}


def zeros(opt, params):
    return {name: {part: np.zeros(w.shape) for part in opt.state_names} for name, w in params.items()}


def apply(rule, params, state, grads, t):
    """One step by the definition, of every parameter; writes both dicts."""
    for name, w in params.items():
        params[name], state[name] = rule(w, state[name], grads[name], t)


def assert_same(params, state, want, want_state):
    for name, w in want.items():
        np.testing.assert_allclose(params[name], w, rtol=1e-12, atol=1e-12, err_msg=name)
        for part, value in want_state[name].items():
            np.testing.assert_allclose(state[name][part], value, rtol=1e-12, atol=1e-14, err_msg=f"{name} {part}")


@pytest.mark.parametrize("name", RULES)
def test_ten_calls_of_step_follow_the_definition(name):
    opt, rule = RULES[name][0](0.01), RULES[name][1]
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(4, 5)), "b": rng.normal(size=7)}
    want, want_state = {key: w.copy() for key, w in params.items()}, zeros(opt, params)
    for t in range(1, STEPS + 1):
        grads = {key: rng.normal(size=w.shape) * 10.0 ** rng.integers(-5, 3, w.shape) for key, w in params.items()}
        opt.step(params, grads)
        apply(rule, want, want_state, grads, t)
    assert_same(params, opt.state, want, want_state)


@pytest.mark.parametrize("name", RULES)
def test_ten_steps_of_training_follow_the_definition(name):
    opt, rule = RULES[name][0](0.01), RULES[name][1]
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2 * STEPS, 5)), rng.integers(0, 3, 2 * STEPS)
    model, by_hand = dense_model(dtype="float64"), dense_model(dtype="float64")
    model.fit(x, y, optimizer=opt, batch_size=2, shuffle=False, verbose=False)
    want = by_hand.parameters.copy()
    want_state = zeros(opt, want)
    for t in range(1, STEPS + 1):
        _, grads = by_hand.loss_and_gradients(x[2 * t - 2 : 2 * t], y[2 * t - 2 : 2 * t])
        apply(rule, want, want_state, grads, t)
        by_hand.set_parameters(want)
    assert opt.iteration == STEPS
    assert_same(model.parameters, opt.state, want, want_state)
