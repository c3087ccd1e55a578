"""Losses against PyTorch, against central differences, and their worked cases."""

import numpy as np
import pytest

import fastnn_kernels as kernels

SCALARS = {"mse": 0.5, "huber": 0.7, "softmax_cross_entropy_smooth": 0.1}
LABELLED = ("softmax_cross_entropy", "softmax_cross_entropy_smooth")
NAMES = [*LABELLED, "binary_cross_entropy", "mse", "mae", "huber", "poisson"]


def run(name, x, target, loss_weight=None, rate=None):
    """(loss, correct, dx) of x (B, n) in its dtype."""
    loss, correct = np.empty((2, len(x)), x.dtype)
    dx = np.empty_like(x)
    loss_weight = np.ones(len(x), x.dtype) if loss_weight is None else loss_weight
    rate = SCALARS.get(name) if rate is None else rate
    scalars = () if rate is None else (np.array([rate], x.dtype),)
    getattr(kernels, name).serial(loss, correct, dx, x, target, loss_weight, *scalars, x.shape[1])
    return loss, correct, dx


def case(name, B=7, n=5):
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, (B, n))
    if name in LABELLED:
        return x, rng.integers(0, n, B), rng.random(B)
    makes = {"binary_cross_entropy": rng.random, "poisson": lambda shape: rng.poisson(2.0, shape).astype(float)}
    target = makes.get(name, lambda shape: rng.normal(0, 2, shape))((B, n))
    return x, target, rng.random(B)


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_central_difference(name, n):
    x, target, loss_weight = case(name, n=n)
    dx, h = run(name, x, target, loss_weight)[2], 1e-5
    want = np.empty_like(x)
    for j in range(n):
        step = h * (np.arange(n) == j)
        want[:, j] = loss_weight * (run(name, x + step, target)[0] - run(name, x - step, target)[0]) / (2 * h)
    assert np.abs(dx - want).max() < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    x, target, loss_weight = case(name)
    f = {
        "softmax_cross_entropy": lambda s, t: functional.cross_entropy(s, t, reduction="none"),
        "softmax_cross_entropy_smooth": lambda s, t: functional.cross_entropy(
            s, t, label_smoothing=0.1, reduction="none"
        ),
        "binary_cross_entropy": lambda s, t: functional.binary_cross_entropy_with_logits(s, t, reduction="none"),
        "mse": lambda s, t: 0.5 * functional.mse_loss(s, t, reduction="none"),
        "mae": lambda s, t: functional.l1_loss(s, t, reduction="none"),
        "huber": lambda s, t: functional.huber_loss(s, t, delta=0.7, reduction="none"),
        "poisson": lambda s, t: functional.poisson_nll_loss(s, t, reduction="none") - t + torch.special.xlogy(t, t),
    }[name]
    tensor = torch.tensor(x, requires_grad=True)
    want = f(tensor, torch.tensor(target))
    want = want if want.ndim == 1 else want.mean(dim=1)
    (want * torch.tensor(loss_weight)).sum().backward()
    loss, _, dx = run(name, x, target, loss_weight)
    assert np.abs(loss - want.detach().numpy()).max() < 1e-10
    assert np.abs(dx - tensor.grad.numpy()).max() < 1e-10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 16, 31, 32, 33, 255, 256, 257, 289, 1031])
@np.errstate(all="ignore")  # as compiled code has it
def test_the_loss_without_its_gradient_has_the_same_bits(n, dtype):
    rng = np.random.default_rng(n)
    x = (8 * rng.standard_normal((6, -(-n // 16) * 16))).astype(dtype)
    x[2, n // 2], x[3, n - 1], x[4] = np.nan, np.inf, x[4, 0]  # the last: all scores are the largest
    labels = rng.integers(0, n, 6)
    labels[::2] = x[::2, :n].argmax(axis=1)
    want, got, weights = np.zeros((2, 6), dtype), np.ones((2, 6), dtype), np.ones(6, dtype)
    for name, scalars in (("softmax_cross_entropy", []), ("softmax_cross_entropy_smooth", [np.array([0.1], dtype)])):
        getattr(kernels, name).serial(*want, np.zeros_like(x), x, labels, weights, *scalars, n)
        value = getattr(kernels, f"{name}_value")
        for run in (value.serial, value.parallel):
            run(*got, x, labels, *scalars, n)
            np.testing.assert_array_equal(got, want)
            got[:] = 1


def test_smoothing_of_nothing_is_the_plain_loss():
    x, labels, loss_weight = case("softmax_cross_entropy")
    for got, want in zip(
        run("softmax_cross_entropy_smooth", x, labels, loss_weight, rate=0.0),
        run("softmax_cross_entropy", x, labels, loss_weight),
        strict=True,
    ):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)


def test_a_certain_score_costs_what_is_left_of_certainty():
    x = np.array([[40.0], [-40.0], [800.0], [-800.0]])
    loss, correct, dx = run("binary_cross_entropy", x, (x > 0).astype(float))
    np.testing.assert_allclose(loss[:2], np.exp(-40.0), rtol=1e-15)
    assert loss[2:].tolist() == [0, 0]
    assert correct.all()
    assert np.abs(dx).max() < 1e-15
    assert run("binary_cross_entropy", x, (x < 0).astype(float))[0].tolist() == [40, 40, 800, 800]


def test_which_predictions_count_as_correct():
    nan = np.nan
    x, t = np.array([[0.3], [-2.0], [0.0], [nan]]), np.array([[1.0], [1.0], [1.0], [nan]])
    for name in ("mse", "mae", "huber"):
        assert run(name, x, t)[1].tolist() == [1, 0, 0, 0]  # the signs of one output
        rows = np.array([[1, 3, 3.0], [0, 1, 2], [nan, 1, 2]])
        aims = np.array([[0, 5, 1.0], [0, 5, 1], [nan, 0, 9]])
        assert run(name, rows, aims)[1].tolist() == [1, 0, 0]  # the first of the largest
    fraction = run("binary_cross_entropy", np.array([[1.0, -1, 0, nan]]), np.array([[1.0, 0, 1, 0]]))[1]
    assert fraction.tolist() == [0.5]


def test_half_the_square_and_the_arms_of_huber():
    x, t = np.array([[3.0, 0.0]]), np.array([[1.0, 0.5]])
    assert run("mse", x, t, rate=1.0)[0].tolist() == [(4 + 0.25) / 2]
    assert run("mse", x, t, rate=0.5)[0].tolist() == [(4 + 0.25) / 4]
    loss, _, dx = run("huber", x, t, rate=1.0)
    assert loss.tolist() == [(1.5 + 0.125) / 2]
    assert dx.tolist() == [[0.5, -0.25]]


def test_a_mean_that_is_right_has_no_deviance():
    loss, correct, dx = run("poisson", np.log([[1.0, 4.0], [1e-300, 4.0]]), np.array([[1.0, 4.0], [0.0, 4.0]]))
    np.testing.assert_allclose([loss, dx[:, 0], dx[:, 1]], 0, atol=1e-15)
    assert correct.all()
    assert run("poisson", np.array([[0.0], [np.nan], [0.0]]), np.array([[2.0], [2.0], [0.0]]))[1].tolist() == [1, 0, 0]
