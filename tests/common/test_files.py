"""Writing a file whole or not at all, and one process at a time."""

import os
import stat

import pytest

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path, check_target
from fastnn.common.process_lock import locked
from tests.tiny import links


def test_the_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "out.csv"
    with atomic_path(target) as temporary:
        temporary.write_text("new", "utf-8")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.suffix == ".csv"
    assert target.read_text("utf-8") == "new"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_an_old_file_is_replaced(tmp_path):
    target = tmp_path / "out"
    target.write_text("old", "utf-8")
    with atomic_path(str(target)) as temporary:
        temporary.write_text("new", "utf-8")
        assert target.read_text("utf-8") == "old"
    assert target.read_text("utf-8") == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_a_failure_the_old_file_stands_and_nothing_is_left(tmp_path, error):
    target = tmp_path / "out"
    target.write_text("old", "utf-8")
    with pytest.raises(error), atomic_path(target) as temporary:  # noqa: PT012
        temporary.write_text("half", "utf-8")
        raise error
    assert target.read_text("utf-8") == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_synchronised_before_renamed(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda *args: (calls.append("fsync"), fsync(*args)))
    monkeypatch.setattr(os, "replace", lambda *args: (calls.append("replace"), replace(*args)))
    with atomic_path(tmp_path / "out") as temporary:
        temporary.write_text("new", "utf-8")
    assert calls[:2] == ["fsync", "replace"]


@links
def test_a_symbolic_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old", "utf-8")
    link.symlink_to(real)
    with atomic_path(link) as temporary:
        temporary.write_text("new", "utf-8")
    assert link.is_symlink()
    assert real.read_text("utf-8") == "new"


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_others_may_read_it_as_far_as_the_umask_allows(tmp_path):
    old = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "out") as temporary:
            temporary.write_text("new", "utf-8")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_place_that_cannot_be_written(tmp_path):
    with (
        pytest.raises(FileFormatError, match=r"cannot write .*absent.*No such file"),
        atomic_path(tmp_path / "absent/f"),
    ):
        pytest.fail("the block must not run")
    with pytest.raises(FileFormatError, match=r"cannot write .*: .*name"), atomic_path(tmp_path / ("a" * 300)):
        pytest.fail("this name is too long for a file")
    with pytest.raises(FileFormatError, match="is a folder"), atomic_path(tmp_path):
        pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == []


def is_free(lock):
    fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_locked_block_shuts_others_out_until_it_ends(tmp_path):
    with locked(tmp_path / "lock"):
        assert not is_free(tmp_path / "lock")
    assert is_free(tmp_path / "lock")
    with pytest.raises(RuntimeError), locked(tmp_path / "lock"):
        raise RuntimeError
    assert is_free(tmp_path / "lock")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_pipes_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileFormatError, match="is a pipe or a device, a file name was expected"):
        check_target(tmp_path / "pipe")
    check_target(tmp_path / "absent")
