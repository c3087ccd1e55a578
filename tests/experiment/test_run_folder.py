"""What a run may delete, and that one command at a time uses its folder."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.process_lock import sole_use
from fastnn.experiment import run_files
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.run_swap import put_in_place, recover
from fastnn.experiment.summary import Ending, Summary
from fastnn.recipes.mnist_cnn import records
from fastnn.search.folder import held as sweep_held
from tests.tiny import links

OURS = {"versions": {"fastnn": "0.1.0"}, "config": {"lr": 0.1}}
OWN = ("model.h5", "history.csv", "report.html", "curves.png", "parts/000.h5", "parts/001.checkpoint.h5", "monitor.h5")
LEFT = (".model.0123abcd.tmp.h5", "parts/.001.checkpoint.0123abcd.tmp.h5", "tensorboard/events.out.tfevents.1.host")


def made(folder, status="finished", names=(*OWN, *LEFT)):
    """A run's folder with these files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, "utf-8")
    summary = Summary(status=status, ending=Ending(pictures={"curves.png": "a picture"}), **OURS)
    (folder / "summary.json").write_text(json.dumps(summary.to_json()), "utf-8")
    return folder


STRANGERS = (
    "notes.txt",
    "parts/mine.h5",
    "parts/deep/000.h5",
    "a/summary.json",
    "notes.png",
    ".curves.png",
    "model.h5.bak",
)


@pytest.mark.parametrize("name", STRANGERS)
def test_what_a_user_put_into_a_run_s_folder_stays(tmp_path, name):
    for where in ("run", "run.unfinished"):
        path = made(tmp_path / where, "interrupted", [*OWN, name]) / name
        shown = name if "deep" not in name and name[:2] != "a/" else name.rpartition("/")[0] + "/"
        with pytest.raises(FileFormatError, match=f"what no run wrote: {shown.rstrip('/')}") as error:
            RunFolder(tmp_path / "run", fresh=True)
        assert "move it away" in str(error.value)
        run_files.remove(tmp_path / where)
        assert path.read_text("utf-8") == name
        assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]
        shutil.rmtree(tmp_path / where)


