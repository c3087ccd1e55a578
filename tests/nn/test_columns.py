"""Tables: numbers beside categories, their values, gradients, checks and files."""

import json

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.initializers import Normal
from fastnn.nn.layers import from_config
from tests.tiny import bits, jit_only, two_threads

RNG = np.random.default_rng(5)
START = {"initializer": Normal(0.5)}
CATEGORIES = {4: 3, 1: 4}  # not in the order of the columns


def table(samples=9, columns=6):
    """Numbers around 20 apart from 10, ids in columns 1 and 4; the largest id of each occurs, and an unused one."""
    x = 20 + 10 * RNG.normal(size=(samples, columns))
    x[:, 1], x[:, 4] = RNG.choice([0, 1, 3], samples), RNG.choice([0, 2], samples)
    x[:2, 1], x[:2, 4] = [3, 0], [2, 0]
    return x


def model(layer, outputs=3, columns=6, **keywords):
    layers = [layer, fn.Dense(5, "tanh", initializer=Normal(0.5)), fn.Dense(outputs, initializer=Normal(0.5))]
    return fn.Sequential(layers, input_shape=(columns,), seed=2, **{"dtype": "float64"} | keywords)


def fitted(net, x):
    """The net with the statistics of x."""
    for name, value in net.network.layers[0].fitted(lambda: iter([x])).items():
        net.buffers[f"columns.{name}"][...] = value
    return net


def outputs(layer, x, **values):
    """What the layer computes, by a model of it alone with these buffers."""
    alone = fn.Sequential([layer], input_shape=x.shape[1:], loss="mse", dtype="float64", seed=1)
    for name, value in values.items():
        alone.buffers[f"columns.{name}"][...] = value
    return alone.predict(x), alone.parameters


def test_numbers_come_first_then_the_vector_of_each_category_in_the_order_given():
    x, layer = table(), fn.Columns([5, 0], CATEGORIES, width=2, **START)
    moments = layer.fitted(lambda: iter([x]))
    got, parameters = outputs(layer, x, **moments)
    w = parameters["columns.w"]
    assert w.shape == (3 + 4, 2)
    numbers = (x[:, [5, 0]] - x[:, [5, 0]].mean(axis=0)) / x[:, [5, 0]].std(axis=0)
    vectors = w[x[:, 4].astype(int)], w[3 + x[:, 1].astype(int)]
    np.testing.assert_allclose(got, np.hstack([numbers, *vectors]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("standardise", [True, False])
def test_without_statistics_numbers_stay_as_they_are(standardise):
    x = table()
    got, _ = outputs(fn.Columns([2, 3], {1: 4}, width=1, standardise=standardise), x)
    assert np.array_equal(got[:, :2], x[:, [2, 3]])


KINDS = {
    "both": lambda: fn.Columns([0, 3], CATEGORIES, width=5, **START),
    "numbers": lambda: fn.Columns(range(6)),
    "categories": lambda: fn.Columns(categories=CATEGORIES, width=1, **START),
    "penalised": lambda: fn.Columns([2], {1: 4}, width=3, l2=0.1, **START),
}


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind):
    x = table()
    net = fitted(model(KINDS[kind](), l1=0.01), x)  # standardised: numbers near 20 would saturate the units
    errors = fn.check_gradients(net, x, RNG.integers(0, 3, 9))
    assert set(errors) == set(net.parameters)
    assert max(errors.values()) <= 1e-7, errors


@jit_only
@two_threads
@pytest.mark.parametrize("optimizer", [fn.SGD, fn.Adam, fn.AdaGrad])
def test_same_bits_at_any_number_of_threads_and_whether_gradients_are_stored(optimizer):
    """Gradients that are stored are those that a callback reads."""
    x, y, found = table(300), RNG.integers(0, 3, 300), []
    for threads, callbacks in ((1, []), (2, []), (2, [fn.GradientNorms()])):
        net = model(fn.Columns([0, 2, 5], CATEGORIES, width=7), dtype="float32")
        with fn.threads(threads):
            net.fit(x, y, optimizer=optimizer(0.05), batch_size=64, epochs=2, verbose=False, callbacks=callbacks)
        found.append(bits(net.parameters))
    assert found[0] == found[1] == found[2]


def test_statistics_of_the_training_data():
    x = np.array([[1, 0.1, 5], [2, 0.1, 5], [6, 0.1, 7]])
    got = fn.Columns([1, 0]).fitted(lambda: iter([x]))
    assert got["mean"].tolist() == [0.1, 3]
    np.testing.assert_allclose(got["std"], [1, np.sqrt(14 / 3)], rtol=1e-15)  # one value: 1, whatever rounding leaves
    assert fn.Columns([1], standardise=False).fitted(lambda: iter([x])) == {}
    assert fn.Columns(categories={0: 7}).fitted(lambda: iter([x])) == {}


def test_statistics_under_a_user_s_own_error_settings():
    tiny = np.array([[0.0], [1e-200], [3e-200]])  # its squares are 0
    with np.errstate(all="raise"):
        got = fn.Columns([0]).fitted(lambda: iter([tiny]))
    assert got["std"].tolist() == [1]


def test_whole_numbers_have_statistics_in_float64():
    x = np.array([[2**31 - 1], [2**31 - 3]], np.int64).astype(np.int32)
    got = fn.Columns([0]).fitted(lambda: iter([x]))
    assert (got["mean"].tolist(), got["std"].tolist()) == ([2**31 - 2], [1])


def spoiled(row, column, value):
    x = table(20)
    x[row, column] = value
    return x


LAYER = fn.Columns([0, 3], {1: 7, 4: 3})
BAD = [
    (17, 1, 9, r"x\[17, 1\] is 9, expected 0 to 6 \(categories of column 1\)"),
    (0, 4, 3, r"x\[0, 4\] is 3, expected 0 to 2 \(categories of column 4\)"),
    (3, 4, -1, r"x\[3, 4\] is -1, expected 0 to 2"),
    (19, 1, 1.5, r"x\[19, 1\] is 1.5, expected whole numbers \(categories of column 1\)"),
    (5, 1, np.nan, r"x\[5, 1\] is nan, expected whole numbers"),
    (5, 1, 1e300, r"expected 0 to 6"),
    (5, 4, np.inf, r"x\[5, 4\] is inf, expected whole numbers"),
    (6, 3, np.nan, r"x\[6, 3\] is nan, expected finite numbers"),
    (6, 0, -np.inf, r"x\[6, 0\] is -inf, expected finite numbers"),
]


@pytest.mark.parametrize(("row", "column", "value", "message"), BAD, ids=[message for *_, message in BAD])
def test_entries_that_cannot_be_are_named(row, column, value, message):
    with pytest.raises(fn.DataError, match=message):
        LAYER.checked_input(spoiled(row, column, value), "x", "columns")


def test_a_column_that_is_left_out_may_hold_anything():
    x = LAYER.checked_input(spoiled(2, 5, np.nan), "x", "columns")
    got, _ = outputs(LAYER, np.where(np.isnan(x), 0, x))
    assert np.isfinite(got).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, bool])
