"""An estimator takes epochs together where its rules look at losses alone, and ends as if it took them one by one."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

import fastnn as fn
from fastnn.sklearn import MLPClassifier, MLPRegressor
from fastnn.training.fit.joined import JoinedLoop
from fastnn.training.passes import rounds
from fastnn.training.passes.rounds import RoundsRunner
from tests.tiny import THREADS, bits

COUNTS = sorted({1, min(2, THREADS)})
X = np.random.default_rng(0).normal(size=(90, 5))
Y = (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)
OF_TWO = {"batch_size": 40, "random_state": 1, "hidden_layer_sizes": (6,)}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True)
def _several_threads_from_the_beginning(monkeypatch):
    monkeypatch.setattr(rounds, "SECONDS_ALONE", 0.0)


def left(net):
    """All that a training leaves, but for times."""
    curves = net.loss_curve_, net.validation_curve_, net.validation_scores_, net.best_loss_, net.best_validation_score_
    counts = net.n_iter_, net.t_, net._no_improvement_count, net.model_.epoch, net._optimizer.iteration
    history = net.model_.history
    arrays = bits(net.model_.parameters), [array.tobytes() for array in net._optimizer.flat_state()]
    return *arrays, curves, counts, net._optimizer.lr, history.steps, history.stop_reason


def both(train):
    """What `train` leaves with epochs taken together, where that may be, and one by one."""
    got = left(train())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JoinedLoop, "_epochs_at_once", lambda self: 0)
        return got, left(train())


CASES = {
    "all epochs": {"max_iter": 12, "n_iter_no_change": np.inf},
    "no improvement": {"max_iter": 60, "tol": 0.01, "n_iter_no_change": 3},
    "none is tolerated": {"max_iter": 60, "tol": 0.02, "n_iter_no_change": 1},
    "adaptive": {
        "max_iter": 60,
        "tol": 0.02,
        "n_iter_no_change": 2,
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.05,
    },
    "invscaling": {"max_iter": 6, "solver": "sgd", "learning_rate": "invscaling"},
    "a validation score": {"max_iter": 30, "early_stopping": True, "n_iter_no_change": 2},
    "callbacks": {"max_iter": 6, "callbacks": [fn.Callback()]},
    "dropout": {"max_iter": 4, "dropout": 0.3},
    "a schedule": {"max_iter": 6, "learning_rate_init": fn.ExponentialDecay(0.01, 0.5)},
    "in order": {"max_iter": 6, "shuffle": False},
    "all samples a step": {"max_iter": 6, "batch_size": len(X)},
}


@pytest.mark.parametrize("threads", COUNTS)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_one_by_one(case, kind, threads):
    got, want = both(lambda: kind(**OF_TWO | CASES[case], n_threads=threads).fit(X, Y))
    assert got == want


@pytest.mark.parametrize("threads", COUNTS)
@pytest.mark.parametrize("early", [False, True])
def test_a_warm_start_and_partial_fit_go_on(early, threads):
    def train():
        net = MLPClassifier(**OF_TWO, max_iter=20, tol=0.01, n_iter_no_change=2, warm_start=True, n_threads=threads)
        net.set_params(early_stopping=early)
        net.fit(X, Y).fit(X, Y, sample_weight=np.linspace(0.5, 1, len(X)))
        net.set_params(early_stopping=False)
        return net.partial_fit(X[:70], Y[:70]).partial_fit(X[:30], Y[:30])

    got, want = both(train)
    assert got == want


@pytest.mark.parametrize("case", CASES)
def test_what_is_taken_together(case, monkeypatch):
    """As many epochs as must go by before anything can follow from them; dropout and others as ever."""
    taken = []
    begin = RoundsRunner.start_epochs

    def counted(runner, chunk, seed, epochs):
        taken.append(len(epochs))
        begin(runner, chunk, seed, epochs)

    monkeypatch.setattr(RoundsRunner, "start_epochs", counted)
    net = MLPClassifier(**OF_TWO | CASES[case]).fit(X, Y)
    apart = case in ("invscaling", "a validation score", "callbacks", "dropout", "all samples a step")
    assert sum(taken) == (0 if apart else net.n_iter_)
    if case == "no improvement":
        assert taken[0] == 4
        assert max(taken) == 4
    elif not apart and net.n_iter_no_change >= net.max_iter:
        assert len(taken) == 1


def test_lines_come_epoch_by_epoch(monkeypatch, capsys):
    monkeypatch.setattr(RoundsRunner, "start_epochs", None)
    MLPClassifier(**OF_TWO, max_iter=3, verbose=True).fit(X, Y)
    assert capsys.readouterr().out.count("Iteration") == 3


def test_a_training_that_diverges_keeps_the_epochs_before():
    def fails():
        net = MLPRegressor(**OF_TWO, max_iter=20, solver="sgd", learning_rate_init=1e3, momentum=0.0)
        with pytest.raises(ValueError, match="non-finite") as error:
            net.fit(1e3 * X, 1e5 * Y)
        return str(error.value).partition("at epoch")[2], net.loss_curve_, net.n_iter_, bits(net.model_.parameters)

    got = fails()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JoinedLoop, "_epochs_at_once", lambda self: 0)
        assert fails() == got
