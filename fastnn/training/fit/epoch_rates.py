"""The optimizer's scalars of steps in several epochs, computed before any of these epochs has begun."""

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.nn.optimizers import KINDS, Optimizer
from fastnn.nn.schedules import Schedule


def are_by_epoch(optimizer: Optimizer) -> bool:
    """Whether scalars may depend on the number of the epoch: a class of a user's own may compute them by it."""
    return isinstance(optimizer.lr, Schedule) or type(optimizer) not in KINDS


@ieee
def scalars_of(optimizer: Optimizer, first: int, steps: int, each: int) -> np.ndarray:
    """What the optimizer's kernel reads in the next steps, (steps, s), where each epoch has `each` of them.

    first : how many steps have been counted since the epoch in which the optimizer is began
    """
    epoch, iteration = optimizer.epoch, optimizer.iteration
    if not are_by_epoch(optimizer):
        return optimizer.scalars(iteration + np.arange(steps))
    ends = [*range(first - first % each + each, first + steps, each), first + steps]
    parts = []
    try:
        for begin, end in zip([first, *ends], ends, strict=False):
            optimizer.epoch, optimizer.iteration = epoch + begin // each, iteration + begin - first
            parts.append(optimizer.scalars(optimizer.iteration + np.arange(end - begin)))
    finally:
        optimizer.epoch, optimizer.iteration = epoch, iteration
    return np.concatenate(parts)


def rate_at(optimizer: Optimizer, iteration: int) -> float:
    """The learning rate at a step, in the epoch in which the optimizer is."""
    if are_by_epoch(optimizer) or isinstance(optimizer.lr, Schedule):
        return float(optimizer.learning_rates(np.array([iteration]))[0])
    return float(optimizer.lr)
