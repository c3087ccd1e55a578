"""Copies that are put aside, in memory or in a file."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from fastnn.common import stash
from fastnn.common.stash import Stash


def arrays():
    return [np.arange(6.0), np.zeros(0, np.float32), np.ones((3, 2), np.uint16), np.array([7], np.int64)]


@pytest.fixture(autouse=True)
def _on_disk(monkeypatch):
    monkeypatch.setattr(stash, "IN_MEMORY", ())
    monkeypatch.setattr(stash, "LARGE", 1)


@pytest.mark.parametrize("large", [1, 1 << 30])
def test_what_was_kept_comes_back_as_often_as_one_likes(large, monkeypatch):
    monkeypatch.setattr(stash, "LARGE", large)
    kept, now, want = Stash(), arrays(), arrays()
    assert kept.is_empty
    kept.keep(now)
    assert kept.is_filed == (large == 1)
    for _ in range(2):
        for array in now:
            array.fill(3)
        kept.put_back(now)
        for got, old in zip(now, want, strict=True):
            np.testing.assert_array_equal(got, old)
    now[0][:] = 5
    kept.keep(now)
    now[0][:] = 6
    kept.put_back(now)
    assert now[0].tolist() == [5] * 6
    kept.clear()
    assert kept.is_empty


def test_a_larger_set_takes_the_place_of_a_smaller_one():
    kept = Stash()
    for count in (3, 5000, 2):
        kept.keep([np.full(count, float(count))])
        back = np.zeros(count)
        kept.put_back([back])
        assert (back == count).all()


def test_small_copies_take_memory_and_large_ones_none(monkeypatch):
    monkeypatch.setattr(stash, "LARGE", 100)
    kept = Stash()
    assert [kept.memory_of(99), kept.memory_of(100)] == [99, 0]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists a process's files")
def test_the_file_has_no_name_and_is_closed_with_its_owner(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = Stash()
    kept.keep(arrays())
    assert not list(tmp_path.iterdir())
    assert kept.is_filed
    number = kept._file.fileno()
    assert str(tmp_path) in os.readlink(f"/proc/self/fd/{number}")
    del kept
    gc.collect()
    assert not os.path.exists(f"/proc/self/fd/{number}") or str(tmp_path) not in os.readlink(f"/proc/self/fd/{number}")


@pytest.mark.parametrize("why", ["folder is gone", "little is left", "all is memory"])
def test_without_a_disk_copies_are_in_memory(why, tmp_path, monkeypatch):
    monkeypatch.setattr(stash, "_folders", lambda: iter([str(tmp_path / "gone" if "gone" in why else tmp_path)]))
    if why == "little is left":
        usage = shutil.disk_usage(tmp_path)._replace(free=stash.SHARE_OF_FREE * 100 - 1)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    if why == "all is memory":
        monkeypatch.setattr(stash, "_is_in_memory", lambda folder: True)
    kept, now = Stash(), [np.arange(100, dtype=np.uint8)]
    assert kept.memory_of(100) == 100
    kept.keep(now)
    assert not kept.is_filed
    now[0][:] = 0
    kept.put_back(now)
    assert now[0].tolist() == list(range(100))


def test_a_write_that_fails_leaves_the_new_copy_in_memory(monkeypatch):
    kept, now = Stash(), [np.zeros(10), np.zeros(10)]
    kept.keep(now)
    real = stash.write_all

    def full(descriptor, content):
        if now[1].tobytes() == bytes(content):
            raise OSError(28, "No space left on device")
        real(descriptor, content)

    now[0][:], now[1][:] = 1, 2
    monkeypatch.setattr(stash, "write_all", full)
    kept.keep(now)  # half of the file is new, half is old
    assert (kept.is_filed, kept.is_empty) == (False, False)
    now[0][:], now[1][:] = 3, 3
    kept.put_back(now)
    assert (now[0] == 1).all()
    assert (now[1] == 2).all()
    assert kept.memory_of(160) == 160  # and so it stays


def test_folders_in_memory_are_known_by_what_is_mounted(tmp_path, monkeypatch):
    monkeypatch.undo()
    mounts, inner = tmp_path / "mounts", tmp_path / "inner"
    inner.mkdir()
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nnone {inner} tmpfs rw 0 0\n", "utf-8")
    assert stash._is_in_memory(str(inner), mounts)
    assert stash._is_in_memory(str(inner / "below"), mounts)
    assert not stash._is_in_memory(str(tmp_path), mounts)
    assert not stash._is_in_memory(str(inner), tmp_path / "no such file")
