"""Which trainings a command asks for: the chosen settings, and the runs of each comparison, none of them twice."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fastnn.experiment.recipe import QUICK_RUNS, Comparison, Recipe, changed


@dataclass(frozen=True)
class Entry:
    """One training to do: a label that no other has, its settings, and whether it may become the chosen run."""

    label: str
    settings: Any
    candidate: bool


@dataclass
class Lineup:
    """All trainings in their order, candidates first; `groups`: comparison -> {label there: number of the entry}."""

    entries: list[Entry] = field(default_factory=list)
    groups: list[tuple[Comparison, dict[str, int]]] = field(default_factory=list)

    def add(self, label: str, settings: Any, candidate: bool = False, group: str = "") -> int:
        """The number of the entry with these settings, a new one if there is none yet."""
        for number, entry in enumerate(self.entries):
            if entry.settings == settings:
                return number
        taken = {entry.label for entry in self.entries}
        self.entries.append(Entry(f"{group} {label}" if label in taken else label, settings, candidate))
        return len(self.entries) - 1


def line_up(
    recipe: Recipe, settings: Any, comparisons: Iterable[Comparison], *, quick: bool = False, limit: int | None = None
) -> Lineup:
    """The trainings of `settings` and of `comparisons`.

    limit : the most epochs that any run has, whatever the comparison says. quick : only a few runs of each.
    """
    found = Lineup()
    for comparison in _listed(recipe, settings):
        numbers = {
            label: found.add(label, changed(settings, **changes), True) for label, changes in comparison.runs.items()
        }
        if len(numbers) > 1:
            found.groups.append((comparison, numbers))
    for comparison in comparisons:
        base = found.entries[0].settings
        most = limit or (base.epochs if quick else None)
        runs = {label: changes for label, changes in comparison.runs.items() if not _is_cut_short(changes, most)}
        numbers = {
            label: found.add(label, _run_settings(recipe, base, changes, limit, most), group=comparison.name)
            for label, changes in list(runs.items())[: QUICK_RUNS if quick else None]
        }
        if numbers:
            found.groups.append((comparison, numbers))
    return found


def _listed(recipe: Recipe, settings: Any) -> list[Comparison]:
    """The chosen run; or, where a setting is a list, the runs that it stands for."""
    lists = {name: [part.strip() for part in getattr(settings, name).split(",")] for name in recipe.lists}
    longer = [name for name, parts in lists.items() if len(parts) > 1]
    if not longer:
        return [Comparison("chosen", "the chosen settings", {"chosen": {}})]
    runs = {
        " ".join(values): dict(zip(longer, values, strict=True))
        for values in itertools.product(*(lists[name] for name in longer))
    }
    return [Comparison("-".join(longer), f"{' and '.join(longer)} side by side", runs)]


def _is_cut_short(changes: dict[str, Any], most: int | None) -> bool:
    """Whether a run is about its number of epochs alone, and may not have them: it would bear a wrong label."""
    return set(changes) == {"epochs"} and changes["epochs"] > (most or changes["epochs"])


def _run_settings(recipe: Recipe, base: Any, changes: dict[str, Any], limit: int | None, most: int | None) -> Any:
    """Settings of a run of a comparison: its own epochs, else those of the recipe's comparisons, else the base's.

    `limit` holds for every run, `most` for those that do not have few samples.
    """
    epochs = changes.get("epochs", recipe.compare_epochs or base.epochs)
    bound = limit if "samples" in changes else most
    return changed(base, **changes | {"epochs": min(epochs, bound or epochs)})
