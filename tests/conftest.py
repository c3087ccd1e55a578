"""Fixtures of the whole suite."""

import gc

import numba
import pytest

from fastnn.engine import threads
from tests import tiny
from tests.processes import pytest_xdist_auto_num_workers  # noqa: F401  (a hook of pytest-xdist)


def pytest_ignore_collect(config):
    """Nothing in this folder is a benchmark."""
    return True if config.option.benchmark_only else None


def pytest_collection_finish(session):
    """The garbage collection passes by what is there now: modules and 30,000 tests, which stay to the end.

    It looked at them again and again, in some folders for a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *gc.get_threshold()[1:])


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
