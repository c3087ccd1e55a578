"""Tables with numbers and categories: what each kind of column becomes, and what is refused."""

import json
import pickle
from datetime import date

import numpy as np
import pytest

import fastnn as fn
from fastnn.data.preprocessing import from_config
from fastnn.data.preprocessing.table_columns import CategoryColumn

COLUMNS = {
    "age": [30.0, None, 50.0, 40.0],
    "job": ["cook", "smith", None, "cook"],
    "owner": [True, False, True, None],
    "children": [0, 1, 2, 3],
}
ROWS = [list(row) for row in zip(*COLUMNS.values(), strict=True)]
S = 1 / np.std([30, 50, 40])
C = np.array([-1.5, -0.5, 0.5, 1.5]) / np.std([0, 1, 2, 3])
# age, children, whether an age is missing, job (cook, smith, missing, unseen), owner (no, yes, missing, unseen)
WANT = [[-10 * S, C[0], 0, 0, 1], [0, C[1], 1, 1, 0], [10 * S, C[2], 0, 2, 1], [0, C[3], 0, 0, 2]]


def pandas_frame():
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(COLUMNS)


def pandas_nullable():
    pd = pytest.importorskip("pandas")
    dtypes = {"age": "Int64", "job": "string", "owner": "boolean", "children": "UInt8"}
    return pd.DataFrame({name: pd.array(COLUMNS[name], dtype=dtype) for name, dtype in dtypes.items()})


def pandas_categories():
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(COLUMNS | {name: pd.Categorical(COLUMNS[name]) for name in ("job", "owner")})


def polars_frame():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def polars_categorical():
    pl = pytest.importorskip("polars")
    return polars_frame().with_columns(pl.col("job").cast(pl.Categorical))


def polars_enum():
    pl = pytest.importorskip("polars")
    return polars_frame().with_columns(pl.col("job").cast(pl.Enum(["smith", "cook", "never"])))


FORMS = [
    lambda: COLUMNS,
    lambda: {name: np.array(column, object) for name, column in COLUMNS.items()},
    lambda: ROWS,
    lambda: np.array(ROWS, object),
    pandas_frame,
    pandas_nullable,
    pandas_categories,
    polars_frame,
    polars_categorical,
    polars_enum,
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_the_same_rows(form):
    given = form()
    np.testing.assert_allclose(fn.Table.of(given).encoded(given, dtype=np.float64), WANT)
    of_columns = fn.Table.of(COLUMNS)
    np.testing.assert_array_equal(of_columns.encoded(given), of_columns.encoded(COLUMNS))


def test_names_shape_and_layout():
    table = fn.Table.of(COLUMNS)
    assert table.made_names == ["age", "children", "age is missing", "job", "owner"]
    assert table.made_shape == (5,)
    assert table.layout == {"numbers": [0, 1, 2], "categories": {3: 4, 4: 4}, "standardise": False}
    assert [column.counts for column in table.categories] == [[2, 1, 1, 0], [1, 2, 1, 0]]


def test_what_training_data_lacked():
    table = fn.Table.of(COLUMNS)
    new = {"job": ["sailor"], "age": [None], "children": [None], "owner": [1], "more": ["left out"]}
    np.testing.assert_array_equal(table.encoded(new), [[0, 0, 1, 3, 1]])


def test_rare_categories_are_unseen_ones():
    (column,) = fn.Table.of({"a": list("xxyyyz")}, least=2).categories
    assert (column.values, column.counts) == (["x", "y"], [2, 3, 0, 1])


@pytest.mark.parametrize("categories", [["age", "job", "owner"], [0, 1, 2], [True, True, True, False], ["age", 1, 2]])
def test_a_user_chooses_categories(categories):
    table = fn.Table.of(COLUMNS, categories=np.array(categories, object) if "age" in categories else categories)
    assert [column.name for column in table.categories] == ["age", "job", "owner"]
    assert table.categories[0].values == [30.0, 40.0, 50.0]


def test_texts_and_truths_are_numbers_where_a_user_says_so():
    table = fn.Table.of({"a": ["1", "2.5", None], "b": [True, False, True]}, categories=None)
    assert [column.mean for column in table.columns] == [1.75, pytest.approx(2 / 3)]


def test_numbers_of_any_size_and_constants():
    table = fn.Table.of({"large": [1e300, 3e300], "one": [7.0, 7.0], "none": [None, None], "third": [0.1, 0.1]})
    made = [[-1, 0, 0, 0, 1], [1, 0, 0, 0, 1]]
    np.testing.assert_allclose(table.encoded({"large": [1e300, 3e300], "one": [7, 7], "none": [None] * 2,
                                              "third": [0.1] * 2}), made, atol=1e-7)  # fmt: skip


def test_masked_numbers_are_missing():
    masked = np.ma.array([1.0, 5.0, 3.0], mask=[False, True, False])
    np.testing.assert_array_equal(fn.Table.of({"a": masked}).encoded({"a": masked}), [[-1, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (np.zeros(3), fn.ShapeError, r"shape \(3,\), expected a table"),
        ({}, fn.ShapeError, "has no columns"),
        ({"a": [1, 2], "b": [1]}, fn.ShapeError, "columns of different lengths: {'a': 2, 'b': 1}"),
        ({"a": [1.0, np.inf]}, fn.DataError, "'a': row 1 is infinite"),
        ({"a": [1.0, np.inf, "x"]}, fn.DataError, "'a' holds infinite"),
        ({"a": [[1], [2]]}, TypeError, r"\['a'\] holds no single values"),
        ({"a": np.array(["2020-01-01"], "M8[D]")}, TypeError, "dtype datetime64.*such as days since a date"),
        ("a,b", TypeError, "expected a frame, columns by name, or an array"),
        (type("LazyFrame", (), {"collect": None, "columns": []})(), TypeError, r"give table.collect\(\)"),
        (3, fn.ShapeError, "is no table"),
    ],
)
def test_what_is_no_table(data, error, said):
    with pytest.raises(error, match=said):
        fn.Table.of(data)


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        ({"age": [1]}, fn.DataError, "x has no column 'job'"),
        (np.zeros((2, 3)), fn.ShapeError, "x has 3 columns, expected 4: age, job, owner, children"),
        (COLUMNS | {"age": ["old"] * 4}, fn.DataError, r"x\['age'\] holds 'old', expected finite numbers"),
        (COLUMNS | {"age": [1e300] * 4}, fn.DataError, "x, standardised,"),
    ],
)
def test_what_is_no_such_table(x, error, said):
    with pytest.raises(error, match=said):
        fn.Table.of(COLUMNS).encoded(x)


