"""When numbers stop being finite: back to the last good state, and forward again one step, one row at a time.

A training is a function of its state, so the steps since the last copy of that state can be run again
with the same bits, until the step that fails is found, and then its first row whose output is not finite.
"""

import itertools
import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from fastnn.training.compile import Plan

# Copying the state may take this share of the time: the next copy waits until the last one has paid for itself.
SHARE = 0.01


def _repeated(rates: np.ndarray, steps: int) -> np.ndarray:
    return np.tile(rates, (steps, 1))


class LastGoodState:
    """Copies of the arrays that training writes, and the rates of the steps since."""

    def __init__(self, plan: Plan, arrays: Sequence[np.ndarray]):
        self._plan = plan
        self._parameters = arrays
        self._due = 0.0
        self._rates: list[np.ndarray] = []

    def begin_window(self) -> None:
        """Forget the copy, made while other samples were at hand: the next `keep` makes one."""
        self._arrays = [*self._parameters, *self._plan.position()]
        self._due = 0.0
        self._copies: list[np.ndarray] = []
        self._rates.clear()

    def keep(self) -> bool:
        """Copy the state, if a copy is due; False, and the older copy stays, if the state is no longer finite."""
        begin = time.perf_counter()
        if begin < self._due:
            return True
        if self._copies and not self._state_is_finite():
            return False
        self._copies = [array.copy() for array in self._arrays]
        self._rates.clear()
        now = time.perf_counter()
        self._due = now + (now - begin) / SHARE
        return True

    def ran(self, rates: np.ndarray) -> None:
        """Note the rates of the steps that follow."""
        self._rates.append(rates.copy())

    def find(self) -> tuple[int, str]:
        """Go back and run again; leaves the state as it was before the step that fails.

        Returns that step, counted from 0 in its epoch, and where its first number that is not finite stands.
        """
        self._restore()
        for rates in itertools.chain(*self._rates):
            before = [array.copy() for array in self._arrays]
            self._plan.advance(1, partial(_repeated, rates))
            if not self._is_finite():
                self._copies = before
                self._restore()
                where = self._plan.first_not_finite(rates)
                self._restore()
                return self._plan.steps_done, where
        return self._plan.steps_done, "in no step that was run again"

    def _restore(self) -> None:
        for array, copy in zip(self._arrays, self._copies, strict=True):
            array[...] = copy

    def _is_finite(self) -> bool:
        loss = self._plan.losses[self._plan.steps_done - 1]
        return bool(np.isfinite(loss)) and self._state_is_finite()

    def _state_is_finite(self) -> bool:
        return all(np.isfinite(array).all() for array in self._arrays if array.dtype.kind == "f")
