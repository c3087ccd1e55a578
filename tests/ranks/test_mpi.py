"""Ranks of a real MPI: processes that mpiexec starts."""

import importlib.util

import numpy as np
import pytest

from tests.proofs import killed_ranks
from tests.proofs.killed_ranks import mpiexec, started
from tests.ranks.mpi_trigram import trained
from tests.tiny import jit_only

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed: fastnn[mpi]"),
    pytest.mark.skipif(mpiexec() is None, reason="there is no mpiexec: install an MPI, such as the package mpich"),
]
SECONDS = 60


def run(ranks, *arguments):
    """What the ranks wrote to stdout and stderr, and the exit status of mpiexec."""
    process = started(ranks, "tests.ranks.mpi_trigram", *arguments)
    told = process.communicate(timeout=SECONDS)[0].decode(errors="replace")
    return told, process.returncode


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_100_steps_of_the_trigram_net(tmp_path, ranks):
    told, status = run(ranks, tmp_path, "train")
    assert status == 0, told
    for dtype, tolerance in (("float64", 1e-10), ("float32", 1e-4)):
        alone = trained(dtype)
        files = [np.load(tmp_path / f"{dtype}-{ranks}-{rank}.npz") for rank in range(ranks)]
        assert len({file["parameters"].tobytes() for file in files}) == 1
        assert len({file["losses"].tobytes() for file in files}) == 1
        gap = np.abs(files[0]["parameters"] - alone.parameters.flat).max() / np.abs(alone.parameters.flat).max()
        assert gap <= (tolerance if ranks > 1 else 0)
        np.testing.assert_allclose(files[0]["losses"], alone.history.steps["loss"], rtol=tolerance)


def test_an_error_of_one_rank_ends_all(tmp_path):
    told, status = run(2, tmp_path, "fail")
    assert status != 0
    assert "RuntimeError: a fault of rank 1 alone" in told
    assert list(tmp_path.iterdir()) == []


@jit_only
def test_a_killed_rank_costs_no_bit():
    kills, failures = killed_ranks.prove(2, 1, 0)
    assert kills
    assert failures == []
