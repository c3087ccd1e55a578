"""When numbers stop being finite: back to the last good state, and forward again, one step and one operation at a time.

A training is a function of its state. So the steps since the last copy of that state can be run again with the same
bits, until the failing step is found, and then its first operation whose output is not finite.
"""

import itertools
import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from fastnn.common import bfloat16
from fastnn.training.runner import Runner

# Copying the state may take this fraction of the time: the next copy waits until the last one has paid for itself.
COPYING_FRACTION = 0.01


def _repeated(scalars: np.ndarray, steps: int) -> np.ndarray:
    return np.tile(scalars, (steps, 1))


class LastGoodState:
    """Copies of the arrays that training writes, and the optimizer's scalars of the steps since."""

    def __init__(self, runner: Runner, arrays: Sequence[np.ndarray]):
        self._runner = runner
        self._parameters = arrays
        self._arrays: list[np.ndarray] = []
        self._copies: list[np.ndarray] = []
        self._due = 0.0
        self._scalars: list[np.ndarray] = []

    def begin_chunk(self) -> None:
        """Forget the copy, made while other samples were at hand: the next `keep` makes one."""
        self._arrays = [*self._parameters, *self._runner.state_arrays()]
        self._due = 0.0
        self._copies = []
        self._scalars.clear()

    def keep(self) -> bool:
        """Copy the state, if a copy is due; False, and the older copy stays, if the state is no longer finite."""
        begin = time.perf_counter()
        if not self._agreed(begin >= self._due):
            return True
        if self._copies and not self._agreed(self.is_finite()):
            return False
        if self._copies:  # new ones beside the old ones would take twice the memory
            for copy, array in zip(self._copies, self._arrays, strict=True):
                copy[...] = array
        else:
            self._copies = [array.copy() for array in self._arrays]
        self._scalars.clear()
        now = time.perf_counter()
        self._due = now + (now - begin) / COPYING_FRACTION
        return True

    def _agreed(self, given: bool) -> bool:
        """What this process finds; of several that train together, whether all find it."""
        return given

    @property
    def nbytes(self) -> int:
        """The memory that the copies take. (Where numbers are no longer finite, `find` takes as much again.)"""
        return sum(array.nbytes for array in (*self._parameters, *self._runner.state_arrays()))

    def ran(self, scalars: np.ndarray) -> None:
        """Note the optimizer's scalars of the steps that follow, (steps, s)."""
        self._scalars.append(scalars.copy())

    def find(self) -> tuple[int, str]:
        """Go back and run again; leaves the state as it was before the step that fails.

        Returns the number of that step, from 0 in its epoch, and where its first number that is not finite appears.
        """
        self._restore()
        for scalars in itertools.chain(*self._scalars):
            before = [array.copy() for array in self._arrays]
            self._runner.advance(1, partial(_repeated, scalars))
            if not self._last_step_was_finite():
                self._copies = before
                self._restore()
                where = self._runner.first_not_finite(scalars)
                self._restore()
                return self._runner.steps_done, where
        return self._runner.steps_done, "in no step that was run again"

    def _restore(self) -> None:
        for array, copy in zip(self._arrays, self._copies, strict=True):
            array[...] = copy

    def _last_step_was_finite(self) -> bool:
        loss = self._runner.losses[self._runner.steps_done - 1]
        return bool(np.isfinite(loss)) and self._agreed(self.is_finite())

    def is_finite(self) -> bool:
        """Whether all that training writes is finite now: parameters, running statistics, state, figures."""
        return all(map(bfloat16.is_finite, self._arrays))