@pytest.mark.parametrize("categories", ["all", ["town"], [4], [-1], [True], [1.5]])
def test_categories_that_are_not_there(categories):
    with pytest.raises(ValueError, match="categories"):
        fn.Table.of(COLUMNS, categories=categories)


def test_two_columns_of_a_name():
    frame = pandas_frame()
    frame.columns = ["a", "a", "b", "c"]
    with pytest.raises(fn.DataError, match="two columns 'a'"):
        fn.Table.of(frame)


def test_it_is_kept_as_text():
    table = fn.Table.of(COLUMNS | {"day": [date(2020, 1, 1), 2, 2.5, "x"]})
    again = from_config(json.loads(json.dumps(table.config())), {})
    assert again.config() == table.config() == pickle.loads(pickle.dumps(table)).config()
    assert table.categories[-1].values == [2, 2.5, "2020-01-01", "x"]


@pytest.mark.parametrize(
    "columns",
    [
        None,
        [],
        [3],
        [{"name": "a", "mean": 0.0}],
        [{"name": "a", "mean": 0.0, "std": 0.0, "missing": False}],
        [{"name": "a", "mean": "0", "std": 1.0, "missing": False}],
        [{"name": None, "mean": 0.0, "std": 1.0, "missing": False}],
        [{"name": "a", "values": ["x", "x"], "counts": [1, 1, 0, 0]}],
        [{"name": "a", "values": "xy", "counts": [1, 1, 0, 0]}],
        [{"name": "a", "values": ["x"], "counts": [1]}],
        [{"name": "a", "values": ["x"], "counts": [1, -1, 0]}],
        [{"name": "a", "values": ["x"], "counts": [1, 0, 0]}] * 2,
    ],
    ids=str,
)
def test_what_no_fastnn_wrote(columns):
    with pytest.raises((ValueError, TypeError)):
        from_config({"kind": "table", "columns": columns}, {})


def test_a_model_takes_tables_and_keeps_them(tmp_path):
    table = fn.Table.of(COLUMNS)
    layers = [fn.Columns(**table.layout, width=3), fn.Dense(4, "tanh"), fn.Dense(2)]
    model = fn.Sequential(layers, input_shape=table.made_shape, preprocessing=table)
    model.fit(COLUMNS, [0, 1, 0, 1], optimizer="adam", batch_size=2, epochs=2, verbose=False)
    want = model.predict(COLUMNS)
    model.save(tmp_path / "model.h5")
    np.testing.assert_array_equal(fn.load(tmp_path / "model.h5").predict(ROWS), want)
    assert want.shape == (4, 2)
    with pytest.raises(fn.ShapeError, match=r"first layer and input_shape=table.made_shape"):
        fn.Sequential([fn.Dense(2)], input_shape=4, preprocessing=table)


def test_untrained_rows_become_the_mean_of_the_others():
    table = fn.Table.of({"a": ["x", "y", "y"], "b": ["u", None, "v"]})
    w = np.arange(16, dtype=np.float32).reshape(8, 2)
    table.fill_untrained(w)
    mean = [(0 + 2 * 2) / 3, (1 + 2 * 3) / 3]
    third = [(8 + 10 + 12) / 3, (9 + 11 + 13) / 3]
    np.testing.assert_allclose(w, [[0, 1], [2, 3], mean, mean, [8, 9], [10, 11], [12, 13], third])


@pytest.mark.parametrize(
    ("values", "counts", "message"),
    [
        ("xy", [0] * 4, "column 'a' has the categories 'xy', expected a list"),
        (["x", None], [0] * 4, r"has the categories \['x', None\], expected a list"),
        (["x", "y"], "0000", "has counts '0000', expected whole numbers"),
        (["x", "y"], [0, 0, 0, -1], r"has counts \[0, 0, 0, -1\], expected whole numbers"),
        (["x", "y"], [0, 0, 0, 1.0], r"has counts \[0, 0, 0, 1.0\], expected whole numbers"),
    ],
)
def test_a_column_of_a_file_that_is_none_is_refused(values, counts, message):
    CategoryColumn("a", ["x", "y"], [0] * 4)
    with pytest.raises(TypeError, match=message):
        CategoryColumn("a", values, counts)
