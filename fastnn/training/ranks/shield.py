"""Ctrl-C and SIGTERM on several ranks: they take effect on all of them at the same step."""

from typing import Any

import numpy as np

from fastnn.common.interrupt import InterruptShield
from fastnn.ranks.group import Group


class GroupShield(InterruptShield):
    """A signal takes effect on all ranks, where `agree` finds that one of them has got it; a second one at once."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self._group = group

    def __enter__(self) -> "GroupShield":
        super().__enter__()
        self.catch_termination()
        return self

    def agree(self) -> None:
        """KeyboardInterrupt on all ranks, or what else a signal does, if one of them has got a signal."""
        number = 0 if self._pending is None else self._pending[0]
        numbers = self._group.of_each(np.array([number]))
        first = next((one for one in numbers.ravel().tolist() if one), 0)
        if not first:
            return
        pending, self._pending = self._pending, None
        effect: Any = self._effects.get(first)
        try:
            if effect is not None and pending is not None and pending[0] == first:
                effect(*pending)
            raise KeyboardInterrupt
        except BaseException as error:
            self._group.agreed = error
            raise

    def _take_effect(self) -> None:
        """Not now: see `agree`."""

    def _handle(self, number: int, frame: Any) -> None:
        if self._pending is None:
            self._pending = (number, frame)
        else:
            self._effects[number](number, frame)
