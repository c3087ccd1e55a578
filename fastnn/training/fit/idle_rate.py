"""A warning where the learning rate is 0 for most of a training, because a schedule's `steps` were given as epochs."""

from fastnn.common.hints.habits import warn
from fastnn.nn.optimizers import Optimizer
from fastnn.nn.schedules import CosineDecay


def warn_of_idle_rate(optimizer: Optimizer, steps: int) -> None:
    """A UserWarning if the rate of the optimizer is 0 in more than half of the next `steps` steps."""
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
