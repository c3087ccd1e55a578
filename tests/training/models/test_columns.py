"""A model trained on a frame refuses frames with other columns, or with these in another order."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fastnn as fn
from fastnn.training.models import storage

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(RNG.normal(size=(30, 3)), columns=["age", "height", "weight"])
OTHER = FRAME[["height", "age", "weight"]]
Y = RNG.integers(0, 2, 30)
TARGETS = pd.DataFrame(RNG.normal(size=(30, 2)), columns=["price", "rent"])
IN_ORDER = r"column 0 is 'height', expected 'age'; give frame\[model.columns\['x'\]\]"


def model(loss="softmax_cross_entropy", **keywords):
    return fn.Sequential([fn.Dense(2)], input_shape=3, loss=loss, **keywords)


def trained(frame=FRAME, y=Y, **keywords):
    made = model(**keywords)
    made.fit(frame, y, verbose=False)
    return made


@pytest.mark.parametrize(
    "of", [pd.DataFrame, lambda frame: pl.DataFrame(frame.to_dict("list"))], ids=["pandas", "polars"]
)
def test_another_order_is_refused_by_every_method(of):
    made, frame, other = trained(of(FRAME)), of(FRAME), of(OTHER)
    asked = [
        lambda: made.predict(other),
        lambda: made.evaluate(other, Y),
        lambda: made.outputs_of("dense", other),
        lambda: made.loss_and_gradients(other, Y),
        lambda: made.batch_loss(other, Y),
        lambda: made.train_on_batch(other, Y),
        lambda: made.fit(other, Y, verbose=False),
        lambda: made.fit(frame, Y, validation_data=(other, Y), verbose=False),
        lambda: fn.find_rate(made, other, Y),
        lambda: fn.check_gradients(made, other, Y),
        lambda: fn.fit_many([made], other, Y),
    ]
    for ask in asked:
        with pytest.raises(fn.DataError, match=IN_ORDER):
            ask()
    np.testing.assert_array_equal(made.predict(other[made.columns["x"]]), made.predict(frame))
    np.testing.assert_array_equal(made.predict(FRAME.to_numpy()), made.predict(frame))  # an array has no names


def test_what_messages_say_of_other_columns():
    made = trained()
    with pytest.raises(fn.DataError, match=r"x has no column 'age', .* did you mean Age\?$"):
        made.predict(FRAME.rename(columns={"age": "Age"}))
    with pytest.raises(fn.DataError, match="x has a column 'shoe size' that the frame of the training had not; give"):
        made.predict(FRAME.assign(**{"shoe size": 1.0}))
    with pytest.raises(fn.DataError, match="x has 4 columns, the frame of the training had 3: some have the same name"):
        made.predict(pd.concat([FRAME, FRAME[["age"]]], axis=1))
    with pytest.raises(fn.DataError, match=r"; to train on other columns, set model.columns = {} first$"):
        made.fit(OTHER, Y, verbose=False)


def test_targets_of_several_columns():
    made = trained(y=TARGETS, loss="mse")
    assert made.columns == {"x": ["age", "height", "weight"], "y": ["price", "rent"]}
    with pytest.raises(fn.DataError, match="y has its columns in another order"):
        made.evaluate(FRAME, TARGETS[["rent", "price"]])
    assert made.evaluate(FRAME, TARGETS) == made.evaluate(FRAME.to_numpy(), TARGETS.to_numpy())


def test_several_inputs_and_an_output_of_the_same_name():
    left, right = fn.Input((3,)), fn.Input((3,))
    made = fn.Model({"a": left, "b": right}, {"a": fn.Dense(2)(fn.Add()(left, right))}, loss="mse")
    made.fit({"a": FRAME, "b": OTHER}, {"a": TARGETS}, verbose=False)
    assert made.columns == {"x['a']": list(FRAME), "x['b']": list(OTHER), "y": list(TARGETS)}
    made.predict({"a": FRAME, "b": OTHER})
    with pytest.raises(fn.DataError, match=r"x\['b'\] has its columns in another order"):
        made.predict({"a": FRAME, "b": FRAME})


def test_batches_of_frames():
    batches = [(FRAME[:10], Y[:10]), (OTHER[10:20], Y[10:20])]
    with pytest.raises(fn.DataError, match="x of batch 1 has its columns in another order"):
        model().fit(batches, verbose=False)
    made = model()
    made.fit(((frame[made.columns.get("x", list(FRAME.columns))], y) for frame, y in batches), verbose=False)
    assert made.columns == {"x": list(FRAME.columns)}


def test_files_copies_and_pickles_keep_them(tmp_path):
    made = trained()
    made.save(tmp_path / "model.h5")
    for same in (fn.load(tmp_path / "model.h5"), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert same.columns == {"x": ["age", "height", "weight"]}
        with pytest.raises(fn.DataError, match=IN_ORDER):
            same.predict(OTHER)


@pytest.mark.parametrize("columns", [7, ["a"], {"x": "abc"}, {"x": [1, None]}])
def test_a_file_with_other_things_in_their_place(columns, tmp_path):
    saved = trained().saved()
    storage.save(tmp_path / "model.h5", replace(saved, config=saved.config | {"columns": columns}))
    with pytest.raises(fn.FileFormatError, match="no model can be built from what it holds: TypeError: columns"):
        fn.load(tmp_path / "model.h5")


def test_a_training_that_is_refused_leaves_none():
    made = model()
    with pytest.raises(fn.DataError, match="is nan, expected finite"):
        made.fit(FRAME.assign(age=np.nan), Y, verbose=False)
    with pytest.raises(fn.DataError, match="in another order"):
        made.fit(FRAME, Y, validation_data=(OTHER, Y), verbose=False)
    assert made.columns == {}


def test_each_model_of_fit_many_knows_them():
    models = [model(seed=seed) for seed in range(3)]
    models[2].columns = {"x": ["weight", "age", "height"]}
    with pytest.raises(fn.DataError, match="in another order"):
        fn.fit_many(models, FRAME, Y)
    assert models[0].columns == {}  # nothing was trained
    fn.fit_many(models[:2], FRAME, Y)
    assert models[1].columns == models[0].columns == {"x": list(FRAME.columns)}


def test_they_can_be_forgotten_and_set():
    made = trained()
    made.columns = {}
    made.fit(OTHER, Y, verbose=False)
    assert made.columns == {"x": ["height", "age", "weight"]}
    made.columns["x"].reverse()  # a copy
    assert made.columns == {"x": ["height", "age", "weight"]}
    for wrong in (None, ["a"], {"x": "ab"}, {"x": [1, 2]}):
        with pytest.raises(TypeError, match="columns"):
            made.columns = wrong


@pytest.mark.parametrize("frame", [pd.DataFrame(FRAME.to_numpy()), FRAME.set_axis(["a", 1, "b"], axis=1)])
def test_names_that_are_no_texts_are_none(frame):
    assert trained(frame).columns == {}


def test_one_column_may_have_any_name():
    made = fn.Sequential([fn.Dense(2)], input_shape=1)
    made.fit(FRAME[["age"]], Y, verbose=False)
    assert made.columns == {}
    assert made.predict(FRAME[["height"]]).shape == (30, 2)


def test_a_table_finds_its_columns_by_their_names():
    made = model(preprocessing=fn.Table.of(FRAME))
    made.fit(FRAME, Y, verbose=False)
    assert made.columns == {}
    np.testing.assert_array_equal(made.predict(OTHER), made.predict(FRAME))
