"""Fixtures of the tests of the engine."""

import pytest


@pytest.fixture(autouse=True)
def no_step_is_small(monkeypatch):
    """One worker, too, cuts the steps of these tests, small as they are; `test_plan.py` is of small ones."""
    monkeypatch.setattr("fastnn.engine.plan.SMALL_BYTES", 0)
