"""The numbers that an optimizer's kernel reads in each step of a call."""

import numpy as np

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.optimizers import Optimizer

STEPS_PER_CALL = 4096  # at most: the rows of the table of scalars


def table_of_scalars(build: Builder, optimizer: Optimizer, parameters: NamedArrays) -> Buffer:
    """A place for the scalars of the steps of a call, (steps, s); the optimizer's state is made first."""
    optimizer.attach(parameters)
    one = optimizer.checked_scalars(np.array([optimizer.iteration]))  # a schedule may know no step before that one
    return build.array("scalars of a call", (STEPS_PER_CALL, one.shape[1]))
