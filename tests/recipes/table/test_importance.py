"""Which columns a net uses, by shuffling them."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.data import Split
from fastnn.recipes.table.answers import _columns_told
from fastnn.recipes.table.importance import NOISE, TIMES, Importance, importances, made_columns

COLUMNS = {"a": [1.0, None, 3.0, 5.0] * 10, "b": ["x", "y", None, "x"] * 10, "c": list(range(40)), "d": ["u", "v"] * 20}


def test_a_column_and_its_gaps_are_shuffled_together():
    table = fn.Table.of(COLUMNS)
    found = made_columns(table)
    assert found == {"a": [0, 2], "c": [1], "b": [3], "d": [4]}
    for name, places in found.items():
        assert {table.made_names[place].removesuffix(" is missing") for place in places} == {name}


def test_a_column_that_is_not_used_has_no_importance():
    table = fn.Table.of(COLUMNS)
    x = table.encoded(COLUMNS)
    split = Split(x, x[:, 1] + 0.1 * x[:, 3])  # c, and a little of b

    def error(model, part):
        return float(np.abs(part.x[:, 1] + 0.1 * part.x[:, 3] - part.y).mean())

    first, second, *others = importances(None, table, split, error)
    assert (first.name, second.name) == ("c", "b")
    assert first.rise > 5 * second.rise > 0
    assert {(one.rise, one.deviation) for one in others} == {(0.0, 0.0)}


HOW = (
    "Each was shuffled 5 times in the validation rows. A rise of at most 3 standard deviations counts as noise. "
    "Columns that carry the same information share their importance."
)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([(0.0079, 0.0071), (0.003, 0.005)], ["No column can be told from noise."]),
        ([(0.9, 0.1), (0.0079, 0.0071)], ["Most important: a.", "Cannot be told from noise: b."]),
        # One that rises most, but from shuffle to shuffle by other amounts, hides none that surely matters.
        (
            [(0.9, 0.4), (0.5, 0.1), (0.4, 0.1), (0.3, 0.05)],
            ["Most important: b, c, d.", "Cannot be told from noise: a."],
        ),
        ([(3.0, 1.0), (2.0, 0.5)], ["Most important: b.", "Cannot be told from noise: a."]),
        ([(0.2, 0.01), (0.1, 0.01)], ["Most important: a, b."]),
        (
            [(0.0, 0.0), (-0.1, 0.01)],
            ["Cannot be told from noise: a.", "Predictions of these rows get better by shuffling: b."],
        ),
        ([(-0.1, 0.01), (-0.2, 0.01)], ["Predictions of these rows get better by shuffling: a, b."]),
        ([(-0.1, 0.09), (0.9, 0.1)], ["Most important: b.", "Cannot be told from noise: a."]),
        ([(float("nan"), float("nan"))], ["No column can be told from noise."]),
        (
            [(1.0, 0.1)] + [(0.0, 0.1)] * 9,
            ["Most important: a.", "Cannot be told from noise: b, c, d, e, f, g, h, i, …"],
        ),
        ([], ["No column can be told from noise."]),
    ],
)
def test_only_what_is_more_than_noise_is_called_important(found, told):
    assert _columns_told([Importance("abcdefghij"[i], *one) for i, one in enumerate(found)]) == [*told, HOW]


def test_a_column_that_a_net_uses_in_vain_is_seldom_called_important():
    """Of columns of noise that predictions use, about 1 in 38 rises by more than 3 deviations, and 1 in 5 by one."""
    rng = np.random.default_rng(0)
    table = fn.Table.of({"a": [0.0, 1.0], "b": [0.0, 1.0]})
    rises = []
    for _ in range(400):
        x = rng.normal(size=(30, 2)).astype(np.float32)
        y = rng.normal(size=30)

        def error(model, part):
            return float(((part.x.sum(axis=1) - part.y) ** 2).mean())

        rises += importances(None, table, Split(x, y), error)
    assert (TIMES, NOISE) == (5, 3)
    assert 0.01 < np.mean([one.is_clear for one in rises]) < 0.05
    assert np.mean([one.rise > one.deviation for one in rises]) > 0.15
