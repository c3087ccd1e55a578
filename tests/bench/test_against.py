"""`python -m bench.against`: its arguments, its arithmetic, its table, the worktree and the processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import against, checkouts
from bench.checkouts import ROOT, AgainstError, Side, commit_of, worktree
from bench.interleave import compared


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["HEAD", "--threads", "0"], "--threads: got 0, expected 1 to"),
        (["HEAD", "--threads", "10000"], "--threads: got 10000, expected 1 to"),
        (["HEAD", "--starts", "0"], "--starts: got 0, expected at least 1"),
        (["HEAD", "--turns", "2"], "--turns: got 2, expected at least 3"),
        ([], "revision"),
    ],
)
def test_wrong_arguments(given, says, capsys):
    with pytest.raises(SystemExit) as end:
        against.arguments(given)
    assert end.value.code == 2
    assert says in capsys.readouterr().err


OLD = ["trigram", "moons", "matmul big serial"]
NEW = ["trigram", "moons", "lenet", "matmul big serial", "matmul small serial"]


def test_what_both_sides_can_do_is_timed():
    assert against.chosen(None, [], OLD[:2], NEW[:3]) == ["trigram", "moons"]
    assert against.chosen(["moons"], ["matmul"], OLD, NEW) == ["moons", "matmul big serial"]
    assert against.chosen([], ["matmul"], OLD, NEW) == ["matmul big serial"]
    assert against.chosen(None, ["matmul"], OLD, NEW) == ["trigram", "moons", "matmul big serial"]


@pytest.mark.parametrize(
    ("systems", "kernels", "says"),
    [
        (["lenet"], [], "'lenet' cannot be compared"),
        (["mooons"], [], "'mooons' is neither a system nor a kernel"),
        (None, ["matmull"], "'matmull' is neither a system nor a kernel"),
        ([], [], "nothing to time"),
    ],
)
def test_what_cannot_be_compared(systems, kernels, says):
    with pytest.raises(AgainstError, match=says):
        against.chosen(systems, kernels, OLD, NEW)


def test_ratios_are_taken_pair_by_pair():
    """A drift of the machine's speed by a factor of ten leaves no trace; the ratio is old / new."""
    result = compared([(scale, 1.25 * scale) for scale in (1e-3, 2e-3, 4e-3, 1e-2)])
    assert result.ratio == 1.25
    assert result.spread == (1.25, 1.25)
    assert (result.ours, result.theirs) == (3e-3, 1.25 * 3e-3)


class Fake:
    """A side of which every turn takes its place in the order of all turns."""

    order = ()

    def ask(self, name, work):
        assert name == "turn"
        Fake.order = (*Fake.order, self)
        return float(len(Fake.order))


def test_sides_alternate_and_so_does_who_begins():
    old, new = Fake(), Fake()
    taken = against.rounds(old, new, ["a", "b"], 2)
    assert Fake.order == (old, new, old, new, new, old, new, old)
    assert taken == {"a": [(2, 1), (5, 6)], "b": [(4, 3), (7, 8)]}


def test_results_of_both_sides_are_compared():
    assert against.sameness([1.0, 2.0], [1.0, 2.0]) == "equal"
    assert against.sameness([1.0, 2.0], [1.0, 2.2]) == "9e-02 apart"
    assert against.sameness([1.0], [1.0, 2.0]) == "1 and 2 figures"
    assert against.sameness([0.0], [1e-9]) == "1e+00 apart"
    assert against.sameness([float("nan")], [float("nan")]) == "equal"
    assert against.sameness([1.0, float("nan")], [1.5, 1.0]) == "one side not finite"
    assert against.sameness([float("inf")], [1.0]) == "one side not finite"


def test_the_table():
    pairs = [(1e-3, 1.0e-3), (1e-3, 1.2e-3), (1e-3, 1.2e-3), (1e-3, 1.3e-3)]
    even = [(1e-3, 0.9e-3), (1e-3, 1e-3), (1e-3, 1.1e-3)]
    lines = against.table({"moons": (compared(pairs), "equal"), "a longer name": (compared(even), "1e-07 apart")})
    rows = [" ".join(line.split()) for line in lines]
    assert rows[1] == "moons 1.200 1.050 to 1.275 1.2 ms 1 ms equal"
    assert rows[2] == "a longer name 1.000 ≈ 0.900 to 1.100 1 ms 1 ms 1e-07 apart"
    assert lines[1].index("1.200") == lines[2].index("1.000")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, in place of this one."""
    for command in (
        ["init", "-q"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(checkouts, "ROOT", tmp_path)
    return tmp_path


def worktrees():
    return checkouts.git("worktree", "list").splitlines()


@pytest.mark.parametrize("ends_in", [KeyboardInterrupt, SystemExit, ValueError])
def test_the_worktree_is_removed_however_the_run_ends(repository, ends_in):
    context = worktree(commit_of("HEAD"))
    path = context.__enter__()
    assert path.is_dir()
    assert len(worktrees()) == 2
    (path / "changed").write_text("untracked", "utf-8")
    with pytest.raises(ends_in):
        context.gen.throw(ends_in)
    assert not path.parent.exists()
    assert len(worktrees()) == 1


@pytest.mark.parametrize("revision", ["nonsense", "", "--all", "HEAD:file"])
def test_unknown_revisions(repository, revision):
    with pytest.raises(AgainstError, match="is no revision of this repository"):
        commit_of(revision)


def test_no_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(checkouts, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(AgainstError, match="not a git repository"):
        commit_of("HEAD")


def test_a_side_answers_and_stands_still():
    with Side("new", ROOT, 1) as side:
        works = side.ask("works", ["zero"])
        assert {"trigram", "moons", "zero small serial"} <= set(works)
        assert "zero small parallel" not in works, "on one thread there is one version"
        with pytest.raises(AgainstError, match="new: KeyError: 'nothing of the kind'"):
            side.ask("turn", "nothing of the kind")
        if sys.platform == "linux":
            state = Path(f"/proc/{side._process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
            assert state == "T", "stopped"
    assert side._process.returncode is not None


def test_a_side_of_an_older_revision_says_what_it_lacks(tmp_path):
    (tmp_path / "fastnn").mkdir()
    (tmp_path / "fastnn" / "__init__.py").touch()
    with (
        Side("old", tmp_path, 1) as side,
        pytest.raises(AgainstError, match=r"old: .*`fastnn_runner` in bench\.systems"),
    ):
        side.ask("works", [])