def test_a_run_s_own_files_are_in_nobody_s_way(tmp_path):
    assert run_files.strangers(made(tmp_path / "run")) == []
    assert run_files.MONITOR == records.MONITOR
    assert records.EVENTS in run_files.FOLDERS
    run_files.remove(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("summary", ['{"schema": 1}', '{"schema": 1, "pictures": {"thesis.tex": ""}}', "[]", "", "{"])
def test_a_key_of_a_summary_makes_no_run(tmp_path, summary):
    made(tmp_path / "run", names=["thesis.tex", "model.h5"])
    (tmp_path / "run" / "summary.json").write_text(summary, "utf-8")
    with pytest.raises(FileFormatError, match="no run made"):
        RunFolder(tmp_path / "run")


@pytest.mark.parametrize("summary", ["{", "[]", "\0"])
def test_nothing_is_deleted_where_the_summary_cannot_be_read(tmp_path, summary):
    """Which pictures are the run's stands nowhere else."""
    made(tmp_path / "run")
    (tmp_path / "run" / "summary.json").write_text(summary, "utf-8")
    before = sorted(tmp_path.rglob("*"))
    for delete in (run_files.remove, run_files.remove_results, run_files.remove_trainings):
        with pytest.raises(FileFormatError, match="a run's summary") as error:
            delete(tmp_path / "run")
        assert "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("method", ["read_text", "unlink"])
def test_what_could_not_be_deleted_is_by_the_next_command(tmp_path, monkeypatch, caplog, method):
    """The disk fails at the run before, once the finished one is in place: that succeeds, and what stays is told."""
    working, final = made(tmp_path / "run.unfinished"), made(tmp_path / "run")
    real = getattr(type(working), method)

    def failing(self, *args, **rest):
        if ".replaced" in str(self) and self.name in ("summary.json", "history.csv"):
            raise OSError(28, "No space left on device")
        return real(self, *args, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(type(working), method, failing)
        put_in_place(working, final)
    aside = next(tmp_path.glob("run.*.replaced"))
    assert (aside / "summary.json").exists()
    (record,) = caplog.records
    assert f"{aside}, the run before, stays until the next command: " in record.getMessage()
    assert "No space left on device" in record.getMessage()
    recover(working, final)
    assert list(tmp_path.iterdir()) == [final]


@links
def test_links_are_not_followed(tmp_path):
    made(tmp_path / "precious", names=["000.h5"])
    made(tmp_path / "run", names=["model.h5"])
    (tmp_path / "run" / "parts").symlink_to(tmp_path / "precious")
    assert run_files.strangers(tmp_path / "run") == ["parts"]
    run_files.remove(tmp_path / "run")
    assert (tmp_path / "precious" / "000.h5").exists()
    (tmp_path / "other.unfinished").symlink_to(tmp_path / "precious")
    with pytest.raises(FileFormatError, match="is a link"):
        RunFolder(tmp_path / "other")


def test_what_came_while_the_run_trained_is_kept_aside(tmp_path, caplog):
    for name in ("run", "run.unfinished"):
        made(tmp_path / name)
    (tmp_path / "run" / "notes.txt").write_text("precious", "utf-8")
    put_in_place(tmp_path / "run.unfinished", tmp_path / "run")
    aside = next(tmp_path.glob("run.*.replaced"))
    assert [path.name for path in aside.iterdir()] == ["notes.txt"]
    assert f"{aside} keeps what no run wrote: notes.txt" in caplog.text
    recover(tmp_path / "run.unfinished", tmp_path / "run")
    assert (aside / "notes.txt").exists()
    assert not (tmp_path / "run" / "parts").exists()


def test_a_rename_that_fails_leaves_both(tmp_path, monkeypatch):
    working, final = made(tmp_path / "run.unfinished"), made(tmp_path / "run")
    real = type(working).rename

    def refusing(self, target):
        if self == working:
            raise OSError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(type(working), "rename", refusing)
    with pytest.raises(FileFormatError, match=r"a finished run, to .*: Permission denied"):
        put_in_place(working, final)
    assert working.exists()
    assert (final / "model.h5").exists()


HOLDER = """
import sys
from pathlib import Path
from fastnn.common.process_lock import sole_use
with sole_use(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """`holder(path)` -> a process that holds the lock."""
    begun = []

    def begin(path):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
        begun.append(subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], env=environment, **pipes))
        assert begun[-1].stdout.readline() == b"held\n"
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_a_second_command_is_refused_until_the_first_has_died(tmp_path, holder):
    pytest.importorskip("fcntl", reason="this system has no such locks")
    folder = RunFolder(tmp_path / "run")
    process = holder(tmp_path / ".run.lock")
    said = f"run is in use by process {process.pid} on .*; wait for its end"
    with pytest.raises(DataError, match=said):
        RunFolder(tmp_path / "run")
    with pytest.raises(DataError, match=said), folder.held():
        pass
    process.kill()
    process.wait()
    assert (tmp_path / ".run.lock").exists(), "what a kill leaves"
    with folder.held(), folder.opened({}), pytest.raises(DataError, match="in use"):
        RunFolder(tmp_path / "run", fresh=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.unfinished"]


def test_one_sweep_at_a_time(tmp_path, holder):
    pytest.importorskip("fcntl", reason="this system has no such locks")
    for name in (".sweep.lock", ".sweep.0123abcd.tmp.csv", ".sweep.0123abcd.tmp.png"):
        (tmp_path / name).touch()  # what a kill leaves
    process = holder(tmp_path / ".sweep.lock")
    with pytest.raises(DataError, match="is in use by process"), sweep_held(tmp_path):
        pass
    process.kill()
    process.wait()
    with sweep_held(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".sweep.lock"]
    assert list(tmp_path.iterdir()) == []


def test_where_a_file_system_has_no_locks_it_says_so(tmp_path, monkeypatch, caplog):
    fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")

    def none(descriptor, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    with sole_use(tmp_path / "lock", "runs/mine"):
        pass
    assert "runs/mine: no locks on this file system" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="no open file is removed there")
def test_a_lock_of_a_file_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    """The process before removes the file after this one has opened and before it has locked it."""
    fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")
    lock, real, calls = tmp_path / "lock", fcntl.flock, []

    def late(descriptor, how):
        if not calls:
            lock.unlink()
        calls.append(how)
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with sole_use(lock, "it"), pytest.raises(DataError, match="in use"), sole_use(lock, "it"):
        pass
    assert len(calls) == 3


def test_the_run_before_comes_back_where_nothing_took_its_place(tmp_path):
    made(tmp_path / "run.0123abcd.replaced")
    made(tmp_path / "run.unfinished", "running")
    recover(tmp_path / "run.unfinished", tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.unfinished"]
