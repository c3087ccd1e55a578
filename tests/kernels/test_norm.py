"""Batch and layer normalisation: against PyTorch, and gradients against central differences."""

import numpy as np
import pytest

from fastnn_kernels import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_infer,
    layer_norm_backward,
    layer_norm_forward,
)
from tests.kernels.cases import made

BATCH = ["3x1x17", "5x3x7", "7x13x11"]
LAYER = ["2x3", "4x17", "13x33"]
MOMENTUM, EPS = 0.9, 1e-3  # what the registry's inputs hold


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def upstream(out):
    return np.random.default_rng(1).standard_normal(out.shape)


def batch_gradients(dout, x, mean, rstd, gamma, P, C):
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    batch_norm_backward.serial(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, P, C)
    return dx, dgamma, dbeta


def layer_gradients(dout, x, mean, rstd, gamma, n):
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    layer_norm_backward.serial(dx, dgamma, dbeta, dout, x, mean, rstd, gamma, n)
    return dx, dgamma, dbeta


@pytest.mark.parametrize("shape", BATCH)
def test_batch_norm_is_pytorchs_and_so_are_its_gradients(shape):
    torch = pytest.importorskip("torch")
    _, args = made("batch_norm_forward", np.float64, shape)
    out, mean, rstd, running_mean, running_var, x, gamma, beta, _, P, C = args
    x_t = torch.tensor(x[:, : P * C].reshape(len(x), P, C).transpose(0, 2, 1), requires_grad=True)
    gamma_t, beta_t = (torch.tensor(v[:C], requires_grad=True) for v in (gamma, beta))
    old = [torch.tensor(v[:C]) for v in (running_mean, running_var)]
    # PyTorch's momentum is the share of the new statistics.
    want = torch.nn.functional.batch_norm(x_t, *old, gamma_t, beta_t, True, 1 - MOMENTUM, EPS)
    batch_norm_forward.serial(*args)
    dout = upstream(out)
    want.backward(torch.tensor(dout[:, : P * C].reshape(len(x), P, C).transpose(0, 2, 1)))
    dx, dgamma, dbeta = batch_gradients(dout, x, mean, rstd, gamma, P, C)

    def flat(t):
        return t.detach().permute(0, 2, 1).reshape(len(x), -1).numpy()

    close(out[:, : P * C], flat(want))
    close(running_mean[:C], old[0].numpy())
    close(running_var[:C], old[1].numpy())
    close(dx[:, : P * C], flat(x_t.grad))
    close(dgamma[:C], gamma_t.grad.numpy())
    close(dbeta[:C], beta_t.grad.numpy())


@pytest.mark.parametrize("shape", BATCH)
def test_batch_norm_for_inference_is_pytorchs(shape):
    torch = pytest.importorskip("torch")
    _, (out, rstd, x, gamma, beta, mean, var, rates, P, C) = made("batch_norm_infer", np.float64, shape)
    batch_norm_infer.serial(out, rstd, x, gamma, beta, mean, var, rates, P, C)
    values = torch.tensor(x[:, : P * C].reshape(-1, C))
    want = torch.nn.functional.batch_norm(values, *(torch.tensor(v[:C]) for v in (mean, var, gamma, beta)), eps=EPS)
    close(out[:, : P * C], want.numpy().reshape(len(x), -1))


@pytest.mark.parametrize("shape", LAYER)
def test_layer_norm_is_pytorchs_and_so_are_its_gradients(shape):
    torch = pytest.importorskip("torch")
    _, args = made("layer_norm_forward", np.float64, shape)
    out, mean, rstd, x, gamma, beta, _, n = args
    x_t, gamma_t, beta_t = (torch.tensor(v[..., :n], requires_grad=True) for v in (x, gamma, beta))
    want = torch.nn.functional.layer_norm(x_t, (n,), gamma_t, beta_t, EPS)
    layer_norm_forward.serial(*args)
    dout = upstream(out)
    want.backward(torch.tensor(dout[:, :n]))
    close(out[:, :n], want.detach().numpy())
    for got, t in zip(layer_gradients(dout, x, mean, rstd, gamma, n), (x_t, gamma_t, beta_t), strict=True):
        close(got[..., :n], t.grad.numpy())


def check_differences(forward, args, out, values, got, width, dout):
    """`got` against central differences of Σ out · dout by each of some `values`."""
    for at in range(0, values.size, max(1, values.size // 30)):
        if at % values.shape[-1] < width:
            kept, step = values.flat[at], 1e-5
            losses = []
            for moved in (kept + step, kept - step):
                values.flat[at] = moved
                forward.serial(*args)
                losses.append(np.sum(out[:, : dout.shape[1]] * dout))
            values.flat[at] = kept
            assert got.flat[at] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6, abs=1e-7)


def test_batch_norm_gradients_are_central_differences():
    _, args = made("batch_norm_forward", np.float64, "7x13x11")
    out, mean, rstd, _, _, x, gamma, beta, _, P, C = args
    batch_norm_forward.serial(*args)
    dout = upstream(out[:, : P * C])
    dx, dgamma, dbeta = batch_gradients(dout, x, mean, rstd, gamma, P, C)
    for values, got, width in ((x, dx, P * C), (gamma, dgamma, C), (beta, dbeta, C)):
        check_differences(batch_norm_forward, args, out, values, got, width, dout)


def test_layer_norm_gradients_are_central_differences():
    _, args = made("layer_norm_forward", np.float64, "4x17")
    out, mean, rstd, x, gamma, beta, _, n = args
    layer_norm_forward.serial(*args)
    dout = upstream(out[:, :n])
    dx, dgamma, dbeta = layer_gradients(dout, x, mean, rstd, gamma, n)
    for values, got in ((x, dx), (gamma, dgamma), (beta, dbeta)):
        check_differences(layer_norm_forward, args, out, values, got, n, dout)


def test_far_from_zero_the_variance_keeps_its_digits():
    """A mean of a hundred thousand spreads: the mean of squares less the square of the mean would lose them all."""
    x = (1e3 + np.random.default_rng(0).standard_normal((64, 1)) * 1e-2).astype(np.float32)
    out, (mean, rstd, old_mean, old_var, gamma, beta) = np.zeros_like(x), np.ones((6, 1), np.float32)
    batch_norm_forward.serial(out, mean, rstd, old_mean, old_var, x, gamma, beta, np.array([0.9, 0], np.float32), 1, 1)
    assert rstd[0] == pytest.approx(1 / x.astype(np.float64).std(), rel=1e-2)
