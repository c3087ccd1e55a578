"""Steps of one sample of a narrow net: one kernel takes many of them, with the bits of steps one by one."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.source import checked_batch
from fastnn.nn import narrow, narrow_sgd
from fastnn.training.passes.runner import Runner
from fastnn.training.steps import sample_steps
from fastnn.training.steps.compile import compile_train
from tests.tiny import bits, two_threads

SAMPLES = 41
NETS = {
    "scalar": ((2,), [fn.Dense(3, "sigmoid"), fn.Dense(2)], fn.SoftmaxCrossEntropy()),
    "sums": ((5,), [fn.Dense(7, "gelu"), fn.Dense(17, "tanh"), fn.Dense(7)], fn.SoftmaxCrossEntropy("sum")),
    "no bias": ((3,), [fn.Dense(32, "relu", use_bias=False), fn.Dense(4, "elu")], fn.SoftmaxCrossEntropy()),
    "flat": ((2, 3), [fn.Flatten(), fn.Dense(3, "silu")], fn.SoftmaxCrossEntropy()),
    "few units": ((5,), [fn.Dense(6, "gelu"), fn.Dense(2, use_bias=False)], fn.SoftmaxCrossEntropy("sum")),
    "one unit": ((1,), [fn.Dense(1, "relu", use_bias=False), fn.Dense(2)], fn.SoftmaxCrossEntropy()),
    "linear": ((3,), [fn.Dense(4), fn.Flatten(), fn.Dense(2)], fn.SoftmaxCrossEntropy()),
    "active scores": ((3,), [fn.Dense(4, "tanh"), fn.Dense(2, "tanh")], fn.SoftmaxCrossEntropy()),
}


def made(net, dtype="float32"):
    shape, layers, loss = NETS[net]
    model = fn.Sequential(layers, input_shape=shape, loss=loss, dtype=dtype, seed=3)
    rng = np.random.default_rng(1)
    return model, rng.normal(size=(SAMPLES, *shape)), rng.integers(0, model.network.output_width, SAMPLES)


def rates(steps):
    return 0.2 / (1 + np.arange(steps)[:, None])


def stepped(net, dtype, fused, limits):
    """What a pass leaves whose calls take at most so many steps, in turn."""
    model, x, y = made(net, dtype)
    runner = Runner(compile_train(model.network, model.state, 1, fn.SGD(), shuffle=True, fused=fused))
    runner.start(checked_batch(model.network, x, y), order_key=np.arange(10, dtype=np.uint64))
    done, table = 0, rates(SAMPLES)
    while done < SAMPLES:
        done += runner.advance(limits[done % len(limits)], lambda steps: table[runner.steps_done :][:steps])
    outputs = {name: array.tolist() for name, array in runner.layer_outputs().items()}
    return bits(model.parameters), runner.losses.tolist(), runner.metrics(), outputs, runner.step.block


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("net", NETS)
def test_the_bits_of_steps_one_by_one(net, dtype, monkeypatch):
    monkeypatch.setattr(sample_steps, "AT_ONCE", 16)
    *want, block = stepped(net, dtype, False, [None])
    assert block == 1
    for limits in ([None], [1, 7, 20]):
        *got, block = stepped(net, dtype, True, limits)
        assert block == 16
        assert got == want


def trained(epochs=3, **fit):
    model, x, y = made("scalar", "float64")
    model.fit(x, y, optimizer=fn.SGD(fn.ExponentialDecay(0.1, 0.99)), batch_size=1, epochs=epochs, verbose=False, **fit)
    figures = [{name: epoch[name] for name in ("loss", "accuracy", "lr")} for epoch in model.history.epochs]
    return bits(model.parameters), model.history.steps["loss"], figures


@pytest.mark.parametrize("at_once", [1, 13, 128])
def test_trainings_have_the_same_bits_however_epochs_are_cut(at_once, monkeypatch):
    want = trained(callbacks=[fn.GradientNorms(5)])  # reads gradients, which the kernel does not keep
    monkeypatch.setattr(sample_steps, "AT_ONCE", at_once)
    assert trained() == want
    _, x, y = made("scalar", "float64")
    assert trained(validation_data=(x, y)) == want  # epochs one by one


@two_threads
def test_the_same_bits_on_two_threads():
    with fn.threads(1):
        want = trained()
    with fn.threads(2):
        assert trained() == want


def test_which_kernel_takes_the_steps():
    def taken(*layers):
        model = fn.Sequential(layers, input_shape=(4,))
        return narrow_sgd.kernel_of(narrow.layout_of(model.network, model.state.parameters).geometry).name

    assert taken(fn.Dense(6, "gelu"), fn.Dense(2)) == "narrow_sgd_two"
    assert taken(fn.Dense(1, use_bias=False), fn.Flatten(), fn.Dense(2)) == "narrow_sgd_two"
    for others in (
        (fn.Dense(2),),
        (fn.Dense(7), fn.Dense(2)),
        (fn.Dense(6), fn.Dense(3)),
        (fn.Dense(6), fn.Dense(2, "tanh")),
        (fn.Dense(6), fn.Dense(2), fn.Dense(2)),
    ):
        assert taken(*others) == "narrow_sgd"


class OwnSGD(fn.SGD):
    pass


def test_which_trainings_it_takes():
    def taken(*layers, optimizer=None, **network):
        network = fn.Sequential(layers or [fn.Dense(3)], input_shape=(4,), **network).network
        return narrow_sgd.fits(network, optimizer or fn.SGD(0.1))

    assert taken()
    assert taken(fn.Dense(32, "gelu"), fn.Dense(7))
    assert not taken(fn.Dense(8))
    assert not taken(fn.Dense(33), fn.Dense(3))
    assert not taken(l2=0.1)
    assert not taken(fn.Dense(3, max_norm=1.0))
    assert not taken(fn.Dense(4, freeze=True), fn.Dense(3))
    assert not taken(loss=fn.SoftmaxCrossEntropy(label_smoothing=0.1))
    assert not taken(loss="mse")
    assert not taken(metrics=["top_2"])
    for optimizer in (fn.SGD(0.1, momentum=0.5), fn.SGD(0.1, clip_norm=1.0), fn.Adam(), OwnSGD(0.1)):
        assert not taken(optimizer=optimizer)


def test_sample_weights_are_for_the_general_steps():
    weights = np.linspace(0, 2, SAMPLES)
    assert trained(sample_weight=weights)[0] != trained()[0]


def test_the_first_nan_is_found_in_the_layer_and_the_step_where_it_appears():
    model, x, y = made("no bias")
    model.parameters["dense.w"][...] = 2
    x[:], x[17] = 0, 3e38
    with pytest.raises(fn.NonFiniteError, match=r"step 18 of 41 .*dense: scores, written by matmul"):
        model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=1, shuffle=False, verbose=False)
    assert len(model.history.steps["loss"]) == 17
