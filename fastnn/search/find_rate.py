"""`fn.find_rate`: a short training whose learning rate rises from step to step, on a copy of the model."""

import math
from typing import Any

import numpy as np

from fastnn.common.assigned import above_zero
from fastnn.common.errors import NonFiniteError
from fastnn.common.hints.habits import hinted
from fastnn.common.validation import whole_number
from fastnn.data.source import Source, source_of
from fastnn.many_arguments import fresh
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.nn.schedules import LARGEST_FACTOR, ExponentialDecay
from fastnn.ranks.group import refuse
from fastnn.search.rate_test import FEWEST, RateTest
from fastnn.training.callbacks import Callback, Run
from fastnn.training.fit.settings import Settings
from fastnn.training.models.statistics import fit_statistics
from fastnn.training.start import train

DIVERGED = 4  # a loss of more than this times the lowest one says nothing more about rates


@hinted
def find_rate(
    model: Model,
    x: Any,
    y: Any,
    *,
    optimizer: OptimizerName | Optimizer = "adam",
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int | None = 32,
    sample_weight: Any = None,
    class_weight: Any = None,
) -> RateTest:
    """Try learning rates in a short training: the learning-rate range test.

    A copy of the model is trained for `steps` steps, and each step has a higher learning rate than the one before: from
    `lowest` to `highest`, by the same factor each time. The losses of the steps show at which rates the model learns,
    and from which rate on it does not. The test ends early where the loss is four times its lowest value, or no longer
    finite. The same call gives the same numbers. The model and the optimizer stay as they are.

    The test is that of Smith ("Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3), who lets the
    rate rise by the same amount each step, and reads the accuracy.

    Args:
        model: Which stays as it is; one that is trained already is tried from where it is.
        x: The inputs, as for `fit`: arrays or streams.
        y: The targets, as for `fit`.
        optimizer: An optimizer, or the name of one. A copy of it at its beginning trains, whatever its own rate.
        lowest: The first learning rate.
        highest: The last learning rate.
        steps: How many steps there are: 10 or more.
        batch_size: Samples a step, as for the training to come: the best rate depends on it. None: all samples.
        sample_weight: As for `fit`.
        class_weight: As for `fit`.

    Returns:
        A RateTest: `rates`, `losses`, `suggestion`, `plot()`.

    Raises:
        ShapeError: If the shape of an array does not fit the network or the others.
        DataError: For data that cannot be trained on.
        TypeError: For arguments of another kind.
        ValueError: For arguments out of range.
        NonFiniteError: If the loss is not finite within the first steps: even `lowest` is too high.
        FastnnError: Within `fn.distributed()`.

    Examples:
        >>> test = fn.find_rate(model, x, y, optimizer=fn.SGD(momentum=0.9), batch_size=10)
        >>> 1e-6 < test.suggestion < 10
        True
        >>> history = model.fit(x, y, optimizer=fn.SGD(test.suggestion, momentum=0.9), batch_size=10)
    """
    refuse("find_rate")
    if not isinstance(model, Model):
        raise TypeError(f"model is {type(model).__name__}, expected a model such as fn.Sequential(...)")
    steps = whole_number("find_rate: steps", steps, FEWEST)
    rising, tried = _rising(lowest, highest, steps), _copy(model)
    taken = fresh(tried._optimizer(optimizer))
    taken.lr = rising
    losses = _losses(tried, source_of(tried.expected, x, y, sample_weight, class_weight), taken, batch_size, steps)
    return RateTest(rising(np.arange(len(losses)), 0), losses)


def _rising(lowest: float, highest: float, steps: int) -> ExponentialDecay:
    """The rates of the steps. ValueError where they do not rise, or each is twice the one before, or more."""
    lowest, highest = (above_zero("find_rate", *one) for one in (("lowest", lowest), ("highest", highest)))
    if not lowest < highest:
        raise ValueError(f"find_rate: lowest is {lowest:g} and highest is {highest:g}, expected lowest < highest")
    factor = (highest / lowest) ** (1 / (steps - 1))
    if factor >= LARGEST_FACTOR:
        raise ValueError(
            f"find_rate: in {steps} steps from {lowest:g} to {highest:g} each rate is {factor:.3g} times the one "
            f"before, expected less than {LARGEST_FACTOR}: more steps, or a narrower range"
        )
    return ExponentialDecay(lowest, factor, per="step")


def _copy(model: Model) -> Model:
    """Another model in the same state, without its history."""
    made = Model.of(model.network, dtype=model.dtype.name, seed=model.seed)
    made.restore(model.snapshot())
    made.epoch, made.preprocessing, made.columns = model.epoch, model.preprocessing, model.columns
    return made


def _losses(model: Model, source: Source, optimizer: Optimizer, batch_size: int | None, steps: int) -> np.ndarray:
    """The losses of the first `steps` steps of a training, or of fewer where it diverges."""
    batch = source.batch(None if batch_size is None else whole_number("batch_size", batch_size))
    epochs = -(-steps // -(-source.samples // batch))
    settings = Settings(optimizer, batch_size, epochs, None, 1, True, (_Watch(steps),), False)
    fit_statistics(model, source)
    try:
        train(model, settings, source, None)
    except NonFiniteError:
        if len(model.history.steps["loss"]) < FEWEST:
            raise
    return np.array(model.history.steps["loss"])


class _Watch(Callback):
    """Ends a training after a number of steps, or where its loss is far above the lowest."""

    every = 1

    def __init__(self, steps: int):
        self.steps, self.lowest = steps, math.inf

    def on_batch_end(self, run: Run) -> None:
        losses = run.history.steps["loss"]
        latest = float(np.mean(losses[-FEWEST // 2 :]))
        self.lowest = min(self.lowest, latest)
        if len(losses) >= self.steps or (len(losses) >= FEWEST and latest > DIVERGED * self.lowest > 0):
            run.stop("the test of learning rates has ended")
