"""PyTorch: state dicts there and back. `python -m tests.interop.torch_nets --size 100` is the long run."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import dense_model

torch = pytest.importorskip("torch")

from tests.interop import torch_nets
from tests.interop.nets import Doubling

nn = torch.nn


@pytest.mark.parametrize("number", range(12))
def test_random_nets(number):
    difference, lost = torch_nets.check(number)
    assert (difference <= torch_nets.ALLOWED, lost) == (True, [])


@pytest.mark.parametrize("loss", fn.losses.LOSSES)
def test_predictions_of_every_loss(loss):
    model, x = dense_model(loss=loss, dtype="float64"), np.random.default_rng(0).normal(size=(7, 5))
    got = fn.interop.to_torch_module(model).predict(torch.tensor(x))
    np.testing.assert_allclose(got.numpy(), model.predict(x), rtol=1e-12)


def test_a_loss_whose_predictions_nobody_knows():
    with pytest.raises(
        ValueError, match=r"Doubling.emit_predictions makes the predictions of 'dense_1', .* in PyTorch"
    ):
        fn.interop.to_torch_module(dense_model(loss=Doubling()))


def test_a_net_that_a_user_wrote():
    """Its forward is PyTorch's alone: so the order behind a Flatten is what PyTorch's users have."""
    torch.manual_seed(0)
    theirs = nn.Sequential(
        *(nn.Conv2d(3, 4, (3, 5), padding="same"), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.BatchNorm1d(24), nn.Dropout(0.1), nn.Linear(24, 7), nn.GELU(), nn.Linear(7, 3)),
    ).double()
    theirs(torch.rand(8, 3, 5, 7, dtype=torch.float64))  # moves the running statistics
    window = fn.Conv2D(4, (3, 5))
    head = [fn.BatchNorm(eps=1e-5), fn.Dropout(0.1), fn.Dense(7, "gelu"), fn.Dense(3)]
    layers = [window, fn.BatchNorm(eps=1e-5), fn.Activation("relu"), fn.MaxPool2D(2), fn.Flatten(), *head]
    ours = fn.Sequential(layers, input_shape=(5, 7, 3), loss="mse", dtype="float64")
    names = {"conv2d": "0", "batch_norm": "1", "batch_norm_1": "5", "dense": "7", "dense_1": "9"}
    assert fn.interop.from_torch(theirs.state_dict(), ours, names=names) is ours
    x = torch.rand(6, 3, 5, 7, dtype=torch.float64)
    want = theirs.eval()(x).detach().numpy()
    np.testing.assert_allclose(ours.predict(x.movedim(1, -1).numpy()), want, rtol=1e-6, atol=1e-12)
    theirs.load_state_dict(fn.interop.to_torch(ours, names=names), strict=True)
    np.testing.assert_array_equal(theirs(x).detach().numpy(), want)


def test_even_padding_is_left_to_pytorch(monkeypatch):
    """A copy with zeros around it takes longer."""
    pools = [fn.AveragePool2D(3, stride=1, padding="same"), fn.MaxPool2D(5, stride=1, padding="same")]
    layers = [fn.Conv2D(4, (3, 1)), fn.BatchNorm(), *pools, fn.GlobalAveragePool(), fn.Dense(2)]
    model = fn.Sequential(layers, input_shape=(6, 7, 3), loss="mse", dtype="float64")
    monkeypatch.setattr(nn.functional, "pad", None)
    module, x = fn.interop.to_torch_module(model), torch.rand(2, 3, 6, 7, dtype=torch.float64)
    np.testing.assert_allclose(module.predict(x).numpy(), model.predict(x.movedim(1, -1).numpy()), rtol=1e-12)
    assert type(module.batch_norm) is nn.BatchNorm2d


@pytest.mark.parametrize("kind", [fn.GRU, fn.LSTM])
def test_a_recurrent_net_that_a_user_wrote(kind):
    torch.manual_seed(0)
    theirs = getattr(nn, kind.__name__)(4, 5, batch_first=True).double()
    ours = fn.Sequential([kind(5)], input_shape=(6, 4), loss="mse", dtype="float64")
    state = {f"{kind.kind}.{key}": array for key, array in theirs.state_dict().items()}
    fn.interop.from_torch(state, ours)
    again = fn.interop.to_torch(ours)
    assert all(torch.equal(again[key], state[key]) for key in state)
    x = torch.rand(3, 6, 4, dtype=torch.float64)
    want = theirs(x)[0][:, -1].detach().numpy()
    np.testing.assert_allclose(ours.predict(x.numpy()), want, rtol=1e-12)
    np.testing.assert_allclose(fn.interop.to_torch_module(ours).predict(x).numpy(), want, rtol=1e-12)


class LanguageModel(nn.Module):
    """Words to words by one table, as PyTorch's users share it."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 5)
        self.convolution = nn.Conv1d(5, 5, 3, padding=1)
        self.scores = nn.Linear(5, 9)
        self.scores.weight = self.table.weight

    def forward(self, ids):
        return self.scores(self.convolution(self.table(ids).movedim(-1, 1)).mean(-1))


