"""Settings that are NumPy's numbers: trained, saved, written into checkpoints and loaded as Python's are."""

import json
from dataclasses import fields

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.config import config_of
from fastnn.nn.initializers import INITIALIZERS
from fastnn.nn.layers import LAYERS
from fastnn.nn.losses import LOSSES
from fastnn.nn.optimizers import OPTIMIZERS
from fastnn.nn.schedules import SCHEDULES
from tests.tiny import bits, fit, tiny_model

FORMS = {
    "scalars": lambda value: np.int64(value) if isinstance(value, int) else np.float64(value),
    "arrays ()": np.array,
}


def numpys(form, value):
    """`value`, every number in it NumPy's."""
    if isinstance(value, tuple):
        return tuple(numpys(form, item) for item in value)
    return form(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def again(form, described):
    """The same description, made from NumPy's numbers."""
    given = {item.name: getattr(described, item.name) for item in fields(described) if item.init}
    return type(described)(**{name: numpys(form, value) for name, value in given.items()})


DESCRIBED = [
    fn.Dense(8, l1=0.5, max_norm=2.0),
    fn.Conv2D(8, 3, stride=2),
    fn.Conv2D(8, (3, 2)),
    fn.MaxPool2D((2, 3), 2),
    fn.Embedding(7, 3, l2=0.25),
    fn.Dropout(rate=0.25),
    fn.BatchNorm(0.5, 0.25),
    fn.LayerNorm(0.5),
    fn.Activation("relu"),
    fn.Flatten(),
    fn.Sum(),
    *(make() for make in INITIALIZERS.values()),
    *(loss() for loss in LOSSES.values()),
    *(schedule(0.5) for schedule in SCHEDULES.values()),
]


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@pytest.mark.parametrize("described", DESCRIBED, ids=repr)
def test_descriptions(described, form):
    got = again(form, described)
    assert repr(got) == repr(described)
    if hasattr(got, "config"):
        assert json.dumps(got.config()) == json.dumps(described.config())


@pytest.mark.parametrize("kinds", [LAYERS, LOSSES, SCHEDULES])
def test_each_kind_keeps_the_rule(kinds):
    for kind in kinds.values():
        assert issubclass(kind, fn.layers.Layer.__mro__[1]), kind


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, form):
    kind = OPTIMIZERS[name]
    settings = {key: value for key, value in kind(0.5, clip_norm=2.0, clip_value=3.0).config().items() if key != "name"}
    got = kind(**{key: numpys(form, value) for key, value in settings.items()})
    assert repr(got) == repr(kind(**settings))
    got.lr, got.clip_norm = form(0.25), form(4.0)
    assert json.dumps(got.config()) == json.dumps(kind(**settings | {"lr": 0.25, "clip_norm": 4.0}).config())


def image_model(number, ratio):
    normal = fn.initializers.Normal(ratio(0.125))
    layers = [
        fn.Conv2D(number(4), number(3), initializer=normal),
        fn.MaxPool2D((number(2), 2)),
        fn.Flatten(),
        fn.Dense(number(6), l2=ratio(0.25), max_norm=ratio(2)),
        fn.Dropout(rate=ratio(0.25)),
        fn.Dense(number(3)),
    ]
    shape = (number(4), 4, 1)
    return fn.Sequential(layers, input_shape=shape, seed=number(3), l1=ratio(0.125), loss=fn.Huber(delta=ratio(2)))


class Figures(fn.Callback):
    """Puts a user's own figures into the logs, and keeps a state."""

    def __init__(self, ratio):
        self.ratio = ratio

    def on_epoch_end(self, run):
        run.logs |= {"f1": self.ratio(1 / run.epoch), "right": np.True_, "by_class": np.arange(3) * run.epoch}

    def state_dict(self):
        return {"count": np.int64(3), "mean": np.array(0.5), "both": [np.float32(1), None]}


def trained(path, number, ratio, epochs, resume=False):
    model = image_model(number, ratio)
    model.meta = {"size": number(3), "threshold": ratio(0.5), np.int64(7): (ratio(0.25),), "edges": np.arange(2)}
    x = np.random.default_rng(0).normal(size=(12, 4, 4, 1))
    watching = [
        Figures(ratio),
        fn.EarlyStopping("f1", number(2), min_delta=ratio(0.0), max_gap=None),
        fn.ReduceOnPlateau("f1", ratio(0.5), number(1), min_lr=ratio(0.125)),
        fn.TimeLimit(ratio(1000)),
        fn.Checkpoint(path, resume=resume),
    ]
    opt = fn.SGD(fn.StepDecay(ratio(0.5), every=number(2)).lr, momentum=ratio(0.5), clip_norm=ratio(8))
    settings = {"batch_size": number(5), "epochs": number(epochs), "validation_split": ratio(0.25), "verbose": False}
    model.fit(x, np.zeros((12, 3)), optimizer=opt, callbacks=watching, **settings)
    return model


@pytest.mark.parametrize("number", [np.int8, np.uint16, np.array])
def test_trained_saved_resumed_and_loaded(tmp_path, number):
    ratio = np.array if number is np.array else np.float32
    want = trained(tmp_path / "python.h5", int, float, 3)
    trained(tmp_path / "numpy.h5", number, ratio, 2)
    got = trained(tmp_path / "numpy.h5", number, ratio, 3, resume=True)
    assert bits(got.parameters) == bits(want.parameters)
    got.save(tmp_path / "model.h5")
    for path in ("model.h5", "numpy.h5"):
        loaded = fn.load(tmp_path / path)
        assert bits(loaded.parameters) == bits(want.parameters)
        assert config_of(loaded.network) == config_of(want.network)
        assert loaded.meta == {"size": 3, "threshold": 0.5, "7": [0.25], "edges": [0, 1]}


def test_figures_of_a_history_come_back_as_plain_numbers(tmp_path):
    def watching(resume):
        return [Figures(np.float32), fn.Checkpoint(tmp_path / "c.h5", resume=resume)]

    fit(tiny_model(), epochs=2, callbacks=watching(False))
    history = fit(tiny_model(), epochs=2, callbacks=watching(True)).history
    assert history["f1"] == [1.0, 0.5]
    assert [type(value) for value in history["f1"]] == [float, float]
    assert history["right"] == [True, True]
    assert history["by_class"] == [[0, 1, 2], [0, 2, 4]]


@pytest.mark.parametrize(
    ("meta", "said"),
    [({"a": {1, 2}}, r"\{1, 2\} \(set\)"), ({"a": [b"x"]}, r"b'x' \(bytes\)"), ({(1, 2): 3}, "keys must be")],
)
def test_what_cannot_be_saved_is_named(tmp_path, meta, said):
    model = tiny_model()
    model.meta = meta
    with pytest.raises(TypeError, match=f"the model's description or meta holds what cannot be saved: {said}"):
        model.save(tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_saved_is_named(tmp_path):
    class Odd(fn.Callback):
        def on_epoch_end(self, run):
            run.logs["odd"] = {1, 2}

    with pytest.raises(TypeError, match=r"training/history/epochs holds what cannot be saved: \{1, 2\} \(set\)"):
        fit(tiny_model(), callbacks=[Odd(), fn.Checkpoint(tmp_path / "c.h5")])
