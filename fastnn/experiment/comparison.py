"""Comparisons that a recipe offers, and settings that do better than the report's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Comparison:
    """Runs that answer one question.

    name      how --compare calls it
    question  the title of its table and picture
    runs      label -> changes of settings
    picture   "curves": the learning curves of each run; "bands": mean and deviation of runs that differ by chance only;
              "own": the recipe's `answers` draws it
    report    what the report answers, in a sentence that says so; "" if it says nothing
    quick     what --quick makes of it: "cut", its first runs, with fewer epochs; "whole", all of it, as its runs are
              short; "none", nothing unless --compare names it, as short runs would not show what it asks
    is_baseline  whether it is made unasked also where the user gave a setting that its runs vary
    told      {label: its run} -> sentences computed from the runs; None: which is best and which is worst
    """

    name: str
    question: str
    runs: dict[str, dict[str, Any]]
    picture: str = "curves"
    report: str = ""
    quick: Literal["cut", "whole", "none"] = "cut"
    is_baseline: bool = False
    told: Callable[[dict[str, Any]], list[str]] | None = None

    @property
    def axes(self) -> set[str]:
        """The settings that differ among the runs."""
        return {name for changes in self.runs.values() for name in changes} - {"epochs", "samples"}


SEEDS = Comparison(
    "seeds", "How much is chance, with three seeds?", {f"seed {seed}": {"seed": seed} for seed in range(3)}, "bands"
)


@dataclass(frozen=True)
class Best:
    """Settings of our own for --best: what they change, and how they were found."""

    changes: dict[str, Any]
    found: str
