"""Fifty random nets that branch: beside PyTorch, beside central differences, and the same bits in every way to run."""

import numpy as np
import pytest

import fastnn as fn
from tests.branching import drawn
from tests.tiny import THREADS, jit_only

# Any activation may stand before the softmax of a drawn net.
pytestmark = pytest.mark.filterwarnings("ignore:.* gives no class a probability above")

CLOSE, LIMIT, STEPS = 1e-5, 1e-7, 10
SEEDS = range(50)
OPTIMIZERS = {
    "sgd": (lambda: fn.SGD(0.05), lambda p: torch().optim.SGD(p, 0.05)),
    "momentum": (lambda: fn.SGD(0.02, momentum=0.8), lambda p: torch().optim.SGD(p, 0.02, momentum=0.8)),
    "adam": (lambda: fn.Adam(0.01), lambda p: torch().optim.Adam(p, 0.01)),
    "adamw": (lambda: fn.AdamW(0.01, weight_decay=0.1), lambda p: torch().optim.AdamW(p, 0.01, weight_decay=0.1)),
}
NAMES = list(OPTIMIZERS)


def torch():
    return pytest.importorskip("torch")


def their_values(network, p, data):
    """Every value of the network, computed by PyTorch from parameters `p` by name."""
    t, values = torch(), dict(data)
    functional = t.nn.functional
    for call in network.calls:
        layer, x = call.layer, values[call.inputs[0]]
        own = {short: p[name] for short, name in network.uses_of(call).items()}
        if isinstance(layer, fn.Add):
            out = sum(values[name] for name in call.inputs)
        elif isinstance(layer, fn.Concatenate):
            out = t.cat([values[name] for name in call.inputs], -1)
        elif isinstance(layer, fn.Embedding):
            out = own["w"][x]
        elif isinstance(layer, fn.Columns):
            begins = np.cumsum([0, *layer.categories.values()])
            vectors = [own["w"][x[:, c].long() + begin] for c, begin in zip(layer.categories, begins, strict=False)]
            out = t.cat([x[:, layer.numbers], *vectors], -1)
        elif isinstance(layer, fn.Dense):
            out = activation(layer.activation)(x @ (own["w"].T if layer.tied_to else own["w"]) + own["b"])
        elif isinstance(layer, fn.LayerNorm):
            out = functional.layer_norm(x, x.shape[-1:], own["gamma"], own["beta"], layer.eps)
        elif isinstance(layer, fn.Activation):
            out = activation(layer.activation)(x)
        else:
            out = x.sum(1) if isinstance(layer, fn.Sum) else x.flatten(1)
        values[call.name] = out
    return values


def activation(name):
    t = torch()
    return {"identity": lambda x: x, "tanh": t.tanh, "sigmoid": t.sigmoid}.get(name) or getattr(t.nn.functional, name)


def their_loss(network, values, targets):
    functional = torch().nn.functional
    kinds = {"softmax_cross_entropy": functional.cross_entropy, "mse": functional.mse_loss}
    return sum(
        output.weight * kinds[output.loss.name](values[output.value], targets[output.name])
        for output in network.outputs
    )


@jit_only
@pytest.mark.parametrize("seed", SEEDS)
def test_ten_steps_beside_pytorch(seed):
    t = torch()
    model, x, y = drawn(seed)
    ours, theirs = OPTIMIZERS[NAMES[seed % 4]]
    p = {
        name: t.tensor(array, requires_grad=name not in model.network.frozen)
        for name, array in model.parameters.items()
    }
    optimizer = theirs([one for one in p.values() if one.requires_grad])
    data, targets = ({name: t.tensor(array) for name, array in arrays.items()} for arrays in (x, y))
    want = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = their_loss(model.network, their_values(model.network, p, data), targets)
        loss.backward()
        optimizer.step()
        want.append(loss.item())
    model.fit(x, y, optimizer=ours(), batch_size=None, epochs=STEPS, verbose=False)
    np.testing.assert_allclose(model.history.steps["loss"], want, rtol=CLOSE)
    for name, array in p.items():
        np.testing.assert_allclose(model.parameters[name], array.detach().numpy(), rtol=CLOSE, atol=CLOSE, err_msg=name)
    values = their_values(model.network, p, data)
    got = model.predict(x, logits=True)
    for output in model.network.outputs:
        scores = got[output.name] if isinstance(got, dict) else got
        np.testing.assert_allclose(scores, values[output.value].detach().numpy(), rtol=CLOSE, atol=CLOSE)


@jit_only
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_those_of_central_differences(seed):
    model, x, y = drawn(seed, l2=0.01)
    errors = fn.check_gradients(model, x, y, entries=12)
    assert set(errors) == set(model.parameters) - model.network.frozen
    assert max(errors.values()) <= LIMIT


def trained(seed, threads=1, epochs=4, path=None, stop=None, **fit):
    model, x, y = drawn(seed, l2=0.01)
    callbacks = [*fit.pop("callbacks", ()), *([fn.Checkpoint(path, resume=True)] if path else ())]
    ours, _ = OPTIMIZERS[NAMES[seed % 4]]
    with fn.threads(threads):
        model.fit(x, y, optimizer=ours(), batch_size=4, epochs=stop or epochs, callbacks=callbacks, verbose=False)
    return model.parameters.flat.copy()


@jit_only
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_bits_fused_or_not_on_any_number_of_threads_and_after_a_resume(seed, tmp_path):
    want = trained(seed)
    np.testing.assert_array_equal(trained(seed, callbacks=[fn.GradientNorms(1)]), want, "gradients kept")
    np.testing.assert_array_equal(trained(seed, min(THREADS, 2)), want, "threads")
    trained(seed, path=tmp_path / "half.h5", stop=2)
    np.testing.assert_array_equal(trained(seed, path=tmp_path / "half.h5", epochs=4), want, "resumed")


@pytest.mark.parametrize("seed", range(0, 50, 7))
def test_saved_and_loaded(seed, tmp_path):
    model, x, y = drawn(seed)
    model.fit(x, y, optimizer=fn.Adam(0.01), epochs=1, verbose=False)
    model.save(tmp_path / "model.h5")
    loaded = fn.load(tmp_path / "model.h5")
    assert type(loaded) is type(model)
    assert loaded.summary() == model.summary()
    want, got = model.predict(x), loaded.predict(x)
    for name in want if isinstance(want, dict) else ():
        np.testing.assert_array_equal(got[name], want[name])
    assert loaded.evaluate(x, y) == model.evaluate(x, y)
