"""Which colour a run has, in all pictures of a page: a network that several comparisons show keeps its own."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import TYPE_CHECKING

from fastnn.plots.style import COLOURS

if TYPE_CHECKING:
    from fastnn.experiment.results import ExperimentResult, RunResult


def colours_of(result: "ExperimentResult", members: "Mapping[str, RunResult]") -> dict[str, int]:
    """Label -> the number of its colour, from 0, for the runs of a comparison."""
    groups = [[id(run) for run in runs.values()] for _, runs in result.groups]
    numbers = numbered(groups)
    return {label: numbers[id(run)] for label, run in members.items() if id(run) in numbers}


def numbered(groups: Iterable[Iterable[int]]) -> dict[int, int]:
    """The number of the colour of each member of the groups, given in their order from 0.

    If there is a colour for each member, no two have the same. Else each has the least number that no other member of
    any of its groups has.
    """
    sets = [list(group) for group in groups]
    members = dict.fromkeys(one for group in sets for one in group)
    if len(members) <= len(COLOURS):
        return {member: number for number, member in enumerate(members)}
    found: dict[int, int] = {}
    for member in members:
        taken = {found.get(other) for group in sets if member in group for other in group}
        found[member] = next(number for number in count() if number not in taken)
    return found
