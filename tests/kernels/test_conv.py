"""Convolutions: against PyTorch, and each gradient against central differences of the forward pass."""

import numpy as np
import pytest

from fastnn_kernels import conv2d_backward_w, conv2d_backward_x, conv2d_few_backward_w, conv2d_forward, flip_filters
from fastnn_kernels.registry import REGISTRY
from fastnn_kernels.registry.inputs import normal, padded
from fastnn_kernels.registry.windows import geometry
from tests.kernels.cases import made, shapes

SHAPES = [name for name in shapes(REGISTRY["conv2d_forward"]) if not name.startswith("0x")]
SMALL = ["2x5x7x1x3x3x2x2xsamex5", "2x1x1x3x5x5x1x1xsamex2", "1x7x7x2x1x2x4x3xvalidx33", "2x9x8x3x5x4x2x3xsamex17"]


def image(rows, H, W, C):
    return rows[:, : H * W * C].reshape(len(rows), H, W, C)


def gradients(dout, x, w, geometry):
    """dx and dw, by the two backward kernels."""
    _, _, C, KH, KW, *_, n = geometry.tolist()
    dx, dw, flipped = np.zeros_like(x), np.zeros_like(w), padded(x.dtype, KH * KW * n, C, 0)
    flip_filters.serial(flipped, w, geometry)
    conv2d_backward_x.serial(dx, dout, flipped, geometry)
    conv2d_backward_w.serial(dw, x, dout, geometry)
    return dx, dw


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_gradients_are_pytorchs(shape):
    torch = pytest.importorskip("torch")
    _, (out, x, w, g) = made("conv2d_forward", np.float64, shape)
    H, W, C, KH, KW, SH, SW, top, left, H_out, W_out, n = g.tolist()
    conv2d_forward.serial(out, x, w, g)
    dout = padded(np.float64, len(x), H_out * W_out * n, np.random.default_rng(1).standard_normal(H_out * W_out * n))
    dx, dw = gradients(dout, x, w, g)

    image_t = torch.tensor(image(x, H, W, C).transpose(0, 3, 1, 2), requires_grad=True)
    w_t = torch.tensor(w[:, :n].reshape(KH, KW, C, n).transpose(3, 2, 0, 1), requires_grad=True)
    below, right = (H_out - 1) * SH + KH - H - top, (W_out - 1) * SW + KW - W - left
    around = torch.nn.functional.pad(image_t, (left, max(0, right), top, max(0, below)))
    want = torch.nn.functional.conv2d(around, w_t, stride=(SH, SW))
    want.backward(torch.tensor(image(dout, H_out, W_out, n).transpose(0, 3, 1, 2)))

    for got, expected in (
        (image(out, H_out, W_out, n), want.detach().permute(0, 2, 3, 1)),
        (image(dx, H, W, C), image_t.grad.permute(0, 2, 3, 1)),
        (dw[:, :n], w_t.grad.permute(2, 3, 1, 0).reshape(len(w), n)),
    ):
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", SMALL)
def test_gradients_are_central_differences(shape):
    _, (out, x, w, g) = made("conv2d_forward", np.float64, shape)
    dout = padded(np.float64, len(x), g[9:].prod(), np.random.default_rng(1).standard_normal(g[9:].prod()))

    def loss():
        conv2d_forward.serial(out, x, w, g)
        return np.sum(out * dout)

    for values, got in zip((x, w), gradients(dout, x, w, g), strict=True):
        for at in range(0, values.size, max(1, values.size // 40)):
            kept = values.flat[at]
            values.flat[at] = kept + 0.5
            above = loss()
            values.flat[at] = kept - 0.5
            want = above - loss()  # the loss is linear in each number: no step is too large
            values.flat[at] = kept
            is_padding = at % values.shape[1] >= (g[11] if values is w else g[:3].prod())
            assert got.flat[at] == pytest.approx(0 if is_padding else want, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("filters", [5, 64, 400])
@pytest.mark.parametrize("kernel", [conv2d_backward_w, conv2d_few_backward_w])
def test_a_gradient_of_many_taps_is_that_of_each_part(kernel, filters, dtype):
    """360 taps are one block or several, by the bytes of their rows."""
    g = geometry(5, 6, 40, 3, 3, 1, 1, "valid", filters)
    rng = np.random.default_rng(filters)
    x, dout = normal(rng, dtype, 3, g[:3].prod()), normal(rng, dtype, 3, g[9:].prod())
    whole, shared, parts = (padded(dtype, 360, filters, 7) for _ in range(3))
    kernel.serial(whole, x, dout, g)
    kernel.parallel(shared, x, dout, g)
    for first in range(0, 360, 50):
        kernel.serial(parts[first : first + 50], x, dout, g, first)
    np.testing.assert_array_equal(shared, whole)
    np.testing.assert_array_equal(parts, whole)


def test_one_pixel_by_hand():
    """A 3 by 3 window over a single one writes the window backwards."""
    g = np.array([5, 5, 1, 3, 3, 1, 1, 1, 1, 5, 5, 1])
    x, w, out = np.zeros((1, 25)), np.arange(9.0).reshape(9, 1), np.zeros((1, 25))
    x[0, 2 * 5 + 2] = 1
    conv2d_forward.serial(out, x, w, g)
    assert out.reshape(5, 5)[1:4, 1:4].tolist() == [[8, 7, 6], [5, 4, 3], [2, 1, 0]]
    assert out.sum() == 36


@pytest.mark.parametrize("name", ["conv2d_forward", "conv2d_backward_x", "max_pool2d_forward"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_is_the_same_alone_and_in_a_batch(name, dtype):
    special = {"max_pool2d_forward": "3x7x5x17x3x3x1x1xsame"}
    spec, args = made(name, dtype, special.get(name, "3x7x11x3x3x5x1x1xsamex5"))
    batch = {i for i, a in enumerate(args) if np.ndim(a) == 2 and len(a) == 3}
    whole = spec.run(spec.kernel.parallel, args)
    for i in range(3):
        alone = spec.run(spec.kernel.serial, tuple(a[i : i + 1] if k in batch else a for k, a in enumerate(args)))
        for got, want in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(got, want[i : i + 1])