def of_words():
    layers = [fn.Embedding(9, 5, name="table"), fn.Conv1D(5, 3, name="convolution"), fn.GlobalAveragePool()]
    return fn.Sequential([*layers, fn.Dense(9, tied_to="table", name="scores")], input_shape=(4,), loss="mse")


def test_a_table_that_is_shared():
    theirs, ids = LanguageModel(), torch.randint(9, (6, 4))
    ours = fn.interop.from_torch(theirs.state_dict(), of_words())
    np.testing.assert_allclose(ours.predict(ids.numpy()), theirs(ids).detach().numpy(), rtol=1e-5, atol=1e-6)
    apart = theirs.state_dict() | {"scores.weight": torch.zeros(9, 5)}
    with pytest.raises(ValueError, match=r"scores.weight differs from table.w, to which the model ties it"):
        fn.interop.from_torch(apart, of_words())


def test_the_module_trains_but_for_frozen_layers():
    model = fn.Sequential([fn.Dense(4, "tanh", freeze=True), fn.Dense(3)], input_shape=5)
    module = fn.interop.to_torch_module(model)
    nn.functional.cross_entropy(module(torch.ones(2, 5)), torch.tensor([0, 1])).backward()
    trained = {name: parameter.grad is not None for name, parameter in module.named_parameters()}
    assert trained == {"dense.weight": False, "dense.bias": False, "dense_1.weight": True, "dense_1.bias": True}
    with torch.no_grad():
        module.dense.weight.zero_()
    assert np.all(model.parameters["dense.w"] != 0), "they share memory"


def test_tensors_of_other_kinds():
    model = dense_model()
    state = {key: tensor.to(torch.bfloat16) for key, tensor in fn.interop.to_torch(model).items()}
    fn.interop.from_torch(state, model)
    np.testing.assert_array_equal(model.parameters["dense.w"], state["dense.weight"].float().numpy().T)
    fn.interop.from_torch({key: tensor.float().numpy() for key, tensor in state.items()}, model)


def changed(**tensors):
    return {**fn.interop.to_torch(dense_model()), **{key.replace("__", "."): one for key, one in tensors.items()}}


