"""The net in plain Python: its worked numbers, and three ways to compute it that must agree to 1e-12."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.recipes.scalar import plain_net, points
from fastnn_kernels import reference
from tests.tiny import jit_only

NAMES = {"W": "dense.w", "b": "dense.b", "V": "dense_1.w", "c": "dense_1.b"}
LR = 0.3  # large, so that 200 steps go far


def example():
    """The net of the worked example, after a forward and a backward pass of its one point."""
    net = plain_net.ScalarNet(points.EXAMPLE_W, points.EXAMPLE_V)
    net.forward(points.EXAMPLE_X)
    net.backward(points.EXAMPLE_TARGET)
    return net


def random_net(seed, inputs=2, hidden=3, outputs=2):
    rng = np.random.default_rng(seed)
    net = plain_net.ScalarNet(rng.normal(size=(inputs, hidden)).tolist(), rng.normal(size=(hidden, outputs)).tolist())
    net.b, net.c = rng.normal(size=hidden).tolist(), rng.normal(size=outputs).tolist()
    return net


def random_samples(count, seed, inputs=2, outputs=2):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 2, (count, inputs)), rng.integers(0, outputs, count)


def numbers(net, prefix=""):
    """Parameters of the plain-Python net (or gradients, prefix "d") under the names of the model."""
    return {name: np.array(getattr(net, prefix + short)) for short, name in NAMES.items()}


def reference_gradients(p, x, label):
    """Loss and gradients of one sample, from the NumPy references alone."""
    x, one = np.array([x]), np.ones(1)
    a, z = np.empty((1, len(p["dense.b"]))), np.empty((1, len(p["dense_1.b"])))
    h, dz, dh, da = np.empty_like(a), np.empty_like(z), np.empty_like(a), np.empty_like(a)
    g, vt = {name: np.empty_like(value) for name, value in p.items()}, np.empty(p["dense_1.w"].shape[::-1])
    loss, correct = np.empty(1), np.empty(1)
    reference.matmul(a, x, p["dense.w"])
    reference.bias_forward(a, p["dense.b"])
    reference.sigmoid_forward(h, a, a.shape[1])
    reference.matmul(z, h, p["dense_1.w"])
    reference.bias_forward(z, p["dense_1.b"])
    reference.softmax_cross_entropy(loss, correct, dz, z, np.array([label]), one, z.shape[1])
    reference.matmul_xt(g["dense_1.w"], h, dz)
    reference.bias_backward(g["dense_1.b"], dz)
    reference.transpose(vt, p["dense_1.w"])
    reference.matmul_wt(dh, dz, vt)
    reference.sigmoid_backward(da, dh, a, h, a.shape[1])
    reference.matmul_xt(g["dense.w"], x, da)
    reference.bias_backward(g["dense.b"], da)
    return loss[0], g


def assert_agree(got, want, context):
    assert got.keys() == want.keys()
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=0, atol=1e-12, err_msg=f"{name} {context}")


def test_forward_of_the_worked_example():
    net = example()
    assert net.a == [2, 2, 2]
    np.testing.assert_allclose(net.h, [0.8807970] * 3, rtol=0, atol=1e-7)  # printed cut off: .88079708
    np.testing.assert_allclose(net.z, [-0.8807970] * 2, rtol=0, atol=1e-7)
    assert net.y == [0.5, 0.5]
    assert abs(net.loss(points.EXAMPLE_TARGET) - 0.693147) < 5e-7


def test_gradients_of_the_worked_example():
    net = example()
    np.testing.assert_allclose(net.dV, [[-0.4403985, 0.4403985]] * 3, rtol=0, atol=5e-8)
    assert net.dc == [-0.5, 0.5]
    assert not np.any(net.dW)
    assert not np.any(net.db)


def test_worked_example_by_the_model_and_by_the_references():
    net = example()
    loss, gradients = points.as_model(net=net).loss_and_gradients([points.EXAMPLE_X], [0])
    want_loss, want = reference_gradients(numbers(net), points.EXAMPLE_X, 0)
    assert abs(loss - net.loss(points.EXAMPLE_TARGET)) < 1e-12
    assert abs(loss - want_loss) < 1e-12
    assert_agree(gradients, numbers(net, "d"), "model and loops")
    assert_agree(gradients, want, "model and reference")


@pytest.mark.parametrize("sizes", [(2, 3, 2), (5, 4, 3), (1, 1, 2)], ids=str)
def test_gradients_of_random_nets_agree(sizes):
    inputs, _, outputs = sizes
    for seed in range(5):
        net = random_net(seed, *sizes)
        (x,), (label,) = random_samples(1, seed, inputs, outputs)
        target = plain_net.one_hot(label, outputs)
        net.forward(x)
        net.backward(target)
        loss, gradients = points.as_model(net=net).loss_and_gradients([x], [label])
        want_loss, want = reference_gradients(numbers(net), x, label)
        assert max(abs(loss - net.loss(target)), abs(loss - want_loss)) < 1e-12
        assert_agree(gradients, numbers(net, "d"), f"model and loops, seed {seed}")
        assert_agree(gradients, want, f"model and reference, seed {seed}")


def test_two_hundred_steps_agree():
    net, (x, y) = random_net(0), random_samples(200, seed=1)
    model, p = points.as_model(net=net), numbers(net)
    before = numbers(net)
    history = model.fit(x, y, optimizer=fn.SGD(LR), batch_size=1, shuffle=False, verbose=False)
    losses = plain_net.train_epoch(net, x.tolist(), y.tolist(), LR)
    want_losses = []
    for point, label in zip(x, y, strict=True):
        loss, g = reference_gradients(p, point, label)
        want_losses.append(loss)
        for name in p:
            reference.sgd_update(p[name].reshape(-1), g[name].reshape(-1), np.array([LR]))
    np.testing.assert_allclose(losses, want_losses, rtol=0, atol=1e-12)
    assert abs(history.epochs[0]["loss"] - np.mean(losses)) < 1e-12
    assert_agree(dict(model.parameters), numbers(net), "model and loops")
    assert_agree(numbers(net), p, "loops and reference")
    assert all(np.abs(before[name] - p[name]).max() > 0.1 for name in p), "hardly moved: agreement says little"


def test_gradients_are_those_of_central_differences():
    net, target, step = random_net(3), [0.3, 0.7], 1e-5
    x = [0.4, -1.1]

    def loss():
        net.forward(x)
        return net.loss(target)

    loss()
    net.backward(target)
    for rows, gradients in [(net.W, net.dW), (net.V, net.dV), ([net.b], [net.db]), ([net.c], [net.dc])]:
        for row, gradient in zip(rows, gradients, strict=True):
            for j, value in enumerate(row):
                row[j] = value + step
                above = loss()
                row[j] = value - step
                slope = (above - loss()) / (2 * step)
                row[j] = value
                assert abs(slope - gradient[j]) < 1e-9


def test_a_short_run_lowers_the_loss():
    x, y = (array.tolist() for array in points.ellipse_points(300))
    net = plain_net.ScalarNet()
    before = plain_net.evaluate(net, x, y)
    losses = [np.mean(plain_net.train_epoch(net, x, y)) for _ in range(5)]
    after = plain_net.evaluate(net, x, y)
    assert after["loss"] < 0.5 * before["loss"]
    assert losses[-1] < losses[0]
    assert after["accuracy"] > before["accuracy"]


def test_evaluate_is_that_of_the_model():
    x, y = points.ellipse_points(100)
    got, want = plain_net.evaluate(random_net(0), x, y), points.as_model(net=random_net(0)).evaluate(x, y)
    assert got["accuracy"] == want["accuracy"]
    assert abs(got["loss"] - want["loss"]) < 1e-12


def test_extreme_numbers_stay_finite():
    assert [plain_net.sigmoid(a) for a in (-1e4, 0.0, 1e4)] == [0, 0.5, 1]
    assert plain_net.softmax([-1e4, 1e4, 1e4]) == [0, 0.5, 0.5]
    net = plain_net.ScalarNet([[1e4] * 3] * 2, [[-1e4, 1e4]] * 3)
    assert net.forward([1.0, 1.0]) == [0, 1]
    assert net.loss([1.0, 0.0]) == 6e4
    net.backward([1.0, 0.0])
    assert net.dc == [-1, 1]


def test_lengths_that_do_not_fit_are_refused():
    net = example()
    with pytest.raises(ValueError, match="x holds 3 numbers, expected 2"):
        net.forward([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="zip"):
        net.backward([1.0])


def test_points_are_inside_or_outside_and_depend_on_the_seed_alone():
    x, y = points.ellipse_points(5000, seed=3)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((5000, 2), np.float64, (5000,), np.int64)
    assert (y == ((x[:, 0] / 1.75) ** 2 + x[:, 1] ** 2 < 1)).all()
    assert np.abs(x).max() <= 2.5
    assert abs(y.mean() - np.pi * 1.75 / 25) < 0.02
    assert (points.ellipse_points(5000, seed=3)[0] == x).all()
    assert (points.ellipse_points(5000, seed=4)[0] != x).any()
    with pytest.raises(ValueError, match="count"):
        points.ellipse_points(-1)


@jit_only
def test_the_model_separates_sixty_thousand_points():
    x, y = points.ellipse_points()
    model = points.as_model()
    history = model.fit(x, y, optimizer=fn.SGD(0.01), batch_size=1, epochs=30, verbose=False)
    assert history.epochs[-1]["loss"] < 0.2 * history.epochs[0]["loss"]
    assert model.evaluate(x, y)["accuracy"] >= 0.98
    assert model.evaluate(*points.ellipse_points(10_000, seed=1))["accuracy"] >= 0.98
