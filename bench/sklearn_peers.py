"""The estimators beside scikit-learn's own MLPs and skorch, at equal work: `python -m bench.sklearn_peers`.

The same data, batches, epochs, solver and penalty, and nobody stops early; fastnn and scikit-learn also begin with the
same weights. The losses at the end are compared before the clock starts. Times are of a whole `fit`, medians of turns
taken one after the other; ratios to fastnn are medians of paired turns, with quartiles.

`--search` times a grid search instead: 24 candidates, 5 folds, 2 jobs, each library in a pool of fresh processes, which
find fastnn's bytecode on disk as they find scikit-learn's: pip leaves it there, a checkout may not. `--short` times
trainings of 1 to 200 epochs on 200 samples, in which preparations count.
skorch is left out where it is not installed.
"""

import argparse
import compileall
import statistics
import time
import warnings
from importlib.util import find_spec

import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn import neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_classification, make_regression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

import fastnn
import fastnn_kernels
from bench.machine import blas
from fastnn import sklearn as ours

TURNS, SHORT_TURNS, SEARCHES = 5, 31, 3
ALPHA, BATCH, UNITS, SEED = 1e-4, 200, 100, 0
SETTINGS = {"hidden_layer_sizes": (UNITS,), "alpha": ALPHA, "n_iter_no_change": 10**9, "random_state": SEED}
CASES = {
    "digits (1797, 64), 50 epochs": ("MLPClassifier", lambda: load_digits(return_X_y=True), 50),
    "breast cancer (569, 30), 100 epochs": ("MLPClassifier", lambda: load_breast_cancer(return_X_y=True), 100),
    "diabetes (442, 10), 100 epochs": ("MLPRegressor", lambda: load_diabetes(return_X_y=True), 100),
    "generated classes (5000, 20), 20 epochs": (
        "MLPClassifier",
        lambda: make_classification(5000, 20, n_informative=10, n_classes=4, random_state=SEED),
        20,
    ),
    "generated numbers (2000, 50), 30 epochs": (
        "MLPRegressor",
        lambda: make_regression(2000, 50, noise=10, random_state=SEED),
        30,
    ),
}
SHORT = {
    f"generated classes (200, 20), epochs: {epochs}": (
        "MLPClassifier",
        lambda: make_classification(200, 20, n_informative=10, n_classes=4, random_state=SEED),
        epochs,
    )
    for epochs in (1, 5, 20, 200)
}
GRID = {
    "hidden_layer_sizes": [(25,), (50,), (100,)],
    "alpha": [1e-4, 1e-2],
    "learning_rate_init": [3e-3, 1e-3, 3e-4, 1e-4],
}


