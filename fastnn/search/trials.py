"""The trials of a sweep: each training, of settings and a seed, with its row and the state that it has left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastnn.common.text import figure_text
from fastnn.search.job import Outcome, Row
from fastnn.search.packing import digest
from fastnn.search.ranking import Figure, Standing, is_number, ranked, standing
from fastnn.search.store import Store

OVER = ("finished", "failed", "stopped")  # statuses of trials that are not trained again


@dataclass(eq=False)
class Trial:
    """One training of a sweep.

    settings  with the seed, where seeds are repeated
    group     the number of the settings without the seed
    row       what it has come to; {}: nothing yet
    """

    settings: dict[str, Any]
    group: int
    row: Row = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of its state's file."""
        return digest({name: str(value) for name, value in self.settings.items()})

    @property
    def status(self) -> str:
        """ "" if it has not begun."""
        return self.row.get("status", "")

    @property
    def failed(self) -> bool:
        """Whether it has no figure, and will have none."""
        return self.status in ("failed", "crashed")


class Trials:
    """All trials, which grow where a sampler asks for more.

    settings  of each group, without seeds
    all       group after group, one for each seed
    """

    def __init__(self, store: Store, seeds: Sequence[int], monitor: str, *, higher: bool):
        self.store, self.seeds, self.monitor, self.higher = store, seeds, monitor, higher
        self.settings: list[dict[str, Any]] = []
        self.all: list[Trial] = []

    def add(self, settings: Mapping[str, Any]) -> list[Trial]:
        """Trials of further settings, one for each seed, with the rows that an earlier call has left."""
        seeded = [{"seed": seed} for seed in self.seeds] or [{}]
        added = [Trial(dict(settings) | seed, len(self.settings)) for seed in seeded]
        for trial in added:
            row = self.store.find(trial.settings) or {}
            trial.row = {} if row.get("status") == "crashed" else row
        self.settings.append(dict(settings))
        self.all += added
        return added

    def group(self, number: int) -> list[Trial]:
        """The trials of the same settings."""
        size = max(1, len(self.seeds))
        return self.all[number * size : (number + 1) * size]

    def state(self, trial: Trial) -> bytes | None:
        """What it has left, from which it goes on; None: it begins."""
        return self.store.state(trial.name) if trial.status in ("paused", "stopped") else None

    def take(self, trial: Trial, outcome: Outcome) -> None:
        """Note what a step has come to; its state is on the disk when this returns."""
        before = {name: value for name, value in trial.row.items() if "@" in name}
        earlier = trial.row.get("seconds", 0.0) if trial.status == "paused" else 0.0
        trial.row = before | outcome.row
        if not trial.failed:
            trial.row["seconds"] += earlier
        if not trial.failed and not is_number(trial.row.get(self.monitor)):
            known = ", ".join(name for name, value in trial.row.items() if is_number(value) and name not in NO_FIGURES)
            trial.row |= {"status": "failed", "reason": f"its training reports no {self.monitor!r}; it has {known}"}
        if outcome.state is not None and not trial.failed:
            self.store.keep(trial.name, outcome.state)

    def save(self) -> None:
        """Write the table, and remove the states that nobody needs any more."""
        self.store.write(trial.settings | trial.row for trial in self.all if trial.row)
        self.store.retain(one.name for one in self._of_use())

    def ranked(self, groups: Iterable[int] | None = None, figure: Figure | None = None) -> list[Standing]:
        """How the settings did, the best first."""
        numbers = range(len(self.settings)) if groups is None else groups
        rows = {number: [trial.row for trial in self.group(number)] for number in numbers}
        return ranked((standing(*item, figure or self.figure) for item in rows.items()), higher=self.higher)

    def figure(self, row: Row) -> float | None:
        """The judged figure of a trial that was trained to its end."""
        value = row.get(self.monitor)
        return value if row.get("status") == "finished" and is_number(value) else None

    def best(self) -> list[Trial]:
        """The trials of the best settings, those that finished, the best first; [] if there are none."""
        found = self.ranked()
        if not found:
            return []
        done = [trial for trial in self.group(found[0].number) if self.figure(trial.row) is not None]
        return sorted(done, key=lambda trial: _order(trial.row, self.monitor, self.higher))

    def _of_use(self) -> list[Trial]:
        """The trials whose states may be needed: they go on, or may be the best."""
        best = self.best()
        open_groups = {trial.group for trial in self.all if trial.status not in OVER}
        return [*best, *(one for one in self.all if one.status != "stopped" and one.group in open_groups)]


NO_FIGURES = ("epochs_run", "best_epoch", "threads", "seconds")


def line_of(trials: Trials, trial: Trial, names: Iterable[str]) -> str:
    """What has become of a trial, and how many have ended; of its settings those of these names."""
    done = sum(one.status not in ("", "paused") for one in trials.all)
    settings = ", ".join(f"{name}={trial.settings[name]}" for name in names)
    value = trials.figure(trial.row)
    outcome = f"{trial.status}: {trial.row['reason']}" if value is None else figure_text(trials.monitor, value)
    what = "" if value is None else f"{trials.monitor} "
    return f"trial {done} of {len(trials.all)}: {settings}: {what}{outcome}"


def _order(row: Row, monitor: str, higher: bool) -> tuple[float, float]:
    loss: Any = row.get("val_loss", row.get("loss", 0.0))
    return (-row[monitor] if higher else row[monitor]), loss