WRONG = [
    (lambda: dense_model(), TypeError, "state_dict is Sequential, expected a dict of tensors by key"),
    (lambda: nn.Linear(2, 2), TypeError, r"state_dict is Linear, .*: give its state_dict\(\)"),
    (dict, ValueError, r"the state dict has no 'dense.weight', expected \(4, 5\) for dense.w"),
    (
        lambda: {"dense.weigth": torch.zeros(4, 5)},
        ValueError,
        r"no 'dense.weight', .*did you mean dense.weigth\?; other names are told by names={layer: name}",
    ),
    (
        lambda: changed(dense__weight=torch.zeros(5, 4)),
        fn.ShapeError,
        r"dense.weight has shape \(5, 4\), expected \(4, 5\) for dense.w",
    ),
    (lambda: changed(other=torch.zeros(1)), ValueError, "the state dict holds 'other', which belongs to no layer"),
    (lambda: changed(dense_1__bias=torch.full((3,), torch.nan)), fn.DataError, r"dense_1.bias\[0\] is nan"),
    (lambda: changed(dense_1__bias="text"), fn.ShapeError, r"dense_1.bias has shape \(\), expected \(3,\)"),
    (lambda: changed(dense_1__bias=["a", "b", "c"]), TypeError, "dense_1.bias has dtype <U1, expected numbers"),
]


@pytest.mark.parametrize(("make", "kind", "message"), WRONG)
def test_what_does_not_fit_changes_nothing(make, kind, message):
    model = dense_model(seed=7)
    before = model.parameters.copy()
    with pytest.raises(kind, match=message):
        fn.interop.from_torch(make(), model)
    for name, array in before.items():
        np.testing.assert_array_equal(model.parameters[name], array)


def test_names_that_cannot_be():
    with pytest.raises(ValueError, match="names has the layer 'densee'; did you mean dense"):
        fn.interop.to_torch(dense_model(), names={"densee": "fc"})
    with pytest.raises(ValueError, match="the name of the layer 'forward' means something else in PyTorch"):
        fn.interop.to_torch_module(fn.Sequential([fn.Dense(3, name="forward")], input_shape=2))


class TestInputs:
    """Of a network with two inputs."""

    def made(self):
        left, right = fn.Input(2, name="left"), fn.Input(4, name="right")
        model = fn.Model([left, right], fn.Dense(3)(fn.Concatenate()(left, right)), dtype="float64")
        return model, fn.interop.to_torch_module(model)

    def test_in_order_or_by_name(self):
        model, module = self.made()
        x = {"left": np.random.default_rng(0).normal(size=(3, 2)), "right": np.ones((3, 4))}
        tensors = {name: torch.tensor(array) for name, array in x.items()}
        want = model.predict(x)
        for given in (tensors.values(), [tensors], [dict(reversed(tensors.items()))]):
            np.testing.assert_allclose(module.predict(*given).numpy(), want, rtol=1e-12)

    def test_others_are_refused(self):
        _, module = self.made()
        x = torch.zeros(3, 2)
        for given, got in (
            ([x], "1 input"),
            ([x, x, x], "3 inputs"),
            ([{"left": x}], "a dict of left"),
            ([{}], "a dict"),
        ):
            with pytest.raises(
                TypeError, match=rf"^got {got}.*, expected left, right: in this order, or a dict of them"
            ):
                module(*given)


@pytest.mark.parametrize("shape", [(9, 3), (6, 7, 3)])
def test_norms_of_positions_between_windows(shape):
    """PyTorch's norm has the features last, its windows have them first."""
    conv = (lambda n: fn.Conv1D(n, 3, "tanh", 2, "causal")) if len(shape) == 2 else (lambda n: fn.Conv2D(n, 3, "tanh"))
    layers = [fn.LayerNorm(), conv(4), fn.LayerNorm(), conv(5), fn.LayerNorm(), fn.Flatten(), fn.Dense(2)]
    model = fn.Sequential(layers, input_shape=shape, loss="mse", dtype="float64")
    rng = np.random.default_rng(0)
    for array in model.parameters.values():
        array[...] += rng.normal(0, 0.3, array.shape)
    x = rng.normal(size=(5, *shape))
    theirs = torch.tensor(x if len(shape) == 2 else np.moveaxis(x, -1, 1))  # no window reads the sequences
    got = fn.interop.to_torch_module(model).predict(theirs)
    np.testing.assert_allclose(got.numpy(), model.predict(x), rtol=1e-9)
    again = fn.interop.from_torch(fn.interop.to_torch(model), fn.Model.of(model.network, dtype="float64", seed=5))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
