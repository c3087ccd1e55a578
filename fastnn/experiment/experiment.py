"""One command: a recipe with settings and data, and what is compared beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fastnn.data import Dataset
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.run_list import RunList, list_runs


@dataclass(frozen=True)
class Experiment:
    """The trainings of a command.

    recipe, settings  the chosen run
    data, announced   what `Recipe.find` gives: data as loaded, and the line that says which they are
    comparisons       to make beside it
    limit             the most epochs of any run; None: as many as its settings say
    quick, best       whether the user gave --quick, --best
    command           the command line, for the summary
    """

    recipe: Recipe
    settings: Any
    data: Dataset
    announced: str = ""
    comparisons: Sequence[Comparison] = ()
    limit: int | None = None
    quick: bool = False
    best: bool = False
    command: str = ""

    @property
    def is_as_reported(self) -> bool:
        """Whether the chosen run has the report's data and settings, but for chance."""
        is_own = self.data.meta["source"] == "generated" or "tokenizer" in self.data.meta  # fastnn's, or a user's text
        is_changed = replace(self.settings, seed=self.recipe.settings.seed) != self.recipe.settings
        return not (is_own or is_changed or self.quick or self.best)

    def runs(self) -> RunList:
        """The trainings to make."""
        return list_runs(self.recipe, self.settings, self.comparisons, quick=self.quick, limit=self.limit)

    def config(self) -> dict[str, Any]:
        """The settings, and what else must stay the same when the run is resumed, for `summary.json`."""
        names = ",".join(comparison.name for comparison in self.comparisons) or "none"
        return asdict(self.settings) | {"compare": names, "data": self.data.meta["source"]}
