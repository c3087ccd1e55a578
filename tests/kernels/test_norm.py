"""Batch and layer normalisation: against PyTorch, and gradients against central differences."""

import numpy as np
import pytest

from fastnn_kernels import (
    batch_norm_backward,
    batch_norm_backward_sums,
    batch_norm_forward,
    batch_norm_moments,
    batch_norm_rstd,
    channel_bias_backward,
    layer_norm_backward,
    layer_norm_forward,
)
from fastnn_kernels._lanes.sums import samples_of_a_part
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded
from tests.kernels.cases import DTYPES, made

BATCH = ["3x1x17", "5x3x7", "7x13x11"]
LAYER = ["2x1x3", "4x1x17", "13x1x33", "5x3x15"]
MOMENTUM, EPS = 0.9, 1e-3  # those of the registry's inputs


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def upstream(out):
    return np.random.default_rng(1).standard_normal(out.shape)


class BatchNorm:
    """The kernels of training one after the other, on the registry's inputs of a shape, in float64."""

    def __init__(self, shape):
        _, (self.out, self.x, self.gamma, self.beta, self.mean, self.rstd, *self.sizes) = made(
            "batch_norm_forward", np.float64, shape
        )
        self.running = np.zeros_like(self.mean), np.ones_like(self.mean)

    def forward(self):
        batch_norm_moments.serial(self.mean, self.rstd, *self.running, self.x, np.array([MOMENTUM, EPS]), *self.sizes)
        batch_norm_forward.serial(self.out, self.x, self.gamma, self.beta, self.mean, self.rstd, *self.sizes)

    def gradients(self, dout):
        dgamma, dbeta, *means = (np.zeros_like(self.gamma) for _ in range(4))
        moments = self.mean, self.rstd
        batch_norm_backward_sums.serial(dgamma, dbeta, *means, dout, self.x, *moments, *self.sizes)
        dx = np.zeros_like(self.x)
        batch_norm_backward.serial(dx, dout, self.x, self.gamma, *moments, *means, *self.sizes)
        return dx, dgamma, dbeta


def layer_gradients(dout, x, mean, rstd, gamma, P, C):
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    layer_norm_backward.serial(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, P, C)
    return dx, dgamma, dbeta


@pytest.mark.parametrize("shape", BATCH)
def test_batch_norm_is_pytorchs_and_so_are_its_gradients(shape):
    torch = pytest.importorskip("torch")
    norm = BatchNorm(shape)
    (P, C), B = norm.sizes, len(norm.x)
    x_t = torch.tensor(norm.x[:, : P * C].reshape(B, P, C).transpose(0, 2, 1), requires_grad=True)
    gamma_t, beta_t = (torch.tensor(v[:C], requires_grad=True) for v in (norm.gamma, norm.beta))
    old = [torch.tensor(v[:C]) for v in norm.running]
    # PyTorch's momentum is the fraction of the new statistics.
    want = torch.nn.functional.batch_norm(x_t, *old, gamma_t, beta_t, True, 1 - MOMENTUM, EPS)
    norm.forward()
    dout = upstream(norm.out)
    want.backward(torch.tensor(dout[:, : P * C].reshape(B, P, C).transpose(0, 2, 1)))
    dx, dgamma, dbeta = norm.gradients(dout)

    def flat(t):
        return t.detach().permute(0, 2, 1).reshape(B, -1).numpy()

    close(norm.out[:, : P * C], flat(want))
    close(norm.running[0][:C], old[0].numpy())
    close(norm.running[1][:C], old[1].numpy())
    close(dx[:, : P * C], flat(x_t.grad))
    close(dgamma[:C], gamma_t.grad.numpy())
    close(dbeta[:C], beta_t.grad.numpy())


@pytest.mark.parametrize("shape", BATCH)
def test_batch_norm_for_inference_is_pytorchs(shape):
    torch = pytest.importorskip("torch")
    _, (out, x, gamma, beta, mean, rstd, P, C) = made("batch_norm_forward", np.float64, shape)
    var = np.random.default_rng(2).exponential(size=len(rstd))
    batch_norm_rstd.serial(rstd, var, np.array([MOMENTUM, EPS]), C)
    batch_norm_forward.serial(out, x, gamma, beta, mean, rstd, P, C)
    values = torch.tensor(x[:, : P * C].reshape(-1, C))
    want = torch.nn.functional.batch_norm(values, *(torch.tensor(v[:C]) for v in (mean, var, gamma, beta)), eps=EPS)
    close(out[:, : P * C], want.numpy().reshape(len(x), -1))


