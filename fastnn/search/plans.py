"""Which trial is trained next, and how far: all to their end, or by successive halving."""

from collections import deque
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, Protocol

from fastnn.common.text import plural
from fastnn.common.validation import whole_number
from fastnn.search.job import Row
from fastnn.search.ranking import is_number
from fastnn.search.trials import Trial, Trials


class Plan(Protocol):
    """Hands out steps of trials.

    width : how many trials may run at once, beside what the place has room for
    """

    width: float

    def next(self) -> tuple[Trial, int] | None:
        """A trial and the epoch up to which it is trained now; None: nothing, until another one has ended."""

    def ended(self, trial: Trial) -> None:
        """Called after each step, when the trial's row is known."""


class All:
    """Every trial, to its end."""

    width = inf

    def __init__(self, trials: Trials, settings: Iterable[Mapping[str, Any]]):
        self._waiting = deque(
            trial for one in settings for trial in trials.add(one) if trial.status not in ("finished", "failed")
        )

    def next(self) -> tuple[Trial, int] | None:
        return (self._waiting.popleft(), NEVER) if self._waiting else None

    def ended(self, trial: Trial) -> None:
        """Nothing follows from it."""


NEVER = 2**62  # an epoch that no training reaches: to its end


def rungs(epochs: int, count: int, factor: int) -> list[int]:
    """The epochs after which the worse settings are stopped, and the last one: [3, 9, 27] for 27, 9 and 3.

    There are as many as divide `count` settings by `factor` until one is left, if the epochs allow.
    """
    found = [epochs]
    while count >= factor and found[0] >= factor:
        found.insert(0, found[0] // factor)
        count //= factor
    return found


class Halving:
    """Successive halving (Jamieson and Talwalkar, 2016): of n settings the best n / factor go on to the next rung.

    A trial goes on from the state that it had: nothing is trained twice. Seeds of the same settings go on together.
    """

    width = inf

    def __init__(self, trials: Trials, settings: Iterable[Mapping[str, Any]], epochs: int, factor: int):
        self._trials, self._factor = trials, whole_number("factor", factor, 2)
        for one in settings:
            trials.add(one)
        self._groups = list(range(len(trials.settings)))
        self._rungs, self._rung = rungs(epochs, len(self._groups), factor), 0
        self._running = 0
        self._waiting = self._of_rung()

    def next(self) -> tuple[Trial, int] | None:
        while not self._waiting and not self._running and self._rung < len(self._rungs) - 1:
            self._cut()
            self._rung += 1
            self._waiting = self._of_rung()
        if not self._waiting:
            return None
        self._running += 1
        return self._waiting.popleft(), self._until

    def ended(self, trial: Trial) -> None:
        self._running -= 1
        if trial.status in ("paused", "finished"):
            trial.row[self._column] = trial.row[self._trials.monitor]

    @property
    def _until(self) -> int:
        return self._rungs[self._rung] if self._rung < len(self._rungs) - 1 else NEVER

    @property
    def _column(self) -> str:
        return f"{self._trials.monitor}@{self._rungs[self._rung]}"

    def _of_rung(self) -> "deque[Trial]":
        """The trials that have not come to this rung."""
        found = [trial for number in self._groups for trial in self._trials.group(number)]
        return deque(trial for trial in found if not trial.failed and self._at_rung(trial.row) is None)

    def _at_rung(self, row: Row) -> float | None:
        """The figure that a trial had at this rung: the last one, if it ended before by itself."""
        value = row.get(self._column)
        if value is None and row.get("status") == "finished" and row["epochs_run"] <= self._rungs[self._rung]:
            value = row.get(self._trials.monitor)
        return value if is_number(value) else None

    def _cut(self) -> None:
        """Stop the settings that are not among the best of this rung."""
        found = [one.number for one in self._trials.ranked(self._groups, self._at_rung)]
        kept = found[: max(1, len(self._groups) // self._factor)]
        for place, number in enumerate(found, 1):
            for trial in self._trials.group(number) if number not in kept else ():
                if trial.status in ("paused", "stopped"):
                    reason = f"place {place} of {len(self._groups)} after {plural(self._rungs[self._rung], 'epoch')}"
                    trial.row |= {"status": "stopped", "reason": reason}
        self._groups = sorted(kept)
        self._trials.save()
