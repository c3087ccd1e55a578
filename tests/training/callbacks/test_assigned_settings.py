"""What is assigned to a callback or a record is checked as an argument is, and counts from then on."""

import inspect
from array import array

import numpy as np
import pytest

import fastnn as fn
from fastnn.training import callbacks
from tests.tiny import Scripted, fit, tiny_model

MAKE = {
    "EarlyStopping": fn.EarlyStopping,
    "ReduceOnPlateau": fn.ReduceOnPlateau,
    "TimeLimit": lambda: fn.TimeLimit(1),
    "Checkpoint": lambda: fn.Checkpoint("x"),
    "CSVLogger": lambda: fn.CSVLogger("x"),
    "SaveBest": lambda: fn.SaveBest("x"),
    "Monitor": fn.Monitor,
    "GradientNorms": fn.GradientNorms,
}
WRONG = [
    ("EarlyStopping", "patience", "x", "patience is 'x', expected a whole number"),
    ("EarlyStopping", "min_delta", -1, "min_delta is -1, expected a finite number ≥ 0"),
    ("EarlyStopping", "restore_best", "x", "restore_best is 'x', expected True or False"),
    ("EarlyStopping", "max_gap", "x", "max_gap is 'x', expected a number"),
    ("EarlyStopping", "every", -1, "every is -1, expected at least 0"),
    ("EarlyStopping", "last", "x", "last is 'x', expected True or False"),
    ("ReduceOnPlateau", "patience", 0, "patience is 0, expected at least 1"),
    ("ReduceOnPlateau", "factor", 2, "factor is 2.0, expected 0 < factor < 1"),
    ("ReduceOnPlateau", "min_lr", float("nan"), "min_lr is nan, expected a finite number ≥ 0"),
    ("TimeLimit", "seconds", "x", "seconds is 'x', expected a number"),
    ("Checkpoint", "path", 3, "path is 3, expected a path"),
    ("Checkpoint", "resume", "x", "resume is 'x', expected True or False"),
    ("Checkpoint", "every", 1.5, "every is 1.5, expected a whole number"),
    ("Checkpoint", "minutes", 0, "minutes is 0.0, expected above 0"),
    ("SaveBest", "path", 3, "path is 3, expected a path"),
    ("CSVLogger", "path", None, "path is None, expected a path"),
    ("Monitor", "every", 0, "every is 0, expected at least 1"),
    ("Monitor", "path", 3, "path is 3, expected a path"),
    ("Monitor", "bins", 10**9, "bins is 1000000000, expected at most 1,000,000"),
    ("GradientNorms", "every", "x", "every is 'x', expected a whole number"),
]


@pytest.mark.parametrize(("kind", "name", "value", "message"), WRONG, ids=lambda part: str(part)[:20])
def test_a_wrong_setting_is_refused_and_the_one_before_stays(kind, name, value, message):
    callback = MAKE[kind]()
    before = getattr(callback, name)
    with pytest.raises((TypeError, ValueError), match=f"^{kind}: {message}"):
        setattr(callback, name, value)
    assert getattr(callback, name) == before


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("every", -1, "every is -1, expected at least 0"),
        ("every", 1.5, "every is 1.5, expected a whole number"),
        ("every", "x", "every is 'x', expected a whole number"),
        ("every", None, "every is None, expected a whole number"),
        ("often", "x", "often is 'x', expected True or False"),
        ("last", 2, "last is 2, expected True or False"),
        ("reads_gradients", None, "reads_gradients is None, expected True or False"),
    ],
)
def test_a_wrong_setting_in_the_body_of_a_class_is_refused(name, value, message):
    with pytest.raises((TypeError, ValueError), match=f"^Mine: {message}"):
        type("Mine", (fn.Callback,), {name: value})
    with pytest.raises(ValueError, match=r"^Mine: every is 0, expected at least 1"):
        type("Mine", (fn.Monitor,), {"every": 0})
    type("Mine", (fn.Callback,), {"every": property(lambda self: 3), "often": np.bool_(True)})


@pytest.mark.parametrize("name", [name for name in callbacks.__all__ if name != "Run"])
def test_each_setting_of_a_callback_has_a_check(name):
    kind = getattr(callbacks, name)
    arguments = set(inspect.signature(kind.__init__).parameters) - {"self", "args", "kwargs"}
    judged = {"monitor", "mode"} if issubclass(kind, fn.EarlyStopping | fn.ReduceOnPlateau | fn.SaveBest) else set()
    assert kind._checks.keys() >= arguments - judged  # these are checked together, as a training begins


def test_what_is_watched_may_be_assigned():
    """An accuracy is better when it is higher, whatever was watched before."""
    stopping = fn.EarlyStopping("val_loss", patience=2)
    stopping.monitor = "val_accuracy"
    fit(tiny_model(), count=8, epochs=3, callbacks=[Scripted(val_accuracy=[0.1, 0.5, 0.3]), stopping])
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)
    stopping.mode = "min"
    fit(tiny_model(), count=8, epochs=3, callbacks=[Scripted(val_accuracy=[0.2, 0.1, 0.3]), stopping])
    assert (stopping.best, stopping.best_epoch) == (0.1, 2)


@pytest.mark.parametrize(("name", "value"), [("monitor", 3), ("monitor", "zzz"), ("mode", "x")])
def test_what_cannot_be_watched_is_refused_as_training_begins(name, value):
    stopping = fn.EarlyStopping("val_loss")
    setattr(stopping, name, value)
    with pytest.raises((TypeError, ValueError), match=r"^EarlyStopping: (the figure is 3|cannot tell|mode is 'x')"):
        fit(tiny_model(), count=8, callbacks=[stopping])


def test_minutes_that_are_assigned_are_watched():
    checkpoint = fn.Checkpoint("x")
    assert not checkpoint.often
    checkpoint.minutes = 5
    assert checkpoint.often


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", "x"), ("epochs", [1]), ("steps", "x"), ("steps", {}), ("steps", {"loss": "x"}), ("monitor", 3)],
)
def test_a_record_that_is_none_is_refused(name, value):
    history = fn.History()
    with pytest.raises(TypeError, match=f"^History: {name} is .*, expected "):
        setattr(history, name, value)
    assert history == fn.History()


def test_a_record_may_be_begun_anew():
    model = fit(tiny_model(), count=8)
    model.history.epochs, model.history.steps = (), {"loss": np.zeros(0)}
    fit(model, count=8)
    assert len(model.history) == 1
    assert model.history.steps["loss"] == array("d", model.history["loss"])
