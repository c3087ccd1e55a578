"""What trains the trials of a system, in any process: by the recipe's id, on data that each process loads once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fastnn.common.errors import DataError, FastnnError
from fastnn.data import Dataset
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.train_one import train_one
from fastnn.recipes import ALL
from fastnn.search.job import Outcome, Step


@dataclass(frozen=True)
class SystemJob:
    """The job of a system's sweep.

    path      the data's file, under which all workers have it, or None if none was given
    source    where the data come from
    settings  of any trial: those by which a recipe reads its data are the same in all
    here      the data as this process has loaded them, which are not sent to others
    """

    recipe_id: str
    path: Path | None
    quick: bool
    source: str
    settings: Any
    here: Dataset | None = None
    prepared: dict[str, Dataset] = field(default_factory=dict)  # by dtype

    def __reduce__(self) -> tuple[Any, ...]:
        return SystemJob, (self.recipe_id, self.path, self.quick, self.source, self.settings)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe for these data; every setting is given with a trial."""
        recipe = ALL[self.recipe_id]
        return recipe.suited(recipe, self.path, {})

    @cached_property
    def data(self) -> Dataset:
        """As loaded. DataError if no path is given and those found here are not of `source`; else errors of loading."""
        if self.here is not None:
            return self.here
        data = self.recipe.find(self.path, self.quick, self.settings)[0]
        if self.path is None and (found := str(data.meta["source"])) != self.source:
            what = f"the worker's data are {found}, expected {self.source}"
            raise DataError(f"{what}: give --data, a path that all workers have")
        return data

    def load(self, settings: Mapping[str, Any]) -> None:
        """Prepare the data for a trial's dtype, once."""
        dtype = settings["dtype"]
        if dtype not in self.prepared:
            self.prepared[dtype] = self.recipe.prepare(self.data, dtype, self.settings)

    def trained(self, step: Step) -> Outcome:
        """Train a trial to its end. FastnnError for an error in its settings, and for divergence."""
        settings = type(self.settings)(**step.settings)
        try:
            run = train_one(self.recipe, "trial", settings, self.prepared[settings.dtype])
        except (ValueError, TypeError) as error:  # whose words say enough
            raise FastnnError(str(error)) from error
        figures = {"epochs_run": len(run.epochs), "best_epoch": run.best_epoch}
        return Outcome({"status": "finished", "reason": ""} | run.metrics | figures)
