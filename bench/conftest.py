"""Before a row is believed: the machine must give this process all its cores."""

import pytest

from bench.machine import complaint


@pytest.fixture(scope="module")
def whole_machine():
    """Skip the rows of a module while a core is withheld."""
    if reason := complaint():
        pytest.skip(reason)
