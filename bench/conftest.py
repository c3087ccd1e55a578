"""What is timed in a run, on how many threads, and only while the machine gives this process all its cores."""

import pytest

import fastnn as fn
from bench.machine import complaint
from bench.on_request import is_chosen, nothing_timed
from fastnn.engine.threads import usable_threads
from tests.processes import pytest_xdist_auto_num_workers  # noqa: F401  (a hook of pytest-xdist)


@pytest.fixture(scope="module")
def whole_machine():
    """Skip the rows of a module while a core is withheld."""
    if reason := complaint():
        pytest.skip(reason)


@pytest.fixture(autouse=True, scope="session")
def usable():
    """Kernels, peers and limits run on as many threads as training does: Numba alone does not see a quota."""
    with fn.threads(usable_threads()):
        yield


def pytest_collection_modifyitems(config, items):
    """Leave out what runs on request alone."""
    if not config.option.benchmark_only:
        return
    wanted = [is_chosen(item.keywords, config.option.markexpr, config.args) for item in items]
    left_out = [item for item, chosen in zip(items, wanted, strict=True) if not chosen]
    items[:] = [item for item, chosen in zip(items, wanted, strict=True) if chosen]
    config.hook.pytest_deselected(items=left_out)


def _complaint_of_run(config) -> str:
    """ "" unless benchmarks were to be made and none was."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly or not config.option.benchmark_only:
        return ""
    return nothing_timed(reporter.stats)


def pytest_sessionfinish(session):
    if _complaint_of_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if sentence := _complaint_of_run(config):
        terminalreporter.write_line(sentence, red=True)
