"""Max pooling: the first of equals, NaN, windows that overlap; against PyTorch; central differences."""

import numpy as np
import pytest

from fastnn_kernels import max_pool2d_backward, max_pool2d_forward
from fastnn_kernels.registry.windows import geometry


def pooled(x, g):
    """out and argmax, each (B, H_out·W_out·C)."""
    x = x.reshape(len(x), -1)
    out, argmax = np.zeros((len(x), g[9:].prod()), x.dtype), np.zeros((len(x), g[9:].prod()), np.int32)
    max_pool2d_forward.serial(out, argmax, x, g)
    return out, argmax


def test_the_first_of_equals_in_row_major_order():
    g = geometry(2, 4, 1, 2, 2, 2, 2, "valid", 1)
    x = np.array([[[0, 5, 3, 3], [5, 5, 3, 3]]], np.float64)
    out, argmax = pooled(x, g)
    assert out.tolist() == [[5, 3]]
    assert argmax.tolist() == [[1, 2]]
    _, argmax = pooled(np.full((1, 2, 4), -np.inf), g)
    assert argmax.tolist() == [[0, 2]]


def test_the_first_nan_wins():
    g = geometry(2, 2, 1, 2, 2, 2, 2, "valid", 1)
    for values, first in (([1, np.nan, np.nan, np.inf], 1), ([np.nan, 2, 3, 4], 0), ([np.inf, 2, 3, np.nan], 3)):
        out, argmax = pooled(np.array([values]), g)
        assert np.isnan(out[0, 0])
        assert argmax[0, 0] == first


def test_padding_is_never_the_largest():
    g = geometry(3, 3, 2, 2, 2, 2, 2, "same", 2)
    out, argmax = pooled(np.arange(-18.0, 0).reshape(1, 3, 3, 2), g)
    assert out.tolist() == [[-10, -9, -8, -7, -4, -3, -2, -1]]
    assert argmax.tolist() == [[8, 9, 10, 11, 14, 15, 16, 17]]


def test_windows_that_overlap_add():
    g = geometry(1, 5, 1, 1, 3, 1, 1, "valid", 1)
    _, argmax = pooled(np.array([[0, 1, 9, 1, 0]], np.float64), g)
    dx = np.full((1, 5), 7.0)
    max_pool2d_backward.serial(dx, np.array([[1.0, 10, 100]]), argmax, 3)
    assert dx.tolist() == [[0, 0, 111, 0, 0]]


CASES = [(7, 5, 3, 2, 2, 2, 2), (7, 9, 2, 3, 2, 2, 3), (6, 6, 4, 3, 3, 1, 1)]


def distinct(H, W, C):
    """Values that differ by at least 1: no ties, and no kink within a small step."""
    return np.random.default_rng(0).permutation(np.arange(2.0 * H * W * C)).reshape(2, -1)


@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradient_are_pytorchs(case):
    torch = pytest.importorskip("torch")
    H, W, C, KH, KW, SH, SW = case
    g = geometry(*case, "valid", C)
    x, H_out, W_out = distinct(H, W, C), *g[9:11]
    out, argmax = pooled(x, g)
    dout, dx = np.random.default_rng(1).standard_normal(out.shape), np.zeros_like(x)
    max_pool2d_backward.serial(dx, dout, argmax, out.shape[1])
    image = torch.tensor(x.reshape(2, H, W, C).transpose(0, 3, 1, 2), requires_grad=True)
    want = torch.nn.functional.max_pool2d(image, (KH, KW), (SH, SW))
    want.backward(torch.tensor(dout.reshape(2, H_out, W_out, C).transpose(0, 3, 1, 2)))
    np.testing.assert_array_equal(out.reshape(2, H_out, W_out, C), want.detach().permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(dx.reshape(2, H, W, C), image.grad.permute(0, 2, 3, 1).numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("window", [(2, 2, 2, 2), (3, 3, 2, 2), (3, 3, 1, 1), (1, 2, 1, 2)])
def test_few_channels_have_the_bits_of_many(window, dtype):
    """NaN and equals too, where lanes of one window go on into the next one's."""
    rng, few = np.random.default_rng(0), 5
    x = rng.integers(-3, 3, size=(2, 9, 12, 4 * few)).astype(dtype)
    x[rng.random(x.shape) < 0.1] = np.nan
    many, of_many = pooled(x, geometry(9, 12, 4 * few, *window, "same", 4 * few))
    for first in range(0, 4 * few, few):
        part = np.ascontiguousarray(x[..., first : first + few])
        out, argmax = pooled(part, geometry(9, 12, few, *window, "same", few))
        chosen = slice(first, first + few)
        np.testing.assert_array_equal(out.reshape(-1, few), many.reshape(-1, 4 * few)[:, chosen])
        pixels, channels = np.divmod(of_many.reshape(-1, 4 * few)[:, chosen], 4 * few)
        np.testing.assert_array_equal(argmax.reshape(-1, few), pixels * few + channels - first)


@pytest.mark.parametrize("case", CASES)
def test_gradient_is_central_differences(case):
    g = geometry(*case, "same", case[2])
    x = distinct(*case[:3])
    out, argmax = pooled(x, g)
    dout, dx = np.random.default_rng(1).standard_normal(out.shape), np.zeros_like(x)
    max_pool2d_backward.serial(dx, dout, argmax, out.shape[1])
    for at in range(0, x.size, max(1, x.size // 40)):
        step = np.zeros_like(x)
        step.flat[at] = 0.25
        want = np.sum((pooled(x + step, g)[0] - pooled(x - step, g)[0]) * dout) / 0.5
        assert dx.flat[at] == pytest.approx(want, abs=1e-9)
