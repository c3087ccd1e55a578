"""What the parameters of an estimator may be, checked when it is trained, as scikit-learn wants it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.common.validation import is_number, is_whole_number
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import Schedule

SOLVERS = ("adam", "sgd", "lbfgs")
SKLEARN_ACTIVATIONS = {"logistic": "sigmoid"}  # others have the same name in both


def _between(low: float, high: float) -> Callable[[Any], bool]:
    """Whether a value is a number from `low` on and below `high`."""
    return lambda value: is_number(value) and low <= value < high


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_count(value: Any) -> bool:
    return is_whole_number(value) and value >= 1


def _above_zero(value: Any) -> bool:
    return is_number(value) and 0 < value < math.inf


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "solver": (
        lambda value: isinstance(value, Optimizer) or (isinstance(value, str) and value in SOLVERS),
        "'adam', 'sgd', 'lbfgs' or an optimizer such as fn.AdamW(1e-3)",
    ),
    "alpha": (_between(0, math.inf), "a number ≥ 0"),
    "batch_size": (lambda value: _is_count(value) or (isinstance(value, str) and value == "auto"), "'auto' or ≥ 1"),
    "learning_rate": (
        lambda value: isinstance(value, str) and value in ("constant", "invscaling", "adaptive"),
        "'constant', 'invscaling' or 'adaptive'",
    ),
    "learning_rate_init": (
        lambda value: isinstance(value, Schedule) or _above_zero(value),
        "a number above 0 or a schedule such as fn.CosineDecay(…)",
    ),
    "power_t": (_between(0, math.inf), "a number ≥ 0"),
    "max_iter": (_is_count, "a whole number ≥ 1"),
    "shuffle": (_is_truth, "True or False"),
    "tol": (_between(0, math.inf), "a number ≥ 0"),
    "warm_start": (_is_truth, "True or False"),
    "momentum": (_between(0, 1), "0 ≤ momentum < 1"),
    "nesterovs_momentum": (_is_truth, "True or False"),
    "early_stopping": (
        lambda value: _is_truth(value) or (isinstance(value, str) and value == "loss"),
        "True, False or 'loss'",
    ),
    "validation_fraction": (_between(0, 1), "0 ≤ validation_fraction < 1"),
    "beta_1": (_between(0, 1), "0 ≤ beta_1 < 1"),
    "beta_2": (_between(0, 1), "0 ≤ beta_2 < 1"),
    "epsilon": (_above_zero, "a number above 0"),
    "n_iter_no_change": (lambda value: _is_count(value) or value == math.inf, "a whole number ≥ 1, or infinity"),
    "max_fun": (_is_count, "a whole number ≥ 1"),
    "dropout": (_between(0, 1), "0 ≤ dropout < 1"),
    "batch_norm": (_is_truth, "True or False"),
    "dtype": (lambda value: str(value) in ("auto", "float32", "float64"), "'auto', 'float32' or 'float64'"),
    "n_threads": (lambda value: value is None or _is_count(value), "None or a whole number ≥ 1"),
}


def check(estimator: Any) -> None:
    """ValueError for a parameter that cannot be; layers and callbacks are checked where they are used."""
    kind = type(estimator).__name__
    for name, (holds, expected) in RULES.items():
        value = getattr(estimator, name)
        if not holds(value):
            raise ValueError(f"{kind}: {name} is {value!r}, expected {expected}")
    if any(not _is_count(size) for size in sizes(estimator)):
        expected = "> 0" if all(map(is_whole_number, sizes(estimator))) else "whole numbers"
        raise ValueError(f"{kind}: hidden_layer_sizes must be {expected}, got {list(sizes(estimator))}")


def sizes(estimator: Any) -> tuple[int, ...]:
    """`hidden_layer_sizes` as a tuple: one number is one layer."""
    given = estimator.hidden_layer_sizes
    return tuple(given) if np.iterable(given) and not isinstance(given, str) else (given,)


def is_stochastic(estimator: Any) -> bool:
    """Whether there is a partial_fit; AttributeError says why not."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