def test_tables_of_other_dtypes(dtype):
    x = LAYER.checked_input(np.ones((3, 6), dtype), "x", "columns")
    assert x.dtype.name in ("uint8", "int64", "float64")
    assert np.array_equal(x, np.ones((3, 6)))


@pytest.mark.parametrize("values", [np.array([["1"] * 6]), np.zeros((2, 6), complex)])
def test_tables_that_are_no_numbers(values):
    with pytest.raises(TypeError, match="x has dtype"):
        LAYER.checked_input(values, "x", "columns")


REFUSED = [
    (ValueError, "names no column", lambda: fn.Columns()),
    (ValueError, "names column 3 twice", lambda: fn.Columns([3, 1, 3])),
    (ValueError, "names column 1 twice", lambda: fn.Columns([0, 1], {1: 2})),
    (ValueError, "a column of numbers is -1", lambda: fn.Columns([-1])),
    (TypeError, r"numbers is \{1: 3\}, expected columns", lambda: fn.Columns({1: 3})),
    (TypeError, r"numbers is 0, expected columns", lambda: fn.Columns(0)),
    (TypeError, r"categories is \[3\], expected how many", lambda: fn.Columns([0], [3])),
    (TypeError, r"categories is 3, expected how many", lambda: fn.Columns([0], 3)),
    (TypeError, "a column of numbers is 'age'", lambda: fn.Columns(["age"])),
    (ValueError, "categories of column 2 is 0", lambda: fn.Columns([], {2: 0})),
    (ValueError, "column 2 has 16,777,217 categories", lambda: fn.Columns([], {2: 2**24 + 1})),
    (ValueError, "width is 0", lambda: fn.Columns([], {2: 3}, width=0)),
    (ValueError, "did you mean normal", lambda: fn.Columns([], {2: 3}, initializer="normel")),
    (fn.ShapeError, "names column 6, but rows have 6", lambda: model(fn.Columns([0, 6]))),
    (fn.ShapeError, "rows of a table", lambda: fn.Columns([0]).output_shape((3, 4))),
]


@pytest.mark.parametrize(("error", "message", "make"), REFUSED, ids=[message for _, message, _ in REFUSED])
def test_descriptions_that_cannot_be(error, message, make):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_back_the_layer_and_what_it_computes(kind, tmp_path):
    x = table()
    net = fitted(model(KINDS[kind]()), x)
    net.save(tmp_path / "m.h5")
    again = fn.load(tmp_path / "m.h5")
    assert again.network.layers == net.network.layers
    assert np.array_equal(again.predict(x), net.predict(x))


def test_the_order_of_categories_survives_a_file_that_sorts_its_keys():
    layer = fn.Columns([2], {10: 3, 9: 4, 1: 2})
    again = from_config(json.loads(json.dumps(layer.config(), sort_keys=True)))
    assert list(again.categories.items()) == [(10, 3), (9, 4), (1, 2)]
    assert again == layer
    assert hash(again) == hash(layer)


def test_the_largest_id_of_float32_finds_its_own_row():
    count = 2**24
    x = np.array([[count - 1], [count - 2], [0]], np.float32)
    assert np.array_equal(
        fn.Columns([], {0: count}).checked_input(x, "x", "columns").astype(int).ravel(), [count - 1, count - 2, 0]
    )
