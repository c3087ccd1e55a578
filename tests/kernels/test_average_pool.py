"""Average pooling: padding that does not count, windows that overlap; against PyTorch; few channels as many."""

import numpy as np
import pytest

from fastnn_kernels import average_pool2d_backward, average_pool2d_forward, mean_backward, mean_forward
from fastnn_kernels.registry.windows import geometry


def pooled(x, g):
    """The means of images x (B, H, W, C), as (B, H_out, W_out, C)."""
    out = np.zeros((len(x), g[9:].prod()), x.dtype)
    average_pool2d_forward.serial(out, x.reshape(len(x), -1), g)
    return out.reshape(len(x), *g[9:])


def spread(dout, g):
    """The gradient of the images, (B, H, W, C)."""
    dx = np.full((len(dout), g[:3].prod()), 7, dout.dtype)
    average_pool2d_backward.serial(dx, dout.reshape(len(dout), -1), g)
    return dx.reshape(len(dout), *g[:3])


def test_padding_does_not_count():
    g = geometry(3, 3, 1, 2, 2, 2, 2, "same", 1)
    assert pooled(np.arange(9.0).reshape(1, 3, 3, 1), g).ravel().tolist() == [2, 3.5, 6.5, 8]
    dx = spread(np.array([4.0, 2, 20, 100]).reshape(1, 2, 2, 1), g)
    assert dx[0, ..., 0].tolist() == [[1, 1, 1], [1, 1, 1], [10, 10, 100]]


def test_windows_that_overlap_add_and_gaps_stay_zero():
    g = geometry(1, 6, 1, 1, 2, 1, 1, "valid", 1)
    assert spread(np.array([2.0, 4, 8, 16, 32]).reshape(1, 1, 5, 1), g).ravel().tolist() == [1, 3, 6, 12, 24, 16]
    g = geometry(1, 6, 1, 1, 2, 1, 4, "valid", 1)
    assert spread(np.array([2.0, 6]).reshape(1, 1, 2, 1), g).ravel().tolist() == [1, 1, 0, 0, 3, 3]


CASES = [(7, 5, 3, 2, 2, 2, 2), (7, 9, 2, 3, 2, 2, 3), (6, 6, 9, 3, 3, 1, 1), (9, 11, 17, 2, 7, 1, 2)]


@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradient_are_pytorchs(case):
    torch = pytest.importorskip("torch")
    H, W, C, KH, KW, SH, SW = case
    g, rng = geometry(*case, "valid", C), np.random.default_rng(0)
    x, dout = rng.normal(size=(2, H, W, C)), rng.normal(size=(2, *g[9:]))
    image = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
    want = torch.nn.functional.avg_pool2d(image, (KH, KW), (SH, SW))
    want.backward(torch.tensor(dout.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(pooled(x, g), want.detach().permute(0, 2, 3, 1).numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(spread(dout, g), image.grad.permute(0, 2, 3, 1).numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_channels_have_the_bits_of_many(dtype, padding):
    few, rng = 4, np.random.default_rng(0)
    x = rng.normal(size=(2, 7, 9, 4 * few)).astype(dtype)
    many = pooled(x, geometry(7, 9, 4 * few, 3, 6, 2, 1, padding, 4 * few))
    for first in range(0, 4 * few, few):
        part = np.ascontiguousarray(x[..., first : first + few])
        got = pooled(part, geometry(7, 9, few, 3, 6, 2, 1, padding, few))
        assert np.array_equal(got, many[..., first : first + few])


@pytest.mark.parametrize("positions", [1, 3, 4, 9])
def test_the_mean_of_positions_is_that_of_one_window(positions):
    x = np.random.default_rng(0).normal(size=(3, positions, 16))
    out, dx = np.zeros((3, 16)), np.zeros((3, positions * 16))
    mean_forward.serial(out, x.reshape(3, -1), positions, 16)
    g = geometry(1, positions, 16, 1, positions, 1, 1, "valid", 16)
    assert np.array_equal(out, pooled(x.reshape(3, 1, positions, 16), g).reshape(3, 16))
    mean_backward.serial(dx, out, positions, 16)
    assert np.array_equal(dx, spread(out.reshape(3, 1, 1, 16), g).reshape(3, -1))
