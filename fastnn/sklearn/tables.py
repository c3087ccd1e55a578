"""Users' samples as a network takes them, checked as scikit-learn checks them; tables with categories become ids."""

from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_y, validate_data

import fastnn as fn
from fastnn.common.user_arrays import as_array, check_numbers, check_unmasked, refuse_lazy
from fastnn.data import frames
from fastnn.data.frames import Numbers
from fastnn.data.preprocessing.table import FROM_DTYPE
from fastnn.sklearn import data
from fastnn.sklearn.labels import refuse_missing

SPARSE = ["csr", "csc"]


def samples_and_target(estimator: Any, X: Any, y: Any, fresh: bool, y_numeric: bool) -> tuple[np.ndarray, np.ndarray]:
    """X (N, features) and y (N,) or (N, outputs) for the network; fresh: what they say of features is new.

    Sets the estimator's `table_`. Raises ValueError or TypeError for data that cannot be.
    """
    _refuse_samples(X)
    _refuse_target(y, y_numeric)
    if fresh:
        estimator.table_ = _table_of(X, estimator.categorical_features)
    if estimator.table_ is None:
        settings = {"accept_sparse": SPARSE, "multi_output": True, "dtype": data.FLOATS, "reset": fresh}
        X, y = validate_data(estimator, X, y, y_numeric=y_numeric, **settings)
        return data.dense(X, "X"), data.dense(y, "y")
    y = data.dense(_check_y(y, multi_output=True, y_numeric=y_numeric, estimator=estimator), "y")
    X = _encoded(estimator, X, fresh)
    check_consistent_length(X, y)
    return X, y


def samples(estimator: Any, X: Any) -> np.ndarray:
    """X (N, features) for the network of a trained estimator. ValueError or TypeError for data that cannot be."""
    _refuse_samples(X)
    if estimator.table_ is not None:
        return _encoded(estimator, X, False)
    X = validate_data(estimator, X, accept_sparse=SPARSE, dtype=data.FLOATS, reset=False)
    return data.dense(X, "X")


def _refuse_samples(X: Any) -> None:
    """DataError or TypeError for what scikit-learn would take as numbers: masked ones, dates and durations of NumPy."""
    refuse_lazy(X, "X")
    check_unmasked(X, "X")
    if isinstance(X, np.ndarray) and X.dtype.kind in "mMV":
        check_numbers(X, "X")


def _refuse_target(y: Any, y_numeric: bool) -> None:
    """DataError, TypeError or ValueError for targets that are masked, missing, or no numbers where these are needed."""
    check_unmasked(y, "y")
    if not y_numeric:
        refuse_missing(y)
    elif hasattr(y, "__array__") and (numbers := np.asarray(y)).dtype == object and numbers.ndim:
        try:
            numbers.astype(np.float64)
        except (TypeError, ValueError):
            as_array(numbers, "y")  # it says which one is none


def _encoded(estimator: Any, X: Any, fresh: bool) -> np.ndarray:
    """The rows of a table with categories."""
    X = X if hasattr(X, "shape") else np.array(X, dtype=object)
    validate_data(estimator, X, reset=fresh, skip_check_array=True)  # names and number of features
    return estimator.table_.encoded(X, "X", np.float32 if str(estimator.dtype) == "float32" else np.float64)


def _table_of(X: Any, categorical_features: Any) -> fn.Table | None:
    """How a table with categories is encoded; None for samples that go to the network as they are."""
    if categorical_features is None:
        return None
    if isinstance(categorical_features, str) and categorical_features == FROM_DTYPE:
        if not frames.is_frame(X):  # an array has one dtype for all of its columns
            return None
        columns = frames.columns_of(X, "X").values()
        if not any(column.is_category or _misses_some(column) for column in columns):
            return None
    return fn.Table.of(X, categories=categorical_features)


def _misses_some(column: frames.Column) -> bool:
    return isinstance(column, Numbers) and column.array.dtype.kind == "f" and bool(np.isnan(column.array).any())
