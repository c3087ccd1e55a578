"""When numbers stop being finite: back to the last good state, and forward again, one step and one operation at a time.

A training is a function of its state. So the steps since the last copy of that state can be run again with the same
bits, until the failing step is found, and then its first operation whose output is not finite.
"""

import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from fastnn.common import bfloat16
from fastnn.common.stash import Stash
from fastnn.training.passes.runner import Runner

# Copying the state may take this fraction of the time: the next copy waits until the last one has paid for itself.
COPYING_FRACTION = 0.01

# So many bytes a second are written at most to a disk, which is worn by that: 170 GB a day.
WRITTEN_PER_SECOND = 2e6


def _first(scalars: np.ndarray, steps: int) -> np.ndarray:
    return scalars[:steps]


class LastGoodState:
    """Copies of the arrays that training writes, and the optimizer's scalars of the steps since."""

    def __init__(self, runner: Runner, arrays: Sequence[np.ndarray]):
        self._runner = runner
        self._parameters = arrays
        self._arrays: list[np.ndarray] = []
        self._copies = Stash()
        self._due = 0.0
        self._scalars: list[np.ndarray] = []

    def begin_chunk(self) -> None:
        """Forget the copy, made while other samples were at hand: the next `keep` makes one."""
        self._arrays = self._written
        self._due = 0.0
        self._copies.clear()
        self._scalars.clear()

    @property
    def _written(self) -> list[np.ndarray]:
        """What the steps to come write."""
        return [*self._parameters, *self._runner.state_arrays()]

    def keep(self) -> bool:
        """Copy the state, if a copy is due; False, and the older copy stays, if the state is no longer finite."""
        begin = time.perf_counter()
        if not self._agreed(begin >= self._due):
            return True
        if not self._copies.is_empty and not self._agreed(self.is_finite()):
            return False
        self._copies.keep(self._arrays)
        self._scalars.clear()
        now = time.perf_counter()
        waits = self._bytes / WRITTEN_PER_SECOND if self._copies.is_filed else 0.0
        self._due = now + max((now - begin) / COPYING_FRACTION, waits)
        return True

    def _agreed(self, given: bool) -> bool:
        """What this process finds; of several that train together, whether all find it."""
        return given

    @property
    def _bytes(self) -> int:
        return sum(array.nbytes for array in self._written)

    def nbytes(self, record: int) -> int:
        """The bytes of memory that the copies take; 0 if they are in a file. record : bytes that steps will record"""
        return self._copies.memory_of(self._bytes + record)

    def ran(self, scalars: np.ndarray) -> None:
        """Note the optimizer's scalars of the steps that follow, (steps, s)."""
        self._scalars.append(scalars.copy())

    def find(self) -> tuple[int, str]:
        """Go back and run again; leaves the state as it was before the step that fails.

        Returns the number of that step, from 0 in its epoch, and where its first number that is not finite appears.
        """
        self._copies.put_back(self._arrays)
        for each in self._narrowed(np.concatenate(self._scalars)):
            if not self._runs_well(each[None]):
                self._copies.put_back(self._arrays)
                where = self._runner.first_not_finite(each)
                self._copies.put_back(self._arrays)
                return self._runner.steps_done, where
            self._copies.keep(self._arrays)
        return self._runner.steps_done, "in no step that was run again"

    def _narrowed(self, scalars: np.ndarray) -> np.ndarray:
        """Go on to the step that fails, by halves; the scalars of the steps that are left, that one's first.

        What is not finite stays so: where half of the steps run well, the step that fails is in the other half. So each
        step is run once, and large arrays are copied some times only.

        Not where a run of the program takes several steps that, cut in other places, would round in another way.
        """
        step = self._runner.step
        while len(scalars) > 1 and (step.block == 1 or step.divisible):
            half = len(scalars) // 2
            if self._runs_well(scalars[:half]):
                self._copies.keep(self._arrays)
                scalars = scalars[half:]
            else:
                self._copies.put_back(self._arrays)
                scalars = scalars[:half]
        return scalars

    def _runs_well(self, scalars: np.ndarray) -> bool:
        """Run steps with these scalars, (steps, s); whether the state is finite after them."""
        while len(scalars):
            steps = self._runner.advance(len(scalars), partial(_first, scalars))
            scalars = scalars[steps:]
        losses = self._runner.losses[: self._runner.steps_done]
        return bool(np.isfinite(losses).all()) and self._agreed(self.is_finite())

    def is_finite(self) -> bool:
        """Whether all that training writes is finite now: parameters, running statistics, state, figures."""
        return all(map(bfloat16.is_finite, self._arrays))
