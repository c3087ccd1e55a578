"""Which columns a net uses, by shuffling them."""

import numpy as np

import fastnn as fn
from fastnn.data import Split
from fastnn.recipes.table.importance import importances, made_columns

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
