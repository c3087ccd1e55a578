"""Settings are written in one form wherever people read them: 0.01 and 0.0001, not .01 or 1e-4."""

import re
from dataclasses import fields

import pytest

from fastnn.common.text import setting_text
from fastnn.recipes import RECIPES
from fastnn.recipes.shared.published import PUBLISHED

OTHER = re.compile(r"(?<![\w.])\.\d|\be[+-]0\d|(?<![\d.])\de-[1-4]\b")  # .01, 1e-05, 1e-4
RATE = re.compile(r"\blr (\S+?)(?:,|$)")  # what a label says of the learning rate


def labels(system):
    for comparison in RECIPES[system].all_comparisons().values():
        yield from comparison.runs.items()


def texts(system):
    recipe = RECIPES[system]
    yield from (label for label, _ in labels(system))
    for comparison in recipe.all_comparisons().values():
        yield from (comparison.question, comparison.report)
    yield recipe.title
    yield from (item.metadata["help"] for item in fields(recipe.settings))
    yield recipe.best.found if recipe.best else ""
    for rows in PUBLISHED[system].figures.values() if system in PUBLISHED else ():
        yield from rows


@pytest.mark.parametrize("system", RECIPES)
def test_settings_in_texts_have_one_form(system):
    assert [text for text in texts(system) if OTHER.search(text)] == []


@pytest.mark.parametrize("system", RECIPES)
def test_a_label_says_the_learning_rate_as_the_table_of_settings_does(system):
    told = [(RATE.search(label), changes) for label, changes in labels(system)]
    assert all(found[1] == setting_text(changes["lr"]) for found, changes in told if found)


def test_that_labels_with_learning_rates_are_found():
    assert sum(bool(RATE.search(label)) for system in RECIPES for label, _ in labels(system)) > 20
