"""The estimators beside scikit-learn's own, at equal work: `python -m bench.sklearn_estimators`.

The same data, first weights, batches, epochs and penalty; the losses at the end are compared before the clock starts.
Figures are medians of turns taken one after the other, scikit-learn's time / fastnn's with its quartiles, whole `fit`.
"""

import statistics
import time
import warnings

import numpy as np
from sklearn import neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.preprocessing import scale

from fastnn import sklearn as ours

TURNS = 5
SETTINGS = {"hidden_layer_sizes": (100,), "n_iter_no_change": 10**9, "random_state": 0, "shuffle": True}
CASES = {
    "digits (1797, 64), 50 epochs": ("MLPClassifier", load_digits, 50),
    "breast cancer (569, 30), 100 epochs": ("MLPClassifier", load_breast_cancer, 100),
    "diabetes (442, 10), 100 epochs": ("MLPRegressor", load_diabetes, 100),
}


def timed(estimator, x, y):
    """The seconds of a fit, and the estimator."""
    begin = time.perf_counter()
    estimator.fit(x, y)
    return time.perf_counter() - begin, estimator


def compare(name, dtype):
    """Print a line on one data set in one dtype."""
    kind, load, epochs = CASES[name]
    x, y = load(return_X_y=True)
    x = scale(x).astype(dtype)
    y = scale(y) if kind == "MLPRegressor" else y
    estimators = [getattr(room, kind)(max_iter=epochs, **SETTINGS) for room in (theirs, ours)]
    losses = [timed(one, x, y)[1].loss_ for one in estimators]  # and warm
    if not np.isclose(*losses, rtol=0.2):  # each has its own order of samples
        raise SystemExit(f"{name}: losses {losses} are not those of equal work")
    turns = [[timed(one, x, y)[0] for one in estimators] for _ in range(TURNS)]
    other, own = (statistics.median(column) for column in zip(*turns, strict=True))
    low, middle, high = np.quantile([a / b for a, b in turns], [0.25, 0.5, 0.75])
    print(f"{name:36} {dtype}  {other * 1e3:7.1f} ms  {own * 1e3:6.1f} ms  {middle:5.1f} ({low:.1f} to {high:.1f})")


def main():
    warnings.simplefilter("ignore")
    print(f"{'':36} {'':7}  scikit-learn  fastnn  ratio (quartiles)")
    for name in CASES:
        for dtype in ("float32", "float64"):
            compare(name, dtype)


if __name__ == "__main__":
    main()