@pytest.mark.parametrize("shape", LAYER)
def test_layer_norm_is_pytorchs_and_so_are_its_gradients(shape):
    torch = pytest.importorskip("torch")
    _, args = made("layer_norm_forward", np.float64, shape)
    out, mean, rstd, x, gamma, beta, _, P, C = args
    x_t = torch.tensor(x[:, : P * C].reshape(-1, P, C), requires_grad=True)
    gamma_t, beta_t = (torch.tensor(v[:C], requires_grad=True) for v in (gamma, beta))
    want = torch.nn.functional.layer_norm(x_t, (C,), gamma_t, beta_t, EPS)
    layer_norm_forward.serial(*args)
    dout = upstream(out)
    want.backward(torch.tensor(dout[:, : P * C].reshape(-1, P, C)))
    close(out[:, : P * C], want.detach().numpy().reshape(len(x), -1))
    for got, t in zip(layer_gradients(dout, x, mean, rstd, gamma, P, C), (x_t, gamma_t, beta_t), strict=True):
        own = t.grad.numpy().reshape(*got.shape[:-1], -1)
        close(got[..., : own.shape[-1]], own)


def check_differences(forward, out, values, got, width, dout):
    """`got` against central differences of Σ out · dout by each of some `values`."""
    for at in range(0, values.size, max(1, values.size // 30)):
        if at % values.shape[-1] < width:
            kept, step = values.flat[at], 1e-5
            losses = []
            for moved in (kept + step, kept - step):
                values.flat[at] = moved
                forward()
                losses.append(np.sum(out[:, : dout.shape[1]] * dout))
            values.flat[at] = kept
            assert got.flat[at] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6, abs=1e-7)


def test_batch_norm_gradients_are_central_differences():
    norm = BatchNorm("7x13x11")
    P, C = norm.sizes
    norm.forward()
    dout = upstream(norm.out[:, : P * C])
    dx, dgamma, dbeta = norm.gradients(upstream(norm.out[:, : P * C]))
    for values, got, width in ((norm.x, dx, P * C), (norm.gamma, dgamma, C), (norm.beta, dbeta, C)):
        check_differences(norm.forward, norm.out, values, got, width, dout)


def test_layer_norm_gradients_are_central_differences():
    _, args = made("layer_norm_forward", np.float64, "5x3x15")
    out, mean, rstd, x, gamma, beta, _, P, C = args
    layer_norm_forward.serial(*args)
    dout = upstream(out[:, : P * C])
    dx, dgamma, dbeta = layer_gradients(dout, x, mean, rstd, gamma, P, C)
    for values, got, width in ((x, dx, P * C), (gamma, dgamma, C), (beta, dbeta, C)):
        check_differences(lambda: layer_norm_forward.serial(*args), out, values, got, width, dout)


def test_far_from_zero_the_variance_keeps_its_digits():
    """A mean of a hundred thousand spreads: the mean of squares less the square of the mean would lose them all."""
    x = (1e3 + np.random.default_rng(0).standard_normal((64, 1)) * 1e-2).astype(np.float32)
    mean, rstd, old_mean, old_var = np.ones((4, 1), np.float32)
    batch_norm_moments.serial(mean, rstd, old_mean, old_var, x, np.array([0.9, 0], np.float32), 1, 1)
    assert rstd[0] == pytest.approx(1 / x.astype(np.float64).std(), rel=1e-2)


@pytest.mark.parametrize(("samples", "pixels"), [(50_000, 1), (600, 100), (100, 784)])
def test_sums_of_many_float32_numbers_keep_their_digits(samples, pixels):
    """Nearly equal numbers are rounded in the same direction: a single chain of them is off by 4e-4 and more here.

    Parts of up to 784 terms are off by less than 784 times half of the last bit: 2e-5.
    """
    x = np.full((samples, pixels * 3), 1.4001, np.float32)
    x[::2] *= np.float32(1.1)
    dout = x[::-1].copy()
    mean, rstd, old_mean, old_var = np.zeros((4, 3), np.float32)
    batch_norm_moments.serial(mean, rstd, old_mean, old_var, x, np.zeros(2, np.float32), pixels, 3)
    sums = np.zeros((4, 3), np.float32)
    batch_norm_backward_sums.serial(*sums, dout, x, mean * 0, rstd * 0 + 1, pixels, 3)
    own = np.zeros(3, np.float32)
    channel_bias_backward.serial(own, dout, pixels, 3)
    exact, upstream = (a.astype(np.float64).reshape(-1, 3) for a in (x, dout))
    for got, want in (
        (mean, exact.mean(0)),
        (1 / rstd, exact.std(0)),
        (sums[0], (upstream * exact).sum(0)),
        (sums[1], upstream.sum(0)),
        (own, upstream.sum(0)),
    ):
        np.testing.assert_allclose(got, want, rtol=2e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("samples", "pixels"), [(3, 2), (1_100, 2), (26, 40), (50, 40), (3, 300), (11, 300)])
def test_sums_of_channels_are_added_part_by_part(samples, pixels, dtype):
    """In one order, also where four parts are summed at a time: of float32 images, and of four parts or more."""
    channels, step = 6, samples_of_a_part(pixels)
    dout = normal(np.random.default_rng(samples), dtype, samples, pixels * channels)
    got, want = padded(dtype, 1, channels, GARBAGE)[0], np.zeros(channels, dtype)
    for first in range(0, samples, step):
        part = np.zeros(channels, dtype)
        for row in dout[first : first + step, : pixels * channels].reshape(-1, channels):
            part += row
        want += part
    channel_bias_backward.serial(got, dout, pixels, channels)
    np.testing.assert_array_equal(got[:channels], want)
