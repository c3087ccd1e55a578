"""Analytic gradients against central differences."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn.training.model import Predictor

# The fourth-order stencil's error is h⁴·f⁗/30 + ε·|f|/h: at float64's ε about 1e-3 balances the two.
STEP = 1e-3
ROUNDING = 1e-11
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def check_gradients(
    model: Predictor, x: Any, y: Any, *, step: float = STEP, entries: int | None = None, seed: int = 0
) -> dict[str, float]:
    """Largest |analytic − numeric| over largest |analytic|, by parameter, on the batch (x, y).

    Computed on a float64 copy of the model; about 1e-8 or less is to be expected away from the kinks
    of relu. `entries`: the number of entries of each array that are looked at, chosen by `seed`, instead of all.
    """
    copy = Predictor(model.network, dtype="float64", seed=model.seed)
    copy.restore(model.snapshot())
    copy.preprocessing = model.preprocessing
    _, analytic = copy.loss_and_gradients(x, y)
    loss = copy.batch_loss(x, y)
    rng = np.random.default_rng(seed)
    overall = max((np.abs(array).max() for array in analytic.values()), default=0.0)
    errors = {}
    for name, array in copy.parameters.items():
        if name not in analytic:  # it is frozen
            continue
        worst = 0.0
        for index in _chosen(array.shape, entries, rng):
            worst = max(worst, abs(_difference(loss, array, index, step) - analytic[name][index]))
        largest = np.abs(analytic[name]).max()
        # A gradient that is 0 but for rounding (a bias before batch normalisation) is measured by the others.
        scale = largest if largest > ROUNDING * overall else overall
        errors[name] = float(worst / scale) if scale else float(worst)
    return errors


def _chosen(shape: tuple[int, ...], entries: int | None, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    everything = list(np.ndindex(shape))
    if entries is None or entries >= len(everything):
        yield from everything
    else:
        yield from (everything[i] for i in rng.choice(len(everything), entries, replace=False))


def _difference(loss, array: np.ndarray, index: tuple[int, ...], step: float) -> float:
    """∂loss/∂array[index] by the fourth-order central stencil."""
    kept = array[index]
    total = 0.0
    for offset, weight in STENCIL:
        array[index] = kept + offset * step
        total += weight * loss()
    array[index] = kept
    return total / step
