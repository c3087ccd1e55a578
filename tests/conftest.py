"""Fixtures of the whole suite."""

import numba
import pytest

from fastnn.engine import threads
from tests import tiny
from tests.processes import pytest_xdist_auto_num_workers  # noqa: F401  (a hook of pytest-xdist)


def pytest_ignore_collect(config):
    """Nothing in this folder is a benchmark."""
    return True if config.option.benchmark_only else None


@pytest.fixture(autouse=True)
def threads_restored():
    """A test may change the number of threads; the next one starts with all of them again."""
    before = getattr(threads._chosen, "count", None), numba.get_num_threads()
    yield
    threads._use(*before)


@pytest.fixture
def tiny_model():
    """The factory of small trigram nets: `tiny_model(hidden=7, dtype="float64")`."""
    return tiny.tiny_model


@pytest.fixture
def data():
    """Forty trigrams whose labels follow a rule."""
    return tiny.trigrams()
