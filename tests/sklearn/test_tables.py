"""Frames with texts, truth values, categories and missing numbers go into the estimators as they are."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from fastnn.sklearn import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
N = 80
COLUMNS = {
    "age": [float(age) if RNG.random() > 0.1 else None for age in RNG.integers(18, 80, N)],
    "town": [str(town) for town in RNG.choice(["Ulm", "Bern", "Graz"], N)],
    "owner": [bool(owner) for owner in RNG.random(N) > 0.5],
    "rooms": RNG.integers(1, 9, N).tolist(),
}
COLUMNS["town"][3] = None
LABELS = np.where((np.array(COLUMNS["town"]) == "Ulm") ^ COLUMNS["owner"], "high", "low")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def pandas_frame():
    return pytest.importorskip("pandas").DataFrame(COLUMNS)


def nullable_frame():
    return pandas_frame().astype({"town": "category", "owner": "boolean", "rooms": "Int64"}).convert_dtypes()


def polars_frame():
    pl = pytest.importorskip("polars")
    return pl.DataFrame(COLUMNS).with_columns(pl.col("town").cast(pl.Enum(["Bern", "Graz", "Oslo", "Ulm"])))


FRAMES = {"pandas": pandas_frame, "pandas, nullable": nullable_frame, "polars": polars_frame}


def net(kind=MLPClassifier, **more):
    settings = {"hidden_layer_sizes": 6, "max_iter": 4, "batch_size": 20, "random_state": 0, "alpha": 0}
    return kind(**(settings | more))


@pytest.mark.parametrize("form", FRAMES)
def test_every_frame_trains_the_same(form):
    frame = FRAMES[form]()
    got, want = net().fit(frame, LABELS), net().fit(pandas_frame(), LABELS)
    assert list(got.feature_names_in_) == list(COLUMNS)
    assert got.n_features_in_ == 4
    assert [column.name for column in got.table_.categories] == ["town", "owner"]
    np.testing.assert_array_equal(got.predict_proba(frame), want.predict_proba(pandas_frame()))
    assert [w.shape for w in got.coefs_] == [(3 + 2 * 8, 6), (6, 1)]
    copied = pickle.loads(pickle.dumps(got))
    np.testing.assert_array_equal(copied.predict(frame), got.predict(frame))


def test_categories_are_learned():
    frame = pandas_frame()
    trained = net(max_iter=150, learning_rate_init=0.01, hidden_layer_sizes=16).fit(frame, LABELS)
    assert trained.score(frame, LABELS) > 0.95


def test_what_comes_later():
    frame = pandas_frame()
    trained = net().fit(frame, LABELS)
    new = frame.head(3).assign(town=["Oslo", None, "Ulm"], age=[np.nan, 30.0, 40.0])
    assert np.isfinite(trained.predict_proba(new)).all()
    vectors = trained.model_.parameters["table.w"]
    counts = np.array(trained.table_.categories[0].counts)
    np.testing.assert_allclose(vectors[4], counts @ vectors[:5] / counts.sum())  # of unseen towns
    with pytest.raises(ValueError, match="feature names"):
        trained.predict(frame[["town", "age", "owner", "rooms"]])
    again = net(batch_size="auto").partial_fit(frame, LABELS, classes=["high", "low"]).partial_fit(new, LABELS[:3])
    assert np.isfinite(again.predict_proba(new)).all()


@pytest.mark.parametrize("chosen", [["town", "owner"], [1, 2], [False, True, True, False]])
def test_columns_may_be_named(chosen):
    frame = pandas_frame()
    want = net().fit(frame, LABELS)
    got = net(categorical_features=chosen).fit(frame, LABELS)
    np.testing.assert_array_equal(got.predict_proba(frame), want.predict_proba(frame))
    if chosen != ["town", "owner"]:
        rows = frame.astype(object).to_numpy()
        got = net(categorical_features=chosen).fit(rows, LABELS)
        np.testing.assert_array_equal(got.predict_proba(rows), want.predict_proba(frame))


def test_numbers_alone_stay_as_they_are():
    frame = pandas_frame()[["rooms"]]
    assert net().fit(frame, LABELS).table_ is None
    assert net().fit(pandas_frame()[["age"]], LABELS).table_.made_names == ["age", "age is missing"]
    with pytest.raises(ValueError, match="NaN"):
        net(categorical_features=None).fit(pandas_frame()[["age"]], LABELS)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_numbers_of_tables(solver):
    frame = pandas_frame()
    y = frame["rooms"] * (frame["town"] == "Bern")
    settings = {"max_fun": 2} if solver == "lbfgs" else {"early_stopping": True}
    trained = net(MLPRegressor, solver=solver, dtype="float32", **settings).fit(frame, y)
    assert trained.predict(frame).dtype == np.float32


def test_through_column_transformer():
    frame = pandas_frame()
    steps = [("numbers", StandardScaler(), ["rooms"]), ("categories", "passthrough", ["town", "owner"])]
    piped = make_pipeline(ColumnTransformer(steps).set_output(transform="pandas"), net())
    assert [one.name for one in clone(piped).fit(frame, LABELS)[-1].table_.categories] == [
        "categories__town",
        "categories__owner",
    ]
    assert cross_val_score(piped, frame, LABELS, cv=2).shape == (2,)
    steps = [("categories", OrdinalEncoder(), ["town", "owner"]), ("numbers", "passthrough", ["rooms"])]
    frame["town"] = frame["town"].where(frame["town"].notna(), np.nan)  # None would be a category to older encoders
    coded = make_pipeline(ColumnTransformer(steps), net(categorical_features=[0, 1])).fit(frame, LABELS)
    assert [column.counts[-2:] for column in coded[-1].table_.categories] == [[1, 0], [0, 0]]


@pytest.mark.parametrize("chosen", ["all", ["street"], [9], [True]])
def test_columns_that_are_not_there(chosen):
    with pytest.raises(ValueError, match="categories "):
        net(categorical_features=chosen).fit(pandas_frame(), LABELS)


def test_a_query_of_polars_is_refused_with_what_to_give():
    pl = pytest.importorskip("polars")
    lazy, fitted = polars_frame().lazy(), MLPClassifier(max_iter=2).fit(polars_frame(), LABELS)
    for call in (lambda: MLPClassifier().fit(lazy, LABELS), lambda: fitted.predict(lazy)):
        with pytest.raises(TypeError, match=r"X is a LazyFrame, expected its values: give X.collect\(\)"):
            call()
    assert isinstance(lazy, pl.LazyFrame)


@pytest.mark.parametrize("dtype", [None, object, "string", "category", "a frame"])
def test_labels_of_pandas_that_are_missing_are_told(dtype):
    """scikit-learn says of texts that the input contains NaN, and neither that it is y nor where."""
    pd = pytest.importorskip("pandas")
    labels = pd.Series([None if row in (3, 5) else label for row, label in enumerate(LABELS)])
    given = labels.to_frame() if dtype == "a frame" else labels.astype(dtype or labels.dtype)
    for frame in (pandas_frame(), pandas_frame()[["rooms"]]):
        with pytest.raises(ValueError, match=r"y has no class \(.+\) in 2 rows, the first is row 3: leave these rows"):
            MLPClassifier().fit(frame, given)


@pytest.mark.parametrize("dtype", ["String", "Categorical", "Boolean"])
def test_targets_of_polars(dtype):
    pl = pytest.importorskip("polars")
    y = pl.Series(LABELS == "high") if dtype == "Boolean" else pl.Series(LABELS.tolist(), dtype=getattr(pl, dtype))
    net = MLPClassifier((4,), max_iter=2, random_state=0).fit(polars_frame(), y)
    want = MLPClassifier((4,), max_iter=2, random_state=0).fit(polars_frame(), y.to_numpy())
    assert set(net.classes_) == set(y.to_list())
    np.testing.assert_array_equal(net.predict_proba(polars_frame()), want.predict_proba(polars_frame()))
    with pytest.raises(ValueError, match=r"y has no class \(None\) in 2 rows, the first is row 3"):
        net.fit(polars_frame(), pl.Series([None if row in (3, 5) else label for row, label in enumerate(y)]))


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_column_of_ten_thousand_categories(kind):
    """Each once, and rows that come later with one that is new."""
    pd = pytest.importorskip("pandas")
    town = [f"town {number}" for number in range(10_000)]
    frame = pd.DataFrame({"town": pd.Categorical(town), "rooms": np.arange(10_000.0) % 7})
    trained = net(kind, max_iter=1, categorical_features="from_dtype").fit(frame, np.arange(10_000) % 2)
    assert [column.rows for column in trained.table_.categories] == [10_002]
    later = frame.head(3).assign(town=pd.Categorical(["town 9999", "elsewhere", None]))
    assert np.isfinite(trained.predict(later)).all()
