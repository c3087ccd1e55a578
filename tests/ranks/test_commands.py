"""`fastnn train --distributed`: rank 0 makes the run and its folder, the others train along."""

import sys

import numpy as np
import pytest

from fastnn import cli
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.followers import follow
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.runner import run
from fastnn.loading import load
from fastnn.ranks.group import current
from fastnn.recipes import RECIPES
from tests.drawings import empty_pictures
from tests.ranks.by_threads import on_ranks
from tests.small_data import pictures
from tests.tiny import jit_only


def experiment():
    """Two small nets of cats-vs-cars, side by side: what is chosen is trained, then what it is compared with."""
    recipe = RECIPES["cats-vs-cars"]
    settings = recipe.with_settings({"hidden": "2,3", "epochs": 2, "batch_size": 6, "lr": 0.1})
    return Experiment(recipe, settings, pictures((32, 32), classes=2, train=20, test=6), "a test's pictures", ())


@jit_only
def test_the_others_train_along_and_write_nothing(tmp_path):
    def train(group):
        if group is None or group.rank == 0:
            assert (current() is None) == (group is None)
            return run(experiment(), RunFolder(tmp_path / ("ranks" if group else "alone"))).folder
        return follow(experiment())

    with empty_pictures():
        alone, (together, nothing) = train(None), on_ranks(2, train)
    assert nothing is None
    first, second = load(alone / "model.h5").parameters.flat, load(together / "model.h5").parameters.flat
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


def test_without_mpi4py_a_line_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    out = ["--out", str(tmp_path / "run")]
    assert cli.main(["train", "moons", "--quick", "--distributed", *out]) == 2
    said = capsys.readouterr()
    want = 'fastnn: --distributed: the package mpi4py is not installed; install it with: pip install "fastnn[mpi]"\n'
    assert (said.out, said.err) == ("", want)


@pytest.mark.parametrize("flags", [["--sync-every", "2"], ["--sync-every", "0", "--distributed"]])
def test_flags_that_do_not_fit(flags, capsys, tmp_path):
    assert cli.main(["train", "moons", "--out", str(tmp_path / "run"), *flags]) == 2
    assert capsys.readouterr().err.count("\n") == 1
