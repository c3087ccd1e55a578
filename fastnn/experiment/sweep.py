"""A sweep of a system: every combination of given settings is a trial, which `fastnn.search` trains once.

sweep.csv in the sweep's folder has a row for each trial that has ended: id, data, all settings, status ("finished",
"failed" or "crashed"), reason, metrics, epochs_run, best_epoch, threads, seconds. A trial whose settings have a row is
not trained again, unless its process crashed or had no data.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from fastnn.common.text import SPLITS
from fastnn.data import Dataset
from fastnn.experiment.recipe import Recipe
from fastnn.search.plans import All
from fastnn.search.space import Axis, combinations, draw
from fastnn.search.store import Store
from fastnn.search.table import Owner
from fastnn.search.trials import Trials

METRICS = tuple(f"{split}_{name}" for split in SPLITS for name in ("loss", "accuracy", "r2"))


@dataclass(frozen=True)
class Grid:
    """The settings of a sweep.

    axes   name of a setting -> its values, in the order given, or a range
    base   the settings that the user gave for all trials
    count  trials that are drawn at random; 0: all combinations, and no axis is a range
    """

    recipe: Recipe
    axes: Mapping[str, Axis]
    base: dict[str, Any]
    quick: bool = False
    count: int = 0

    def trials(self) -> list[Any]:
        """The settings of each trial; the last axis changes fastest. ValueError for a value out of range."""
        chosen = draw(self.axes, self.count, self.base.get("seed", 0)) if self.count else combinations(self.axes)
        return [self.recipe.with_settings(self.base | changes, self.quick) for changes in chosen]


class Sweep:
    """The trials of a grid, with the rows of those that have ended.

    data    as loaded
    folder  for the table, which is `held`
    fresh   whether to forget an earlier table

    Raises ValueError for settings out of range, FileFormatError if the table is not a sweep's.
    """

    def __init__(self, grid: Grid, data: Dataset, folder: Path, *, fresh: bool = False):
        self.grid, self.data, self.folder = grid, data, folder
        self.source = str(data.meta["source"])
        self.judged_by = "r2" if data.meta.get("task") == "regression" else "accuracy"
        names = [field.name for field in fields(grid.recipe.settings)]
        store = Store(folder, owner_of(grid.recipe, self.source), names, fresh=fresh)
        self.trials = Trials(store, (), self.judged_metric, higher=True)
        self.plan = All(self.trials, map(asdict, grid.trials()))

    @property
    def judged_metric(self) -> str:
        """The metric by which trials are judged, on the validation set, else on the test or the training set."""
        splits = self.data.splits()
        return next(f"{split}_{self.judged_by}" for split in ("val", "test", "train") if split in splits)


def owner_of(recipe: Recipe, source: str) -> Owner:
    """Whose rows a system's table holds: a folder is one system's, and trials on other data are others."""
    return Owner(f"sweep of {recipe.id}", {"id": recipe.id, "data": source}, common=("id",), figures=METRICS)
