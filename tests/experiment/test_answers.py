"""Tables of answers as people read them: figures beside the report's, and differences where they mean anything."""

from dataclasses import replace

import pytest

from fastnn.experiment.answers import Answer, Row, Table, for_people, from_json, texts
from fastnn.experiment.experiment import Experiment
from fastnn.recipes import RECIPES
from tests.small_data import pictures

ROWS = [
    Row("train", {"accuracy": 0.731, "loss": 0.5}, {"accuracy": 0.75, "loss": 0.48}),
    Row("test", {"accuracy": 0.7}),
    Row("width 9", {}, {"accuracy": 0.8}),
]


def columns(table):
    """Heading -> cells; a heading that stands twice has the number of its column behind it."""
    header, rows = texts(table)
    names = [f"{name} {i}" if header.count(name) > 1 else name for i, name in enumerate(header)]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def test_differences_of_fractions_stand_beside_comparable_figures():
    found = columns(Table(ROWS, is_comparable=True))
    assert found["difference"] == ["−1.90 points", "", ""]  # none for the losses, which are no fractions
    assert list(found) == ["", "accuracy", "report 2", "difference", "loss", "report 5"]


def test_people_read_a_minus_and_programs_a_hyphen():
    rows = [Row("-1", {"r2": -0.31, "net": "-0.31 ± 0.02", "when": "2026-11-28"}, {"r2": -0.5})]
    answer = Answer("a", "What?", [Table(rows)], ["R² is -0.31; --lr 1e-5 and -1.5e-7."], "It is -0.5.")
    found = answer.to_json()
    assert found["lines"] == ["R² is -0.31; --lr 1e-5 and -1.5e-7."]
    assert found["tables"][0]["rows"][0]["here"] == {"r2": -0.31, "net": "-0.31 ± 0.02", "when": "2026-11-28"}
    shown = for_people(found)
    assert (shown.lines, shown.report) == (["R² is −0.31; --lr 1e-5 and −1.5e-7."], "It is −0.5.")
    # The label is a user's own word.
    assert texts(shown.tables[0])[1] == [["-1", "−0.3100", "−0.5000", "−0.31 ± 0.02", "2026-11-28"]]


def test_no_differences_stand_where_data_or_settings_are_others():
    assert "difference" not in columns(Table(ROWS))


def test_a_row_that_was_not_run_says_so():
    assert columns(Table(ROWS))["accuracy"] == ["73.10 %", "70.00 %", "not run"]


def test_a_row_that_was_not_run_can_be_left_out():
    assert [row[0] for row in texts(Table(ROWS), only_made=True)[1]] == ["train", "test"]


@pytest.mark.parametrize("is_comparable", [True, False])
def test_an_answer_read_back_from_json_is_the_same(is_comparable):
    answer = Answer("widths", "How wide?", [Table(ROWS, "accuracy", is_comparable=is_comparable)], ["Nine."], "ten")
    assert from_json(answer.to_json()) == answer


def experiment(settings=None, source="a test's file", **changes):
    recipe = RECIPES["cats-vs-cars"]
    data = pictures((32, 32), classes=2, train=20, test=6)
    data = replace(data, meta=data.meta | {"source": source})
    return Experiment(recipe, recipe.with_settings(settings or {}), data, **changes)


@pytest.mark.parametrize("settings", [{}, {"seed": 3}])
def test_the_reports_settings_at_any_seed_are_as_reported(settings):
    assert experiment(settings).is_as_reported


@pytest.mark.parametrize(
    "changes",
    [{"settings": {"lr": 0.2}}, {"settings": {"epochs": 3}}, {"source": "generated"}, {"quick": True}, {"best": True}],
    ids=str,
)
def test_other_settings_or_data_are_not_as_reported(changes):
    assert not experiment(**changes).is_as_reported
