"""Targets and estimators as users of scikit-learn's own MLPs have them: the same results, and errors that say more."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from fastnn.sklearn import MLPClassifier, MLPRegressor
from fastnn.sklearn.labels import Labels

X, LABELS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]
MANY, SEVERAL = make_multilabel_classification(60, 6, n_classes=4, random_state=0)
SMALL = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix], ids=["dense", "csr", "csc"])
def test_several_labels_are_predicted_in_the_form_in_which_they_came(form):
    """A sparse indicator for a sparse y, from `fit` and from the first `partial_fit` on."""
    y = form(SEVERAL)
    want, got = (kind(**SMALL).fit(MANY, y).predict(MANY) for kind in (theirs.MLPClassifier, MLPClassifier))
    assert type(got) is type(want)
    again = MLPClassifier(**SMALL).partial_fit(MANY, y, classes=range(4)).partial_fit(MANY, SEVERAL)
    assert sparse.issparse(again.predict(MANY)) == sparse.issparse(want)
    if sparse.issparse(want):
        net = MLPClassifier(**SMALL).fit(MANY, y)
        np.testing.assert_array_equal(got.toarray(), net.predict_proba(MANY) > 0.5)
        assert net.score(MANY, y) == net.score(MANY, SEVERAL)
        assert not sparse.issparse(net.fit(MANY, SEVERAL).predict(MANY))


@pytest.mark.parametrize("name", ["classes_", "coefs_", "intercepts_"])
def test_what_a_fit_finds_is_not_there_before_it(name):
    net = MLPClassifier(**SMALL)
    assert not hasattr(net, name)
    with pytest.raises(NotFittedError, match=r"This MLPClassifier instance is not fitted yet\. Call 'fit'"):
        getattr(net, name)
    assert hasattr(net.fit(X, LABELS), name)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_predictions_before_a_fit_are_told(method):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(MLPClassifier(), method)(X)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        MLPRegressor().predict(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            np.array([1, *NAMES[1:]], object),
            r"y is an array of dtype object with 1 \(int\) and 'setosa' \(str\), expected",
        ),
        (
            LABELS.astype(object),
            r"with 0 \(int\), expected texts alone, .*; np\.array\(list\(y\)\) makes those of them",
        ),
        (
            np.stack([LABELS, LABELS % 2], axis=1),
            r"y has 2 columns, .* use sklearn\.multioutput\.MultiOutputClassifier",
        ),
        (X[:, 0], "Unknown label type: continuous"),
    ],
    ids=["mixed", "objects", "columns", "numbers"],
)
def test_targets_that_are_no_labels_are_told(y, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**SMALL).fit(X, y)


def test_what_the_message_says_helps():
    net = MLPClassifier(**SMALL).fit(X, np.array(list(LABELS.astype(object))))
    np.testing.assert_array_equal(net.classes_, [0, 1, 2])
    mixed = MLPClassifier(**SMALL).fit(X, np.array(list(np.array([1, *NAMES[1:]], object))))
    assert mixed.classes_.tolist() == ["1", "setosa", "versicolor", "virginica"]


@pytest.mark.parametrize(
    "y", [NAMES, LABELS.astype(str), np.stack([NAMES, NAMES], axis=1)], ids=["names", "digits", "2"]
)
def test_a_regressor_takes_no_texts(y):
    """Which were told to be numbered as classes."""
    with pytest.raises(ValueError, match=r"y holds texts such as '\w+', expected numbers: .*; MLPClassifier predicts"):
        MLPRegressor(**SMALL).fit(X, y)


@pytest.mark.parametrize("other", [X[:, :3], None], ids=["fewer features", "none"])
def test_samples_that_do_not_fit_are_told_as_by_scikit_learn(other):
    said = []
    for kind in (theirs.MLPClassifier, MLPClassifier):
        with pytest.raises(ValueError, match=r"X has 3 features|Expected 2D array") as found:
            kind(**SMALL).fit(X, LABELS).partial_fit(other, LABELS)
        said.append(str(found.value))
    assert said[0] == said[1]


def test_columns_in_another_order_and_new_classes_are_told_as_by_scikit_learn():
    pandas = pytest.importorskip("pandas")
    frame, said = pandas.DataFrame(X, columns=list("abcd")), []
    for kind in (theirs.MLPClassifier, MLPClassifier):
        net = kind(**SMALL).fit(frame, LABELS)
        with pytest.raises(ValueError, match="Feature names must be in the same order") as order:
            net.predict(frame[list("dcba")])
        with pytest.raises(ValueError, match="classes not in") as classes:
            net.partial_fit(frame, LABELS + 1)
        said.append((str(order.value), str(classes.value)))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("rows", "y"),
    [
        (150, np.where(np.arange(150) == 0, 9, LABELS)),  # a class of one sample
        (30, np.arange(30) % 10),  # 3 samples set apart, of 10 classes
    ],
    ids=["one of a class", "fewer than classes"],
)
def test_classes_too_rare_to_be_in_both_parts_do_not_end_early_stopping(rows, y):
    """scikit-learn's own stratifies two classes alone, where it fails, too."""
    for kind in (theirs.MLPClassifier, MLPClassifier):
        assert len(kind(**SMALL, early_stopping=True).fit(X[:rows], y).validation_scores_) == 3
        with pytest.raises(ValueError, match="The least populated class"):
            kind(**SMALL, early_stopping=True).fit(X, np.arange(150) == 0)


@pytest.mark.parametrize("given", [X, sparse.csr_matrix(X)], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "around",
    [
        lambda net: BaggingClassifier(net, n_estimators=2, max_features=0.5, random_state=0),
        lambda net: StackingClassifier([("net", net)], LogisticRegression(tol=1e-10, max_iter=1_000), cv=2),
        lambda net: VotingClassifier([("net", net), ("linear", LogisticRegression())], voting="soft"),
    ],
    ids=["bagging", "stacking", "voting"],
)
def test_ensembles_take_it_as_they_take_scikit_learn_s_own(around, given):
    want, got = (
        around(kind(**SMALL, epsilon=1e-15)).fit(given, NAMES).predict_proba(given)
        for kind in (theirs.MLPClassifier, MLPClassifier)
    )
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_whole_numbers_are_checked_no_further_unless_most_of_them_occur_once():
    assert Labels.of(np.arange(30) // 2).classes.tolist() == list(range(15))
    assert Labels.of(np.arange(3, dtype=np.uint8)).classes.tolist() == [0, 1, 2]
    assert Labels.of(np.array([True, True, False, True])).classes.tolist() == [False, True]
    with pytest.warns(UserWarning, match="number of unique classes is greater"):
        Labels.of(np.arange(30))
