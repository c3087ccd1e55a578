"""An array like that of the last call is taken without the checks that it cannot fail; with all those that it can."""

import copy

import numpy as np
import pytest

import fastnn as fn
from fastnn.common import validation
from fastnn.engine.program import Program
from fastnn.training.models import model as models
from tests.kernels.cases import needs_jit

RNG = np.random.default_rng(8)
X = RNG.normal(size=(6, 3)).astype(np.float32)


def net(*layers, **settings):
    return fn.Sequential([*(layers or [fn.Dense(5, "tanh")]), fn.Dense(4)], **{"input_shape": 3, **settings})


@pytest.fixture
def looked_at(monkeypatch):
    """The arrays of which all is checked."""
    seen, source = [], models.source_of_inputs

    def counted(expected, x):
        seen.append(x)
        return source(expected, x)

    monkeypatch.setattr(models, "source_of_inputs", counted)
    return seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("samples", [1, 6])
def test_it_gives_what_the_checks_give(looked_at, dtype, given, samples):
    model, x = net(dtype=dtype), (10 * np.abs(X)).astype(given)[:samples]
    first, layer = model.predict(x), model.outputs_of("dense", x)
    logits = model.predict(x, logits=True)
    assert len(looked_at) == 2  # logits and a layer's outputs are of one step
    for other in (x, np.asfortranarray(x), np.stack([x, x], axis=2)[:, :, 0]):
        np.testing.assert_array_equal(model.predict(other), first)
        np.testing.assert_array_equal(model.predict(other, logits=True), logits)
        np.testing.assert_array_equal(model.outputs_of("dense", other), layer)
    x[0, 0] += 1
    assert (model.predict(x)[0] != first[0]).any()
    assert len(looked_at) == 2
    again = model.predict(x)
    assert again.flags.c_contiguous
    assert again.flags.owndata
    assert again.dtype == first.dtype


def test_sizes_in_turns(looked_at):
    model = net()
    want = {samples: net().predict(X[:samples]) for samples in (1, 3, 6)}
    looked_at.clear()
    for samples in (3, 1, 6, 6, 3, 1, 3):
        np.testing.assert_array_equal(model.predict(X[:samples]), want[samples])
    assert len(looked_at) == 1


def test_more_than_a_step_takes_in_turns():
    model, other = (fn.Sequential([fn.Dense(1)], input_shape=1, loss="mse") for _ in range(2))
    x = np.arange(3000.0, dtype=np.float32)[:, None]
    for samples in (1, 600, 1200, 600, 3, 1, 2000, 500, 501, 499):
        np.testing.assert_array_equal(model.predict(x[:samples]), other.predict(x)[:samples])
        y = x[:samples] / 2
        assert model.evaluate(x[:samples], y) == copy.deepcopy(other).evaluate(x[:samples], y)


def test_no_samples_are_refused():
    model = net()
    model.predict(X)
    for empty in (X[:0], np.float32(3)):
        with pytest.raises((fn.DataError, fn.ShapeError), match="x"):
            model.predict(empty)


def test_lists(looked_at):
    model, rows = net(), X.tolist()
    want = model.predict(rows)
    for given in (rows, rows[:2], [np.array(row) for row in rows], rows[:1], X.astype(np.float64)):
        np.testing.assert_array_equal(model.predict(given), want[: len(given)])
    assert len(looked_at) == 1


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ([[1.0, 2.0, 3.0], [1.0, 2.0]], fn.ShapeError, "x is no array: its parts have different lengths"),
        ([[1.0, 2.0]], fn.ShapeError, r"x has shape \(1, 2\), expected \(N, 3\)"),
        ([["a", "b", "c"]], TypeError, "x has dtype <U1, expected numbers"),
        ([[1.0, None, 3.0]], TypeError, r"x has dtype object, expected numbers: x\[0, 1\] is None, a missing value"),
        ([[1.0, np.nan, 3.0]], fn.DataError, r"x\[0, 1\] is nan, expected finite numbers"),
        ([np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])], fn.DataError, r"x\[0, 1\] is masked"),
        ([], fn.ShapeError, r"x has shape \(0,\)"),
    ],
)
def test_wrong_lists_get_the_messages_of_a_first_call(given, error, told):
    model = net()
    with pytest.raises(error, match=told):
        model.predict(given)
    model.predict(X.tolist())
    with pytest.raises(error, match=told):
        model.predict(given)


