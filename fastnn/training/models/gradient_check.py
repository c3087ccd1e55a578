"""Analytic gradients against central differences."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastnn.common.hints.habits import hinted
from fastnn.common.validation import real_number, whole_number
from fastnn.training.models.model import Predictor

Stencil = tuple[tuple[int, float], ...]  # (offset in steps, weight)

# The fourth-order stencil's error is h⁴·f⁗/30 + ε·|f|/h: at float64's ε about 1e-3 balances the two.
STEP = 1e-3
SMALLER = (1.0, 0.1, 0.01, 0.001)  # the steps that are tried, as fractions of the first
CLOSE = 1e-8  # of the largest gradient: no smaller step is tried below this difference
ROUNDING = 1e-11
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
ONE_SIDED = ((0, -3 / 2), (1, 2), (2, -1 / 2))


@hinted
def check_gradients(
    model: Predictor, x: Any, y: Any, *, step: float = STEP, entries: int | None = None, seed: int = 0
) -> dict[str, float]:
    """Largest |analytic − numeric| over largest |analytic|, by parameter, on the batch (x, y).

    Computed on a float64 copy of the model; about 1e-8 or less is to be expected.

    A step that crosses a kink of relu or of max-pooling says nothing about the gradient. Where the two differ, steps
    that are smaller than `step` by up to 1,000 times are tried, and the nearest counts: a wrong gradient differs at all
    of them. On the kink itself any value between the slopes of the two sides is right.

    Args:
        model: The model, which stays as it is.
        x: The inputs of the batch, (N, *input_shape).
        y: Its targets, as for `fit`.
        step: How far entries are moved.
        entries: The number of entries of each array that are looked at, instead of all.
        seed: Chooses these entries.

    Returns:
        The relative error by the name of each parameter that is not frozen.

    Raises:
        TypeError: If `model` is no model.
        ValueError: For fewer than 1 entries.

    Examples:
        >>> errors = fn.check_gradients(model, x, y, entries=5)
        >>> max(errors.values()) < 1e-6
        True
    """
    if not isinstance(model, Predictor):
        raise TypeError(f"model is {type(model).__name__}, expected a model")
    step, entries = real_number("step", step), entries if entries is None else whole_number("entries", entries)
    copy = Predictor(model.network, dtype="float64", seed=model.seed)
    copy.restore(model.snapshot())
    copy.preprocessing, copy.columns = model.preprocessing, model.columns
    _, analytic = copy.loss_and_gradients(x, y)
    loss = copy.batch_loss(x, y)
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    overall = max((np.abs(array).max() for array in analytic.values()), default=0.0)
    errors = {}
    for name, array in copy.parameters.items():
        if name not in analytic:  # it is frozen
            continue
        largest = np.abs(analytic[name]).max()
        # A gradient that is 0 but for rounding (a bias before batch normalisation) is measured by the others.
        scale = largest if largest > ROUNDING * overall else overall
        worst = 0.0
        for index in _chosen(array.shape, entries, rng):
            line = _Line(loss, array, index)
            worst = max(worst, line.distance(analytic[name][index], step, CLOSE * scale))
        errors[name] = float(worst / scale) if scale else float(worst)
    return errors


def _chosen(shape: tuple[int, ...], entries: int | None, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    everything = list(np.ndindex(shape))
    if entries is None or entries >= len(everything):
        yield from everything
    else:
        yield from (everything[i] for i in rng.choice(len(everything), entries, replace=False))


class _Line:
    """The loss as a function of one entry of a parameter, array[index]."""

    def __init__(self, loss: Callable[[], float], array: np.ndarray, index: tuple[int, ...]):
        self.loss, self.array, self.index = loss, array, index

    def distance(self, slope: float, step: float, close: float) -> float:
        """How far `slope` is from the numeric derivative, at the step where the two are nearest."""
        nearest = np.inf
        for fraction in SMALLER:
            nearest = min(nearest, abs(self._derivative(STENCIL, fraction * step) - slope))
            if nearest <= close:
                return float(nearest)
        right, left = (self._derivative(ONE_SIDED, sign * SMALLER[-2] * step) for sign in (1, -1))
        return float(min(nearest, max(min(left, right) - slope, slope - max(left, right), 0.0)))

    def _derivative(self, stencil: Stencil, step: float) -> float:
        """Σ weight · loss(entry + offset · step) / step."""
        kept, total = self.array[self.index], 0.0
        for offset, weight in stencil:
            self.array[self.index] = kept + offset * step
            total += weight * self.loss()
        self.array[self.index] = kept
        return total / step
