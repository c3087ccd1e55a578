"""Which colour a run has, in all pictures of a page: a network that several comparisons show keeps its own."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastnn.experiment.results import ExperimentResult, RunResult


def colours_of(result: "ExperimentResult", members: "Mapping[str, RunResult]") -> dict[str, int]:
    """Label -> the number of its colour, from 0, for the runs of a comparison."""
    groups = [[id(run) for run in runs.values()] for _, runs in result.groups]
    numbers = numbered(groups)
    return {label: numbers[id(run)] for label, run in members.items() if id(run) in numbers}


def numbered(groups: Iterable[Iterable[int]]) -> dict[int, int]:
    """The least number for each member of the groups that no other member of any of its groups has.

    Numbers are given in the order of the groups, so those of the first group are 0, 1, 2, ...
    """
    found: dict[int, int] = {}
    sets = [list(group) for group in groups]
    for member in (one for group in sets for one in group):
        if member not in found:
            taken = {found.get(other) for group in sets if member in group for other in group}
            found[member] = next(number for number in count() if number not in taken)
    return found
