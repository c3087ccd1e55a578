"""A command that is killed before any of its file operations goes on when it is given again, to the same bits.

The kill is simulated in this process: from one operation on, every further one in the folder raises, those of
`finally` and `except` too, so that the disk stays as the killed process would leave it.
"""

import contextlib
import os
import random
import shutil
import sys
from dataclasses import replace

import matplotlib.figure
import pytest

from fastnn.common.errors import DataError
from fastnn.engine.threads import threads
from fastnn.experiment import runner
from fastnn.experiment.answers import Answer
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.run_swap import is_whole
from fastnn.experiment.runner import run
from fastnn.recipes import RECIPES
from tests.run_bits import run_bits
from tests.small_data import pictures
from tests.tiny import jit_only

OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fcntl.flock"}  # Python's audit events


class Killed(BaseException):
    """Nothing of the command takes effect any more."""


class Disk:
    """Counts file operations in a folder and stands still after `last` of them."""

    folder, last, count = None, None, 0

    def __call__(self, event, arguments):
        if self.folder is None or event not in OPERATIONS or not self.concerns(event, arguments):
            return
        if self.last is not None and self.count >= self.last:
            raise Killed
        self.count += 1

    def concerns(self, event, arguments):
        return event == "fcntl.flock" or any(str(self.folder) in str(argument) for argument in arguments[:2])

    @contextlib.contextmanager
    def watched(self, folder, last=None):
        self.folder, self.last, self.count = folder, last, 0
        try:
            yield
        finally:
            self.folder = None


@pytest.fixture(scope="module")
def disk():
    """One for all tests, as Python cannot remove a hook: outside of `watched` it does nothing."""
    found = Disk()
    sys.addaudithook(found)
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pictures are small files here, and nothing waits for a disk: a killed process needs none of both."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    drawn = [("curves.png", "one", matplotlib.figure.Figure()), ("own.png", "two", matplotlib.figure.Figure())]
    monkeypatch.setattr(runner, "answers_of", lambda *_: [Answer("chosen", "How?", pictures=drawn)])
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", lambda self, path, **_: path.write_bytes(PNG))


PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def experiment(seed=1, **changes):
    """Two trainings of two epochs."""
    recipe = replace(RECIPES["cats-vs-cars"], answers=lambda results: [])
    settings = recipe.with_settings({"hidden": "2", "epochs": 2, "seed": seed} | changes)
    seeds = Comparison("seeds", "does the seed matter?", {f"seed {n}": {"seed": n} for n in (seed, seed + 1)})
    return Experiment(recipe, settings, DATA, "a test's pictures", (seeds,))


DATA = pictures((32, 32), classes=2, train=20, test=6)


def command(out, **flags):
    with threads(1):
        return run(experiment(), RunFolder(out, **({"resume": True} | flags)))


def beside(folder):
    return sorted(path.name for path in folder.parent.iterdir())


@pytest.fixture(scope="module")
def want(tmp_path_factory):
    """Of a run that nothing interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        quick.__wrapped__(patch)
        return run_bits(command(tmp_path_factory.mktemp("whole") / "run").folder)


def kill(disk, out, last, **flags):
    """Whether the command was killed."""
    try:
        with disk.watched(out.parent, last):
            command(out, **flags)
    except Killed:
        for path in out.parent.rglob(".*.tmp*"):  # as if it had been killed while it wrote there
            os.truncate(path, path.stat().st_size // 2)
        return True
    return False


def numbers(disk, tmp_path, **flags):
    """The numbers of all operations of a command that nothing interrupts."""
    kill(disk, tmp_path / "counted" / "run", None, **flags)
    return range(disk.count)


@jit_only
def test_killed_anywhere_it_goes_on(disk, want, tmp_path):
    """Also with neither flag it is told what to do, or starts: no folder of a killed run is a stranger's."""
    points = numbers(disk, tmp_path)
    assert len(points) > 80
    for last in points:
        out = tmp_path / str(last) / "run"
        assert kill(disk, out, last)
        with contextlib.suppress(DataError):
            RunFolder(out)
        assert command(out).folder == out
        assert run_bits(out) == want, last
        assert beside(out) == ["run"], last


@jit_only
def test_killed_twice_and_again(disk, want, tmp_path):
    drawn = random.Random(0)
    for number in range(5):
        out = tmp_path / str(number) / "run"
        while kill(disk, out, drawn.randrange(5, 250)):
            pass
        assert run_bits(out) == want
        assert beside(out) == ["run"]


@pytest.fixture
def ending(disk, tmp_path, monkeypatch):
    """A command that has trained all, beside a finished run of another seed.

    `copied(name)` -> the folder, and the numbers of the last operations of the command given again.
    """
    template, finish = tmp_path / "template" / "run", []
    run(experiment(seed=7), RunFolder(template))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "save_pictures", stopped)
        with pytest.raises(Killed):
            command(template)

    def copied(name):
        return shutil.copytree(template.parent, tmp_path / str(name)) / "run"

    with monkeypatch.context() as patch:
        real = RunFolder.finish
        patch.setattr(RunFolder, "finish", lambda self: (finish.append(disk.count), real(self)))
        kill(disk, copied("counted"), None)
    return copied, range(finish[0] - 12, disk.count)


def stopped(*arguments):
    raise Killed


@jit_only
@pytest.mark.parametrize("flags", [{"resume": True}, {"resume": False}], ids=["resume", "without"])
def test_killed_as_it_ends_nothing_is_trained_again(disk, want, ending, monkeypatch, flags):
    """With --resume the finished run is found, by whichever command comes next it is put in place."""
    copied, points = ending
    assert len(points) > 25
    for last in points:
        out = copied(last)
        assert kill(disk, out, last)
        has_ended = is_whole(out.with_name("run.unfinished")) or not out.with_name("run.unfinished").exists()
        with monkeypatch.context() as patch:
            patch.setattr(runner, "train_one", not_to_be_called)
            if flags["resume"]:
                command(out)
            else:
                end_only(out)
        if flags["resume"] or has_ended:
            assert run_bits(out) == want, last
            assert beside(out) == ["run"], last


def not_to_be_called(*arguments, **keywords):
    raise AssertionError("a training that had ended was made again")


def end_only(out):
    """What every command does before it trains."""
    with contextlib.suppress(DataError), RunFolder(out).held():
        pass
