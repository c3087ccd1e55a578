"""Sweeps: every combination is trained, rows are kept, trials are not repeated, and some fail."""

import csv
import os
from dataclasses import asdict
from pathlib import Path

import pytest

import fastnn.recipes.worker
from fastnn.cli import main
from fastnn.cli.sweep import axes_of_system as axes_of
from fastnn.data import generate_moons, save_npz
from fastnn.engine.threads import processors, threads_at_hand
from fastnn.recipes import RECIPES
from fastnn.recipes.worker import SystemJob
from fastnn.search import pools
from fastnn.search.cluster_threads import shares_of
from fastnn.search.job import Step, train
from fastnn.search.packing import packed
from tests.small_data import write_all
from tests.tiny import jit_only, python, two_threads

FLAGS = ["--epochs", "2", "--hidden", "4", "--threads", "1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("data"))


@pytest.fixture
def sweep(files, tmp_path, monkeypatch):
    """`sweep(flags...)` -> exit status, of cats-vs-cars, in an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def run(*flags):
        return main(["sweep", "cats-vs-cars", "--data", str(files["cats-vs-cars"]), *FLAGS, *flags])

    return run


def table(folder="sweeps/cats-vs-cars"):
    with open(os.path.join(folder, "sweep.csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def trial_lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("trial ")]


@jit_only
def test_cross_product_and_resume(sweep, capsys):
    assert sweep("--grid", "lr=0.05,0.15", "--grid", "momentum=0,0.85") == 0
    assert len(trial_lines(capsys)) == 4
    rows = table()
    assert [(row["lr"], row["momentum"]) for row in rows] == [
        ("0.05", "0.0"),
        ("0.05", "0.85"),
        ("0.15", "0.0"),
        ("0.15", "0.85"),
    ]
    assert {row["status"] for row in rows} == {"finished"}
    assert all(0 <= float(row["test_accuracy"]) <= 1 for row in rows)
    assert len({row["test_loss"] for row in rows}) == 4
    assert Path("sweeps/cats-vs-cars/sweep.png").read_bytes().startswith(b"\x89PNG")

    assert sweep("--grid", "lr=0.05,0.15,0.3", "--grid", "momentum=0.85") == 0
    assert [line.split(": ")[1] for line in trial_lines(capsys)] == ["lr=0.3, momentum=0.85"]
    assert len(table()) == 5, "trials of the first grid are kept"

    assert sweep("--grid", "lr=0.05", "--seed", "1") == 0
    assert len(trial_lines(capsys)) == 1, "other settings are another trial"


@jit_only
def test_a_failing_trial_is_recorded_and_loses_nothing(sweep, capsys):
    assert sweep("--grid", "hidden=4,x,5") == 0
    rows = table()
    assert [row["status"] for row in rows] == ["finished", "failed", "finished"]
    assert "--hidden is 'x'" in rows[1]["reason"]
    assert "--hidden is 'x'" in " ".join(capsys.readouterr().err.split())
    assert sweep("--grid", "hidden=4,x,5") == 0
    assert not trial_lines(capsys), "the reason would be the same"


@jit_only
def test_interrupted_sweep_keeps_what_it_has(sweep, monkeypatch, capsys):
    real, done = fastnn.recipes.worker.train_one, []

    def breaking(*arguments, **keywords):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return real(*arguments, **keywords)

    monkeypatch.setattr(fastnn.recipes.worker, "train_one", breaking)
    assert sweep("--grid", "lr=0.1,0.2,0.3") == 130
    assert [row["lr"] for row in table()] == ["0.1", "0.2"]
    monkeypatch.setattr(fastnn.recipes.worker, "train_one", real)
    capsys.readouterr()
    assert sweep("--grid", "lr=0.1,0.2,0.3") == 0
    assert len(trial_lines(capsys)) == 1


@jit_only
def test_no_trial_succeeds(sweep, capsys):
    assert sweep("--grid", "hidden=x,y") == 2
    assert "no trial of the sweep succeeded" in capsys.readouterr().err
    assert sweep("--grid", "lr=1e30", "--l2", "1", "--out", "wild", "--hidden", "4,4") == 3


@jit_only
def test_jobs_give_the_same_figures(sweep):
    grid = ("--grid", "lr=0.05,0.15")
    assert sweep(*grid) == 0
    assert sweep(*grid, "--jobs", "2", "--out", "jobs") == 0
    same = [name for name in table()[0] if name not in ("seconds", "threads")]
    assert [[row[name] for name in same] for row in table()] == [[row[name] for name in same] for row in table("jobs")]
    assert {row["threads"] for row in table("jobs")} == {str(max(1, threads_at_hand() // 2))}


@pytest.fixture
def scheduler():
    """The address of a Dask scheduler with two workers."""
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(protocol="tcp://", **options) as cluster:
        yield cluster.scheduler_address


@jit_only
def test_a_cluster_gives_the_same_figures(files, monkeypatch, tmp_path, scheduler):
    monkeypatch.chdir(tmp_path)
    grid = ["--grid", "hidden=4,x", "--grid", "lr=0.05,0.15"]
    command = ["sweep", "cats-vs-cars", "--data", str(files["cats-vs-cars"]), "--epochs", "2", *grid]
    assert main(command) == 0
    assert main([*command, "--scheduler", scheduler, "--out", "cluster"]) == 0
    same = [name for name in table()[0] if name not in ("seconds", "threads")]
    here, there = ([[row[name] for name in same] for row in table(*folder)] for folder in ((), ("cluster",)))
    assert sorted(here) == sorted(there)
    assert {row["status"] for row in table()} == {"finished", "failed"}
    assert {row["threads"] for row in table("cluster")} == {str(max(1, processors() // 2))}, "two workers share them"


class Cluster:
    """What a `distributed.Client` knows of a cluster: address -> (host, tasks at once, processors)."""

    def __init__(self, **workers):
        self.workers = workers

    def run(self, function):
        assert function is processors
        return {address: count for address, (_, _, count) in self.workers.items()} | {"one that left": 4}

    def scheduler_info(self, n_workers):
        found = {address: {"host": host, "nthreads": tasks} for address, (host, tasks, _) in self.workers.items()}
        return {"workers": found}


def test_trials_share_the_processors_of_their_machine():
    cluster = Cluster(a=("one", 1, 8), b=("one", 3, 8), c=("two", 1, 6), d=("three", 16, 4))
    assert shares_of(cluster) == {"one": 2, "two": 6, "three": 1}


@jit_only
@two_threads
def test_a_worker_whose_nanny_says_one_thread_uses_its_share(tmp_path):
    """Dask sets OMP_NUM_THREADS=1 for its workers."""
    code = (
        "from types import SimpleNamespace as Space\nimport distributed\n"
        "from fastnn.engine.threads import threads_at_hand, usable_threads\nfrom fastnn.search import cluster_threads\n"
        "distributed.get_worker = lambda: Space(address='tcp://here:7', state=Space(nthreads=1))\n"
        "shares = [cluster_threads.with_share(known, usable_threads) for known in ({'here': 1}, {})]\n"
        "print(threads_at_hand(), *shares)"
    )
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    assert python(code, OMP_NUM_THREADS="1").split() == ["1", "1", str(processors())], (
        "its share, or all of its machine"
    )


def test_a_worker_s_trouble_is_not_the_settings(files, monkeypatch, tmp_path, capsys):
    """Here that its data are gone: the trial is trained when the command is given again."""
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "cats-vs-cars", "--data", str(files["cats-vs-cars"]), "--epochs", "1", "--grid", "hidden=2"]

    def elsewhere(recipe, path, *others):
        return SystemJob(recipe, tmp_path / "gone.h5", *others[:-1])

    monkeypatch.setattr("fastnn.cli.sweep.SystemJob", elsewhere)
    assert main(command) == 2
    assert table()[0]["status"] == "crashed"
    assert "gone.h5" in table()[0]["reason"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main(command) == 0
    assert [row["status"] for row in table()] == ["finished"]


def test_data_that_were_made_anew_are_loaded_anew(tmp_path):
    """Workers of a cluster outlive a sweep."""
    settings, path = RECIPES["moons"].with_settings({"epochs": 1, "passes": 2}), tmp_path / "points.npz"
    figures = []
    for seed in (1, 2):
        save_npz(path, generate_moons(seed=seed))
        shared = packed(SystemJob("moons", path, False, str(path), settings))
        figures += [train(shared, Step(asdict(settings), 1)).row["train_loss"] for _ in range(2)]
    assert figures[0] == figures[1] != figures[2] == figures[3]


def test_data_of_this_process_are_not_sent_to_others():
    settings, data = RECIPES["moons"].with_settings({}), generate_moons()
    job = SystemJob("moons", None, False, "generated", settings, data)
    job.load(asdict(settings))
    assert len(packed(job)) < data.train.x.nbytes
    assert job.data is data


def test_a_row_of_a_crash_stays_until_the_trial_is_trained_again(sweep):
    assert sweep("--grid", "lr=0.1,0.2") == 0
    path = Path("sweeps/cats-vs-cars/sweep.csv")
    path.write_text(path.read_text("utf-8").replace("finished", "crashed", 1), "utf-8")
    assert sweep("--grid", "lr=0.3") == 0
    assert [row["status"] for row in table()] == ["crashed", "finished", "finished"]
    assert sweep("--grid", "lr=0.1") == 0
    assert {row["status"] for row in table()} == {"finished"}
    assert len(table()) == 3


def test_clusters_that_are_not_there(files, monkeypatch, tmp_path, capsys):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pools, "TIMEOUT", "1s")
    command = ["sweep", "cats-vs-cars", "--data", str(files["cats-vs-cars"]), "--grid", "lr=0.1", "--scheduler"]
    for address, said in (("tcp://127.0.0.1:9", "tcp://127.0.0.1:9"), ("nonsense://x", "nonsense")):
        assert main([*command, address]) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]
    assert main([*command, "tcp://127.0.0.1:9", "--jobs", "2"]) == 2
    assert "leave these two out" in capsys.readouterr().err


def test_axes():
    recipe = RECIPES["cats-vs-cars"]
    axes = axes_of(recipe, ("lr=.1, .2,.1", "hidden=19;76,380", "batch-size=5"))
    assert axes == {"lr": [0.1, 0.2], "hidden": ["19", "76,380"], "batch_size": [5]}
    assert axes_of(RECIPES["trigram"], ("batch_norm=true,false",)) == {"batch_norm": [True, False]}


BAD = {
    "no value": (["--grid", "lr"], "--grid is 'lr'"),
    "empty value": (["--grid", "lr=1,,2"], "expected setting=value"),
    "no setting": (["--grid", "rate=1"], "no setting"),
    "no number": (["--grid", "lr=fast"], "--grid lr has 'fast', expected a number"),
    "out of range": (["--grid", "lr=-1"], "--lr is -1"),
    "choice": (["--grid", "optimizer=adm"], "--optimizer is 'adm'"),
    "twice": (["--grid", "lr=1", "--grid", "lr=2"], "twice"),
    "no grid": ([], "--grid"),
    "jobs": (["--grid", "lr=1", "--jobs", "0"], "--jobs"),
}


@pytest.mark.parametrize(("flags", "said"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(sweep, tmp_path, capsys, flags, said):
    assert sweep(*flags) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert os.listdir(tmp_path) == []


def test_folders_that_are_no_sweeps(sweep, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("precious", "utf-8")
    assert sweep("--grid", "lr=1", "--out", "mine") == 2
    assert "no sweep made" in capsys.readouterr().err
    (tmp_path / "other").mkdir()
    (tmp_path / "other/sweep.csv").write_text("id,status\ntrigram,finished\n", "utf-8")
    assert sweep("--grid", "lr=1", "--out", "other") == 2
    assert "no sweep of cats-vs-cars" in capsys.readouterr().err
