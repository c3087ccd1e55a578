"""Causal convolutions: what comes out at a step depends on no later one, and is what NumPy computes."""

import numpy as np
import pytest

import fastnn as fn

SHAPES = [(9, 2, 3, 1), (9, 2, 3, 2), (8, 3, 3, 4), (2, 3, 5, 1), (1, 1, 4, 2), (7, 1, 1, 3), (33, 5, 2, 3)]


def net(length, channels, size, stride, dtype="float64"):
    layers = [fn.Conv1D(4, size, "tanh", stride, "causal", bias_initializer="normal"), fn.Flatten(), fn.Dense(3)]
    return fn.Sequential(layers, input_shape=(length, channels), dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("length", "channels", "size", "stride"), SHAPES)
def test_as_numpy_computes_it(length, channels, size, stride, dtype):
    model, x = net(length, channels, size, stride, dtype), np.random.default_rng(0).normal(size=(4, length, channels))
    got = model.outputs_of("conv1d", x.astype(dtype))
    w, b = (model.parameters[f"conv1d.{name}"].astype(np.float64) for name in "wb")
    padded = np.concatenate([np.zeros((4, size - 1, channels)), x], axis=1)
    windows = [padded[:, at : at + size] for at in range(0, length, stride)]
    want = np.stack([np.tanh(np.einsum("nkc,kcf->nf", one, w) + b) for one in windows], axis=1)
    assert got.shape == (4, -(-length // stride), 4)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 if dtype == "float32" else 1e-13)


def test_no_step_depends_on_a_later_one():
    layers = [fn.Conv1D(5, 3, "relu", padding="causal"), fn.LayerNorm(), fn.Conv1D(2, 4, padding="causal")]
    model = fn.Sequential([*layers, fn.Flatten(), fn.Dense(2)], input_shape=(12, 3))
    x = np.random.default_rng(0).normal(size=(3, 12, 3)).astype(np.float32)
    changed = x.copy()
    changed[:, 7:] += 1
    before, after = (model.outputs_of("conv1d_1", one) for one in (x, changed))
    np.testing.assert_array_equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] != after[:, 7:]).any(axis=2).all()


def test_what_else_takes_it(tmp_path):
    model = net(9, 2, 3, 2)
    model.save(tmp_path / "model.h5")
    x = np.random.default_rng(0).normal(size=(4, 9, 2))
    np.testing.assert_array_equal(fn.load(tmp_path / "model.h5").predict(x), model.predict(x))
    with pytest.raises(ValueError, match=r"^Conv2D: padding is 'causal', expected \"same\" .* or \"valid\" \(no padd"):
        fn.Conv2D(4, 3, padding="causal")
    with pytest.raises(ValueError, match=r"^MaxPool1D: padding is 'causal'"):
        fn.MaxPool1D(4, padding="causal")
    with pytest.raises(
        ValueError, match=r"^Conv1D: padding is 'full', .*, \"valid\" .* or \"causal\" \(all padding bef"
    ):
        fn.Conv1D(4, 3, padding="full")
