"""Trials that joblib runs side by side have no more threads, all together, than there are processors."""

import contextlib
import os
import sys
from types import SimpleNamespace

import numba
import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn.model_selection import cross_validate

import fastnn as fn
from fastnn.engine.threads import threads_at_hand, usable_threads
from fastnn.sklearn import MLPClassifier, sharing
from tests.pages import README, blocks
from tests.tiny import jit_only

JOBS = 2
X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


class Watch(fn.Callback):
    """Notes in a model how many threads trained it, and in which process."""

    def on_epoch_end(self, run):
        run.model.meta.update(threads=usable_threads(), process=os.getpid())


def trials(jobs=JOBS, **more):
    """What `Watch` noted in each of the trials of a cross-validation, and their scores."""
    net = MLPClassifier((4,), max_iter=2, n_iter_no_change=np.inf, random_state=0, callbacks=[Watch()], **more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "ignore")  # of the workers
        found = cross_validate(net, X, Y, cv=JOBS, n_jobs=jobs, return_estimator=True)
    return [one.model_.meta for one in found["estimator"]], found["test_score"]


@contextlib.contextmanager
def dask():
    """A cluster of one process, in which two threads take tasks."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(n_workers=1, threads_per_worker=JOBS, processes=False, dashboard_address="127.0.0.1:0"):
        yield


@jit_only  # without compiled kernels there are no threads
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("backend", ["loky", "threading", "dask"])
def test_trials_share_the_processors(backend):
    with dask() if backend == "dask" else contextlib.nullcontext(), joblib.parallel_config(backend=backend):
        metas, scores = trials()
        asked, _ = trials(n_threads=1)
    most = max(threads_at_hand() // JOBS, 1)
    assert [meta["threads"] <= most for meta in metas] == [True] * JOBS
    assert [meta["threads"] for meta in asked] == [1] * JOBS
    assert (os.getpid() in [meta["process"] for meta in metas]) == (backend != "loky")
    np.testing.assert_array_equal(scores, trials(jobs=1)[1])


@jit_only
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_example_of_the_readme_runs(capsys):
    (example,) = [block for block in blocks(README) if "fastnn.sklearn" in block]
    exec(compile(example, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) > 0.8


@pytest.mark.parametrize(
    ("asked", "usable", "beside", "in_joblib", "want"),
    [
        (None, 8, 1, False, []),  # all, as ever
        (None, 8, 2, False, [4]),
        (None, 2, 8, False, [1]),
        (None, 8, 2, True, [1]),
        (1, 8, 2, True, [1]),
        (10**6, 8, 1, False, [numba.config.NUMBA_NUM_THREADS]),
    ],
)
def test_the_share_of_threads(asked, usable, beside, in_joblib, want, monkeypatch):
    taken = []
    monkeypatch.setattr(sharing.fn, "threads", lambda count: taken.append(count) or contextlib.nullcontext())
    monkeypatch.setattr(sharing, "usable_threads", lambda: usable)
    monkeypatch.setattr(sharing, "_tasks_beside", lambda: beside)
    monkeypatch.setattr(sharing, "_in_thread_of_joblib", lambda: in_joblib)
    with sharing.threads(asked):
        assert taken == want


def test_how_many_tasks_a_worker_of_dask_runs(monkeypatch):
    def nobody():
        raise ValueError("no worker found")

    worker = SimpleNamespace(state=SimpleNamespace(nthreads=3))
    for module, want in (
        (None, 1),
        (SimpleNamespace(get_worker=nobody), 1),
        (SimpleNamespace(), 1),
        (SimpleNamespace(get_worker=lambda: worker), 3),
    ):
        monkeypatch.setitem(sys.modules, "distributed", module)
        assert sharing._tasks_beside() == want
