"""Gradients against central differences, measured as the course sheets measure them.

`fn.check_gradients` is the library's own check: it divides by the largest gradient of an array. The sheets divide each
difference by the two gradients that it is of, so that their printed figures stand beside these.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastnn.experiment.answers import Row, Table
from fastnn.models import Sequential

STEP = 1e-5  # the sheets'
LEAST = 1e-8  # the least denominator, where both gradients are about 0


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """The largest |a − b| / max(1e-8, |a| + |b|) of any element."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float((np.abs(a - b) / np.maximum(LEAST, np.abs(a) + np.abs(b))).max())


def numeric_gradient(value: Callable[[], Any], array: np.ndarray, upstream: Any = 1.0) -> np.ndarray:
    """The gradient by each element of `array`, which `value()` reads: (f(x + STEP) − f(x − STEP)) / (2·STEP).

    upstream : the gradient by each element of `value()`, where that is an array
    """
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        after = value()
        array[index] = kept - STEP
        gradient[index] = np.sum((after - value()) * upstream) / (2 * STEP)
        array[index] = kept
    return gradient


def errors_of(model: Sequential, x: np.ndarray, y: np.ndarray, names: Mapping[str, str]) -> dict[str, float]:
    """The relative error of the gradient by each parameter on the batch (x, y).

    names : parameter -> the sheet's name of it, under which its error is returned
    """
    _, gradients = model.loss_and_gradients(x, y)
    loss = model.batch_loss(x, y)
    return {
        shown: relative_error(gradients[name], numeric_gradient(loss, model.parameters[name]))
        for name, shown in names.items()
    }


def error_table(
    rows: Mapping[str, Mapping[str, float]],
    published: Mapping[str, Mapping[str, float]],
    names: str,
    title: str,
    prefix: str = "",
) -> Table:
    """The rows (label -> errors) with the figures in `names`, which spaces separate, beside the published ones.

    prefix : what labels begin with and the title says; it is left out of the table
    """
    wanted = names.split()

    def only(figures: Mapping[str, float]) -> dict[str, float]:
        return {name: figures[name] for name in wanted if name in figures}

    found = {label: (only(errors), only(published.get(label, {}))) for label, errors in rows.items()}
    return Table([Row(label.removeprefix(prefix), *figures) for label, figures in found.items()], title)


def largest(rows: Mapping[str, Mapping[str, float]]) -> str:
    """One sentence: the largest error of all, and where it is."""
    error, label, name = max((error, label, name) for label, found in rows.items() for name, error in found.items())
    return f"The largest relative error is {error:.1e}, of {name} ({label}); central differences with step {STEP:g}."