@pytest.mark.parametrize(
    "other",
    [X.astype(np.float64), X.astype(">f4"), tuple(X.tolist()), np.ma.masked_array(X, X > 9), X.view(np.matrix), X > 0],
)
def test_all_is_checked_of_another_kind(looked_at, other):
    model = net()
    model.predict(X)
    model.predict(other)
    assert len(looked_at) == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_number_that_is_not_finite_is_refused(dtype, bad):
    model, x = net(), X.astype(dtype)
    want = model.predict(x)
    wrong = x.copy()
    wrong[4, 1] = bad
    for _ in range(2):
        with pytest.raises(fn.DataError, match=r"x\[4, 1\] is .*expected finite numbers"):
            model.predict(wrong)
        np.testing.assert_array_equal(model.predict(x), want)


def test_a_number_beyond_the_models_dtype_is_refused():
    model, x = net(), X.astype(np.float64)
    model.predict(x)
    x[2, 0] = 1e39
    with pytest.raises(fn.DataError, match=r"x\[2, 0\] is 1e\+39, expected at most 3.4028235e\+38"):
        model.predict(x)


def test_numbers_whose_sum_is_not_finite_are_taken():
    model, x = net(), np.full((1, 3), 3e38, np.float32)
    first = model.predict(x)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(model.predict(x), first)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.uint64, np.float32])
def test_ids(looked_at, dtype):
    model = fn.Sequential([fn.Embedding(7, 2), fn.Flatten(), fn.Dense(2)], input_shape=3)
    ids = np.array([[0, 1, 6], [6, 0, 2]], dtype)
    want = model.predict(ids)
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(ids[::-1]), want[::-1])
    assert len(looked_at) == (3 if dtype in (np.uint64, np.float32) else 1)
    for bad in (7, 200) if np.dtype(dtype).kind == "u" else (7, -1, 2**30):
        wrong = ids.copy()
        wrong[1, 2] = bad
        for _ in range(2):
            with pytest.raises(fn.DataError, match=rf"x\[1, 2\] is {np.array(bad, dtype)}.*, expected 0 to 6"):
                model.predict(wrong)
            np.testing.assert_array_equal(model.predict(ids), want)


def test_categories_out_of_range_are_refused():
    model = net(fn.Columns(numbers=[0, 1], categories={2: 4}))
    table = np.array([[0.5, 1.0, 3.0]])
    model.predict(table)
    with pytest.raises(fn.DataError, match=r"x\[0, 2\] is 4, expected 0 to 3"):
        model.predict(table + np.array([0, 0, 1]))


class Positive(fn.Activation):
    """A layer that takes no number below 0."""

    def checked_input(self, x, what, owner):
        given = super().checked_input(x, what, owner)
        return validation.finite(np.sqrt(given), what)


def test_a_layer_with_checks_of_its_own_makes_them_each_time():
    model = net(Positive("relu"))
    model.predict(np.abs(X))
    with np.errstate(invalid="ignore"), pytest.raises(fn.DataError, match="x"):
        model.predict(-np.abs(X))


def test_frames_are_looked_at_each_time():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = net(loss="mse")
    model.fit(frame, np.zeros((6, 4)), epochs=1, verbose=False)
    model.predict(frame)
    np.testing.assert_array_equal(model.predict(X), model.predict(frame))
    with pytest.raises(fn.DataError, match="order"):
        model.predict(frame[["b", "a", "c"]])


def test_a_preprocessing_that_comes_later_is_used():
    model = fn.Sequential([fn.Dense(2)], input_shape=4, loss="mse")
    pixels = RNG.integers(0, 256, (2, 4)).astype(np.uint8)
    raw = model.predict(pixels)
    model.preprocessing = fn.Pixels((2, 2), divide=255, flat=True)
    assert (model.predict(pixels) != raw).any()
    np.testing.assert_array_equal(model.predict(pixels), model.predict(pixels))
    model.preprocessing = None
    np.testing.assert_array_equal(model.predict(pixels), raw)


@needs_jit
def test_what_may_use_threads_goes_by_batches(looked_at, monkeypatch):
    model = net()
    model.predict(X)
    monkeypatch.setattr(Program, "may_use_threads", lambda program, batch: True)
    model.predict(X)
    assert len(looked_at) == 2