def of_skorch(kind, x, y, epochs):
    """An estimator of skorch for these data."""
    import skorch
    import torch

    torch.manual_seed(SEED)
    outputs = len(np.unique(y)) if kind == "MLPClassifier" else 1
    net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, outputs))
    net = net.to(torch.float32 if x.dtype == np.float32 else torch.float64)
    of_kind, criterion = {
        "MLPClassifier": (skorch.NeuralNetClassifier, torch.nn.CrossEntropyLoss),
        "MLPRegressor": (skorch.NeuralNetRegressor, torch.nn.MSELoss),
    }[kind]
    return of_kind(
        net,
        criterion=criterion,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        optimizer__weight_decay=ALPHA / BATCH,
        batch_size=BATCH,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def loss_at_end(estimator):
    """The mean loss of the last epoch; skorch's square is not halved."""
    if hasattr(estimator, "loss_"):
        return estimator.loss_
    loss = estimator.history[-1]["train_loss"]
    return loss / 2 if "Regressor" in type(estimator).__name__ else loss


def timed(make, x, y):
    """The seconds of a fit, and the estimator."""
    estimator = make()
    begin = time.perf_counter()
    estimator.fit(x, y)
    return time.perf_counter() - begin, estimator


def compare(name, case, dtype, with_skorch, count):
    """Print a line on one data set in one dtype, of `count` turns; the ratios of scikit-learn and of skorch."""
    kind, load, epochs = case
    x, y = load()
    x, y = scale(x).astype(dtype), scale(y).astype(dtype) if kind == "MLPRegressor" else y
    makes = [lambda room=room: getattr(room, kind)(max_iter=epochs, **SETTINGS) for room in (ours, theirs)]
    given = [(x, y)] * 2
    if with_skorch:
        makes.append(lambda: of_skorch(kind, x, y, epochs))
        given.append((x, y[:, None] if kind == "MLPRegressor" else y.astype(np.int64)))
    losses = [loss_at_end(timed(make, *data)[1]) for make, data in zip(makes, given, strict=True)]  # and warm
    # Each has its own order of samples, skorch also its own first weights, and of two classes two scores.
    if not np.isclose(losses[0], losses[1], rtol=0.2) or max(losses) > 2 * min(losses) + 0.05:
        raise SystemExit(f"{name} {dtype}: losses {losses} are not those of equal work")
    turns = [[timed(make, *data)[0] for make, data in zip(makes, given, strict=True)] for _ in range(count)]
    times = [statistics.median(column) for column in zip(*turns, strict=True)]
    ratios = [np.quantile([turn[i] / turn[0] for turn in turns], [0.5, 0.25, 0.75]) for i in range(1, len(makes))]
    shown = "  ".join(f"{middle:6.2f} ({low:.2f} to {high:.2f})" for middle, low, high in ratios)
    print(f"{name:40} {dtype}  " + " ".join(f"{seconds * 1e3:8.1f} ms" for seconds in times) + f"  {shown}", flush=True)
    return [float(middle) for middle, _, _ in ratios]


def fits(cases, count):
    """A line for each data set and dtype, then medians."""
    warnings.simplefilter("ignore")
    with_skorch = find_spec("skorch") is not None
    others = ["scikit-learn", "skorch"] if with_skorch else ["scikit-learn"]
    print(f"{'':40} {'':7}  " + " ".join(f"{one:>11}" for one in ("fastnn", *others)) + "  ratios (quartiles)")
    each = [(*case, dtype) for case in cases.items() for dtype in ("float32", "float64")]
    ratios = [compare(name, case, dtype, with_skorch, count) for name, case, dtype in each]
    for one, column in zip(others, zip(*ratios, strict=True), strict=True):
        print(f"{one}'s time / fastnn's, median of {len(column)}: {statistics.median(column):.1f}")


def search():
    """Searches of both, in turns, each in a pool of worker processes of its own, which begins with it."""
    warnings.simplefilter("ignore")
    for package in (fastnn, fastnn_kernels):
        compileall.compile_dir(package.__path__[0], quiet=2)
    turns = [[searched(room) for room in (ours, theirs)] for _ in range(SEARCHES)]
    print(f"fastnn's time / scikit-learn's: {statistics.median(own / other for own, other in turns):.2f}")


def searched(room):
    """The seconds of one search; what it found is printed."""
    x, y = load_digits(return_X_y=True)
    x = scale(x)
    get_reusable_executor().shutdown()
    settings = {"max_iter": 30, "n_iter_no_change": 10**9, "random_state": SEED}
    found = GridSearchCV(room.MLPClassifier(**settings), GRID, cv=5, n_jobs=2)
    begin = time.perf_counter()
    found.fit(x, y)
    seconds, scores = time.perf_counter() - begin, found.cv_results_["mean_test_score"]
    print(
        f"{room.__name__:24} {seconds:6.1f} s  best {found.best_score_:.4f} {found.best_params_}, "
        f"mean of {len(scores)} candidates {scores.mean():.4f}",
        flush=True,
    )
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", action="store_true", help="a grid search instead of single fits")
    parser.add_argument("--only", default="", help="data sets whose names hold this text")
    parser.add_argument("--short", action="store_true", help="trainings of few epochs on 200 samples")
    chosen = parser.parse_args()
    print(f"scikit-learn's products: {blas()}")
    found = {name: case for name, case in (SHORT if chosen.short else CASES).items() if chosen.only in name}
    search() if chosen.search else fits(found, SHORT_TURNS if chosen.short else TURNS)
