"""The worked numbers beside those that the report printed."""

from types import SimpleNamespace

import pytest

from fastnn.recipes.scalar import answers
from fastnn.recipes.scalar.plain_net import ScalarNet
from fastnn.recipes.scalar.points import EXAMPLE_TARGET, EXAMPLE_V, EXAMPLE_W, EXAMPLE_X
from fastnn.recipes.shared.published import PUBLISHED


def test_worked_numbers_are_the_report_s():
    net = ScalarNet(EXAMPLE_W, EXAMPLE_V)
    net.forward(EXAMPLE_X)
    net.backward(EXAMPLE_TARGET)
    results = SimpleNamespace(published=PUBLISHED["scalar"])
    for answer in (answers.forward(results, net), answers.gradients(results, net)):
        (table,) = answer.tables
        assert {row.label for row in table.rows} == set(PUBLISHED["scalar"].rows(answer.name))
        for row in table.rows:
            assert row.here["value"] == pytest.approx(row.report["value"], abs=2e-4)
