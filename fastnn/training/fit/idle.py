"""Warnings of steps that change nothing: all parameters are frozen, or the learning rate is 0."""

from fastnn.common.hints.habits import warn
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import CosineDecay
from fastnn.training.models.model import Predictor


def warn_of_idle_steps(model: Predictor, optimizer: Optimizer, steps: int) -> None:
    """A UserWarning if the next `steps` steps change nothing, or more than half of them.

    Running statistics of a frozen batch normalisation stay as they are, too.
    """
    if model.parameters and model.network.frozen.issuperset(model.parameters):
        warn("all parameters are frozen, so the training changes nothing; model.unfreeze() lets them be trained")
    _warn_of_idle_rate(optimizer, steps)


def _warn_of_idle_rate(optimizer: Optimizer, steps: int) -> None:
    """If a schedule's `steps` were given as epochs, its rate is 0 for most of a training."""
    schedule, first = optimizer.lr, optimizer.iteration
    if not isinstance(schedule, CosineDecay) or schedule.end:
        return
    last = first + steps
    idle = last - max(first, schedule.steps)
    if idle > steps / 2:
        warn(
            f"the learning rate is 0 in {idle:,} of {steps:,} steps: CosineDecay ends at step {schedule.steps:,}, this "
            f"training at step {last:,}; its steps are those of all epochs, such as steps={last}"
        )
