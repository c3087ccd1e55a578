"""A run keeps its colour in all pictures of a page, and no two runs of a picture share one."""

import itertools

import pytest

from fastnn.experiment.run_list import list_runs
from fastnn.experiment.same_colours import numbered
from fastnn.plots.style import COLOURS
from fastnn.recipes import RECIPES


def test_the_first_group_is_counted():
    assert numbered([[7, 8, 9]]) == {7: 0, 8: 1, 9: 2}


def test_few_members_have_a_number_each():
    assert numbered([[1, 2], [3, 2], [4]]) == {1: 0, 2: 1, 3: 2, 4: 3}


MANY = [10 + number for number in range(len(COLOURS))]  # with these there are more members than colours


def test_a_member_of_two_groups_keeps_its_number():
    found = numbered([[1, 2], [3, 2], MANY])
    assert (found[1], found[2], found[3]) == (0, 1, 0)
    assert [found[one] for one in MANY] == list(range(len(COLOURS)))


def test_members_that_a_later_group_joins_differ():
    found = numbered([[1], [2], [1, 2], MANY])
    assert (found[1], found[2]) == (0, 1)


def test_nothing_has_no_numbers():
    assert numbered([]) == numbered([[]]) == {}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("system", RECIPES)
def test_no_two_runs_of_a_comparison_share_a_colour(system, quick):
    recipe = RECIPES[system]
    comparisons = recipe.chosen_comparisons("all", set())
    planned = list_runs(recipe, recipe.with_settings({}, quick), comparisons, quick=quick)
    groups = [list(dict.fromkeys(members.values())) for _, members in planned.groups]
    numbers = numbered(groups)
    for group in groups:
        assert len({numbers[run] for run in group}) == len(group)


@pytest.mark.parametrize("system", ["cats-vs-cars", "cifar10-mlp"])
def test_a_run_of_several_comparisons_has_one_name(system):
    recipe = RECIPES[system]
    planned = list_runs(recipe, recipe.settings, recipe.chosen_comparisons(None, set()))
    names = itertools.chain(*(((index, label) for label, index in members.items()) for _, members in planned.groups))
    by_run: dict[int, set[str]] = {}
    for index, label in names:
        by_run.setdefault(index, set()).add(label)
    assert all(len(labels) == 1 for labels in by_run.values())
