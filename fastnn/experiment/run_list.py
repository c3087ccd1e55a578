"""Which trainings a command makes: the chosen settings and the runs of each comparison, none of them twice."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import changed

QUICK_RUNS = 3  # of each comparison, under --quick, unless it is made whole


@dataclass(frozen=True)
class RunSpec:
    """One training to make: a label that no other has, its settings, and whether it may become the chosen run."""

    label: str
    settings: Any
    candidate: bool


@dataclass
class RunList:
    """All trainings in their order, candidates first.

    groups  (comparison, {label in it: index into `runs`}) for each comparison
    """

    runs: list[RunSpec] = field(default_factory=list)
    groups: list[tuple[Comparison, dict[str, int]]] = field(default_factory=list)

    def add(self, label: str, settings: Any, *, candidate: bool = False, group: str = "", shares: bool = True) -> int:
        """The index of the run with these settings, which is added if there is none.

        group : put before a label that another run has. shares : whether that may be a candidate
        """
        for index, run in enumerate(self.runs):
            if run.settings == settings and (shares or not run.candidate):
                return index
        taken = {run.label for run in self.runs}
        self.runs.append(RunSpec(f"{group} {label}" if label in taken else label, settings, candidate))
        return len(self.runs) - 1


def list_runs(
    recipe: Recipe, settings: Any, comparisons: Iterable[Comparison], *, quick: bool = False, limit: int | None = None
) -> RunList:
    """The trainings of `settings` and of `comparisons`. ValueError for settings out of range.

    quick : only the first runs of each comparison, but for those that it makes whole.
    limit : the most epochs of any run, whatever the comparison says.
    """
    found, sharing = RunList(), {"shares": not recipe.tests_last}
    _add_candidates(found, recipe, settings)
    base = found.runs[0].settings
    for comparison in comparisons:
        is_cut = quick and comparison.quick != "whole"
        most = limit or (base.epochs if is_cut else None)
        runs = {label: changes for label, changes in comparison.runs.items() if not _is_cut_short(changes, most)}
        members = {
            label: found.add(label, _run_settings(recipe, base, changes, limit, most), group=comparison.name, **sharing)
            for label, changes in list(runs.items())[: QUICK_RUNS if is_cut else None]
        }
        if members:
            found.groups.append((comparison, members))
    return found


def _add_candidates(found: RunList, recipe: Recipe, settings: Any) -> None:
    """Add the chosen run; where settings are lists, a run for each combination of values, and their comparison."""
    lists = {name: [value.strip() for value in getattr(settings, name).split(",")] for name in recipe.lists}
    longer = {name: values for name, values in lists.items() if len(values) > 1}
    if not longer:
        found.add("chosen", settings, candidate=True)
        return
    runs = {" ".join(values): dict(zip(longer, values, strict=True)) for values in itertools.product(*longer.values())}
    members = {label: found.add(label, changed(settings, **changes), candidate=True) for label, changes in runs.items()}
    if len(members) > 1:
        found.groups.append((Comparison("-".join(longer), f"Which {' and '.join(longer)}?", runs), members))


def _is_cut_short(changes: dict[str, Any], most: int | None) -> bool:
    """Whether a run differs by its number of epochs alone and `most` forbids that many: its label would be wrong."""
    return set(changes) == {"epochs"} and changes["epochs"] > (most or changes["epochs"])


def _run_settings(recipe: Recipe, base: Any, changes: dict[str, Any], limit: int | None, most: int | None) -> Any:
    """Settings of a comparison's run, which has its own epochs, else those of the recipe's comparisons, else `base`'s.

    No run has more epochs than `limit`. Runs on all samples have at most `most`, too.
    """
    epochs = changes.get("epochs", recipe.compare_epochs or base.epochs)
    bound = limit if "samples" in changes else most
    return changed(base, **changes | {"epochs": min(epochs, bound or epochs)})
