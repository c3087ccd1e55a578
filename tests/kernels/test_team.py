"""A team runs all phases in one region, or nothing at all, and then each phase is a region of its own."""

import numba
import numpy as np
import pytest

from fastnn_kernels._run import driver
from fastnn_kernels._run.team import GIVEN_UP, LINE, STATE, gathered, team_words
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import needs_jit
from tests.kernels.test_driver import entry_of, table

pytestmark = needs_jit
STEPS = 50


def phases():
    """Two phases of one entry for each of two workers, the second phase reading what the other worker wrote.

    out[i] += b, then b doubles: after s steps out is 2ˢ − 1 if no worker ever ran ahead.
    """
    bias, update = REGISTRY["bias_forward"].kernel, REGISTRY["sgd_update"].kernel
    outs, b = np.zeros((2, 1, 4)), np.ones((2, 4))
    minus = np.array([-1.0])
    first = [entry_of(bias, False, (outs[w], b[1 - w])) for w in range(2)]
    second = [entry_of(update, False, (b[w], b[w], minus)) for w in range(2)]
    return (outs, b, minus), table(*first, *second), np.array([[0, 1, 2], [2, 3, 4]])


def run(words, bounds, team, threads):
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        driver.run_phases(words, bounds, STEPS, team)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("words_of_team", [0, team_words(2)], ids=["regions", "team"])
def test_no_worker_runs_ahead(words_of_team, threads):
    """With one thread for two workers the team cannot gather: the phases then run one by one, with the same result."""
    (outs, b, minus), words, bounds = phases()
    team = np.zeros(words_of_team, np.int64)
    run(words, bounds, team, threads)
    assert (outs == 2.0**STEPS - 1).all()
    assert (b == 2.0**STEPS).all()
    assert minus == -1
    if words_of_team and (threads == 1 or numba.config.NUMBA_NUM_THREADS == 1):
        assert team[STATE] == GIVEN_UP


def test_a_team_is_used_again():
    (outs, b, minus), words, bounds = phases()
    team = np.zeros(team_words(2), np.int64)
    for _ in range(3):
        outs[:], b[:] = 0, 1
        run(words, bounds, team, 2)
        assert (outs == 2.0**STEPS - 1).all()
    assert minus == -1  # and was alive: the table holds its address


def test_phases_of_one_worker_need_no_barrier():
    """The other worker has nothing to do, and comes to no barrier before a phase of both."""
    (outs, _, minus), words, _ = phases()
    bounds = np.array([[0, 2, 2], [2, 4, 4]])
    team = np.zeros(team_words(2), np.int64)
    run(words, bounds, team, 2)
    assert (outs == 2.0**STEPS - 1).all()
    assert not team[LINE:].any()  # no barrier was passed
    assert minus == -1


def test_workers_that_do_not_gather_do_nothing():
    @numba.njit
    def alone(team):
        return gathered(team, 2), gathered(team, 2)

    assert alone(np.zeros(team_words(2), np.int64)) == (False, False)
