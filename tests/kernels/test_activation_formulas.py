"""Activations against PyTorch, against central differences, and where a careless formula loses its digits."""

import numpy as np
import pytest

import fastnn_kernels as kernels
from tests.kernels.cases import DTYPES

NAMES = list(kernels.ACTIVATIONS)


def forward(name, x):
    x = np.atleast_2d(x)
    out = np.empty_like(x)
    getattr(kernels, f"{name}_forward").serial(out, x, x.shape[1])
    return out


def slopes(name, x):
    x = np.atleast_2d(x)
    dx = np.empty_like(x)
    getattr(kernels, f"{name}_backward").serial(dx, np.ones_like(x), x, forward(name, x), x.shape[1])
    return dx


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_central_difference(name):
    x = np.random.default_rng(0).uniform(-6, 6, (5, 13))
    x[np.abs(x) < 0.01] = 0.5  # away from kinks
    h = 1e-5
    want = (forward(name, x + h) - forward(name, x - h)) / (2 * h)
    assert np.abs(slopes(name, x) - want).max() < 1e-9


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_slope_needs_x_just_where_its_row_says_so(name, dtype):
    """Layers give y in place of x where it does not."""
    x = np.array([[-30, -2, -1e-30, -0.0, 0, 1e-30, 0.3, 2, 30, np.nan]], dtype)
    y = forward(name, x)
    dx, other = np.empty_like(x), np.empty_like(x)
    backward = getattr(kernels, f"{name}_backward").serial
    backward(dx, np.ones_like(x), x, y, x.shape[1])
    backward(other, np.ones_like(x), y, y, x.shape[1])
    assert np.array_equal(dx, other, equal_nan=True) != kernels.ACTIVATIONS[name].reads_x


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).normal(0, 4, (5, 13))
    tensor = torch.tensor(x, requires_grad=True)
    out = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    out = out(tensor)
    out.sum().backward()
    assert np.abs(forward(name, x) - out.detach().numpy()).max() < 1e-10
    assert np.abs(slopes(name, x) - tensor.grad.numpy()).max() < 1e-10


@pytest.mark.parametrize("dtype", DTYPES)
def test_small_results_keep_their_digits(dtype):
    eps = np.finfo(dtype).eps
    tiny = -(10.0 ** np.linspace(-30, -1, 100)).astype(dtype)
    far = np.linspace(-80, -10, 100).astype(dtype)
    for name, x, want in (
        ("elu", tiny, np.expm1(tiny.astype(float))),
        ("softplus", far, np.log1p(np.exp(far.astype(np.longdouble)))),
        ("silu", far, far / (1 + np.exp(-far.astype(np.longdouble)))),
    ):
        assert np.abs(forward(name, x)[0] / want - 1).max() < 4 * eps, name


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_arguments_neither_overflow_nor_lose_the_limit(dtype):
    x = np.array([-1e30, -1e4, 1e4, 1e30], dtype)
    for name in ("softplus", "elu", "gelu", "silu"):
        floor = -1 if name == "elu" else 0
        np.testing.assert_array_equal(forward(name, x)[0], np.where(x > 0, x, dtype(floor)))
        np.testing.assert_array_equal(slopes(name, x)[0], (x > 0).astype(dtype))
