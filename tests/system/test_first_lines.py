"""What users of Keras, PyTorch and scikit-learn type first: the right thing, or the one right hint."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn

# A line of code, and under it the error, whole.
TEXT = Path(__file__).with_name("first_lines.txt").read_text(encoding="utf-8").splitlines()
HINTS = list(zip(TEXT[::2], TEXT[1::2], strict=True))

X, Y = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3


def three_classes():
    return fn.Sequential([fn.Dense(3)], input_shape=4)


def fitted(y=Y, **keywords):
    model = three_classes()
    model.fit(X, y, **({"optimizer": fn.SGD(0.1), "verbose": False} | keywords))
    return model


@pytest.mark.parametrize(("line", "message"), HINTS, ids=[line for line, _ in HINTS])
def test_one_hint(line, message):
    with pytest.raises(Exception) as caught:  # noqa: PT011  (which one the line under it says)
        eval(line, {"fn": fn, "np": np, "model": three_classes(), "x": X, "y": Y})
    assert f"    {type(caught.value).__name__}: {caught.value}" == message


def test_no_hint_stands_twice():
    assert len({line for line, _ in HINTS}) == len(HINTS) > 100


def test_what_is_taken_as_it_is_meant():
    assert fn.Dropout(0.5) == fn.Dropout(rate=0.5)
    assert fn.Sequential([fn.Dense(3)], input_shape=20).network.input_shape == (20,)
    assert fn.Sequential([fn.Dense(3)], input_shape=[2, 3, 4][:1]).network.input_shape == (2,)
    assert fn.Input(20).shape == (20,)
    assert (
        fn.AdamW(1e-3, weight_decay=0.1, beta1=0.8).config() == fn.AdamW(lr=1e-3, beta1=0.8, weight_decay=0.1).config()
    )


def test_what_a_model_shows_at_the_prompt():
    assert repr(three_classes()) == "<Sequential of 1 layer, 15 parameters>"
    assert repr(three_classes().parameters) == "<float32 arrays: dense.w (4, 3), dense.b (3,)>"
    two = fn.Sequential([fn.Dense(30), fn.Dense(40)], input_shape=4)
    assert repr(two) == "<Sequential of 2 layers, 1,390 parameters>"


def test_completion_finds_what_is_imported_when_asked_for():
    assert {
        "LanguageModel",
        "sweep",
        "SweepResult",
        "Between",
        "find_rate",
        "plots",
        "ops",
        "interop",
        *fn.__all__,
    } <= set(dir(fn))
    assert not {"TYPE_CHECKING", "import_module", "engine", "many"} & set(dir(fn))
    assert all(hasattr(fn, name) for name in dir(fn))


@pytest.mark.parametrize("name", ["layers", "losses", "optimizers", "schedules", "initializers", "callbacks"])
def test_completion_of_a_module_finds_what_is_meant_for_users(name):
    module = getattr(fn, name)
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, one) for one in dir(module))


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 1), (2, 1)])
def test_verbose_as_a_number(verbose, lines, caplog):
    fitted(verbose=verbose)
    assert caplog.text.count("epoch 1/1") == lines


def test_balanced_classes():
    y = np.array([0] * 6 + [1] * 4 + [2] * 2)
    weights = {0: 12 / 18, 1: 12 / 12, 2: 12 / 6}
    got, want = fitted(y, class_weight="balanced"), fitted(y, class_weight=weights)
    assert got.parameters["dense.w"].tobytes() == want.parameters["dense.w"].tobytes()
    assert got.parameters["dense.w"].tobytes() != fitted(y).parameters["dense.w"].tobytes()
    two = fn.Sequential([fn.Dense(1)], input_shape=4, loss="mse")
    with pytest.raises(ValueError, match="class_weight needs classes"):
        two.fit(X, Y > 1, optimizer=fn.SGD(0.1), class_weight="balanced")


def test_balanced_classes_beside_a_stream(tmp_path):
    import h5py

    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = X, np.sort(Y)
    with fn.H5Stream(tmp_path / "data.h5", "x") as x, fn.H5Stream(tmp_path / "data.h5", "y") as y:
        model = three_classes()
        model.fit(x, np.sort(Y), optimizer=fn.SGD(0.1), class_weight="balanced", verbose=False)
        with pytest.raises(ValueError, match=r"counts labels in memory, not in a stream: give \{label: weight\}"):
            model.fit(x, y, optimizer=fn.SGD(0.1), class_weight="balanced", verbose=False)


def test_validation_data_that_are_sorted_by_class():
    with pytest.warns(UserWarning, match=r"^validation_split takes the last 3 of 12 samples, and the samples are"):
        fitted(np.sort(Y), validation_split=0.25)
    with pytest.warns(UserWarning, match=r"^validation_split takes the last 5 of 12 samples, and class 2 is only"):
        fitted(np.sort(Y), validation_split=0.4)
    regression = fn.Sequential([fn.Dense(1)], input_shape=4, loss="mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mixed = fitted(validation_split=0.25)
        regression.fit(X, np.sort(Y), optimizer=fn.SGD(0.1), validation_split=0.25, verbose=False)
    assert [str(one.message) for one in caught] == []
    assert all("val_loss" in model.history.epochs[-1] for model in (mixed, regression))


def test_a_figure_that_is_not_reported():
    with pytest.raises(fn.DataError, match=r"'val_accuray', .* report; did you mean val_accuracy"):
        fitted(callbacks=[fn.EarlyStopping("val_accuray", mode="max")], validation_data=(X, Y))
    with pytest.raises(
        fn.DataError, match=r"'val_accuracy', .* report; pass validation_data=\(x, y\) to fit, or validation_split=0.2$"
    ):
        fitted(callbacks=[fn.EarlyStopping("val_accuracy")])
    with pytest.raises(TypeError, match=r"^callbacks is .*, expected a list, such as \[fn.EarlyStopping\(\)\]$"):
        fitted(callbacks=fn.EarlyStopping("loss"))


def test_callbacks_written_for_another_library():
    with pytest.raises(TypeError) as caught:
        type("Mine", (fn.Callback,), {"on_epoch_end": lambda self, epoch, logs=None: None})
    assert str(caught.value) == (
        "Mine.on_epoch_end takes (self, epoch, logs), but is called with the run alone: (self, run); "
        "run.epoch, run.logs and run.model say the rest"
    )
    with pytest.raises(TypeError) as caught:
        type("Mine", (fn.Callback,), {"on_train_batch_end": lambda self, run: None})
    assert str(caught.value) == "Mine.on_train_batch_end would never be called; use on_batch_end(self, run)"
    type("Mine", (fn.Callback,), {"on_epoch_end": lambda self, *others: None, "on_weekdays": 3})


def test_an_event_with_a_slip_of_the_pen():
    with pytest.raises(TypeError, match=r"Mine.on_epoch_ends would never be called; did you mean on_epoch_end"):
        type("Mine", (fn.Callback,), {"on_epoch_ends": lambda self, run: None})
    type("Mine", (fn.Callback,), {"on_plateau": lambda self, run: None})  # a method of one's own
