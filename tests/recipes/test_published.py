"""The published figures: none is lost, and each stands beside ours."""

import json
from collections import Counter
from pathlib import Path

import pytest

from fastnn.recipes import RECIPES
from fastnn.recipes.published import PUBLISHED

FACTS = Path(__file__).parents[3] / "shared" / "published.json"  # beside the clone, where it is there


def numbers(found):
    """All numbers of nested dicts and lists."""
    if isinstance(found, dict | list):
        values = found.values() if isinstance(found, dict) else found
        return [number for value in values for number in numbers(value)]
    return [] if isinstance(found, str) else [float(found)]


def published(system):
    """Every published figure of a system."""
    known = PUBLISHED[system]
    curves = [run.curves for runs in known.by_epoch.values() for run in runs.values()]
    return numbers(dict(known.figures)) + numbers(curves)


def test_every_system_names_its_report():
    assert PUBLISHED.keys() == RECIPES.keys()
    assert all(known.report for known in PUBLISHED.values())
    assert all(recipe.published is PUBLISHED[name] for name, recipe in RECIPES.items())


@pytest.mark.skipif(not FACTS.exists(), reason="the list of all published figures is not part of the project")
@pytest.mark.parametrize("system", RECIPES)
def test_no_figure_is_lost(system):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    assert not Counter(numbers(facts.get(system, {}))) - Counter(published(system))
