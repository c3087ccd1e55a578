"""Measurements are made only while the machine gives this process all its cores."""

import pytest

from bench.machine import complaint
from tests.processes import pytest_xdist_auto_num_workers  # noqa: F401  (a hook of pytest-xdist)


@pytest.fixture(scope="module")
def whole_machine():
    """Skip the rows of a module while a core is withheld."""
    if reason := complaint():
        pytest.skip(reason)
