"""Fetching, against a server of our own that misbehaves in every way a mirror can. No test needs the network."""

import concurrent.futures
import hashlib
import os
import re
import urllib.request

import pytest

from fastnn.common.errors import DataError
from fastnn.data import fetch, mirror, remote
from fastnn.data.download import data_folder, is_fetched, offline
from tests.bad_server import CONTENT, OTHER, Server


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def ask(server, tmp_path, monkeypatch):
    """ask("forbidden", "good"): fetch the data set "toy" from mirrors that behave like this; returns its folder."""
    monkeypatch.setenv("FASTNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("FASTNN_OFFLINE", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def run(*manners, names=("big.bin",), **options):
        files = tuple(
            remote.RemoteFile(name, len(Server.files[name]), hashlib.sha256(Server.files[name]).hexdigest())
            for name in names
        )
        toy = remote.RemoteSet(tuple(server.url(manner) for manner in manners), files)
        monkeypatch.setitem(remote.REMOTE, "toy", toy)
        return fetch("toy", **options)

    return run


def assert_whole(folder, names=("big.bin",)):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: Server.files[name] for name in names}


def test_fetched_once(ask, server, tmp_path):
    seen = []
    both = ("big.bin", "small.bin")
    folder = ask("good", names=both, progress=lambda *state: seen.append(state))
    assert folder == tmp_path / "data" / "toy"
    assert_whole(folder, both)
    assert seen[-1] == ("small.bin", len(OTHER), len(OTHER))
    assert [done for name, done, _ in seen if name == "big.bin"] == sorted(done for name, done, _ in seen[:-1])
    assert is_fetched("toy")
    ask("good", names=both)
    assert len(server.asked) == 2


def test_a_length_that_is_no_number_says_nothing(ask):
    assert_whole(ask("no_length"))


@pytest.mark.skipif(os.name != "posix", reason="no locks of files here")
def test_two_at_once_fetch_once(ask, server):
    """The second waits for the first, and then finds the file."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: ask("slow"), range(2)))
    assert_whole(folders[0])
    assert len(server.asked) == 1


def test_a_damaged_file_is_fetched_again(ask, server):
    folder = ask("good")
    (folder / "big.bin").write_bytes(CONTENT[:-1] + b"?")
    assert_whole(ask("good"))
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "manner",
    [
        *("forbidden", "flipping", "longer", "endless", "cut", "hanging", "mute", "no_such_range"),
        *("no_address", "dripping", "dripping_head", "dripping_chunk"),
    ],
)
def test_the_next_mirror_is_asked(ask, server, manner):
    assert_whole(ask(manner, "good", timeout=0.3))
    assert server.manners()[0] == manner
    assert server.manners()[-1] == "good"
    assert server.manners().count(manner) <= mirror.TRIES


def test_a_silent_mirror_is_waited_for_as_long_as_asked(ask, monkeypatch):
    timeouts = []
    opened = urllib.request.OpenerDirector.open

    def noted(opener, *args, timeout):
        timeouts.append(timeout)
        return opened(opener, *args, timeout=timeout)

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", noted)
    ask("hanging", "good", timeout=0.3)
    assert set(timeouts) == {0.3}


def test_a_mirror_that_is_not_there(ask, server, monkeypatch):
    monkeypatch.setattr(server, "url", lambda manner, url=server.url: url(manner) if manner else "http://127.0.0.1:9/")
    assert_whole(ask("", "good"))


WHY = {
    "forbidden": "answers 403 Forbidden",
    "flipping": r"has SHA-256 [0-9a-f]{16}…, expected",
    "longer": "announces 300,004 bytes, expected 300,000",
    "endless": "sends more than 300,000 bytes",
    "cut": "ends after 150,000 of 300,000 bytes",
    "hanging": "is silent",
    "mute": "is silent",
    "no_address": "cannot be read: Invalid IPv6 URL",
    "dripping": "sends fewer than 4,000 bytes a second",
    "dripping_head": "is silent",
    "dripping_chunk": "is silent",
}


@pytest.mark.parametrize(("manner", "said"), WHY.items(), ids=list(WHY))
def test_when_no_mirror_does(ask, server, tmp_path, manner, said):
    with pytest.raises(DataError, match=said) as caught:
        ask("forbidden", manner, timeout=0.3)
    text = str(caught.value)
    assert "\n" not in text
    assert "'big.bin' (300,000 bytes)" in text
    assert server.url("forbidden") in text
    assert not is_fetched("toy")
    assert not (tmp_path / "data" / "toy" / "big.bin").exists()
    left = [path.stat().st_size for path in (tmp_path / "data" / "toy").iterdir()]
    assert not left or max(left) <= len(CONTENT)


def test_a_broken_download_is_carried_on(ask, server):
    assert_whole(ask("truncating"))
    assert server.asked == [("truncating", "big.bin", first) for first in (0, 100_000, 200_000)]


def test_the_next_call_carries_on(ask, server):
    with pytest.raises(DataError):
        ask("cut")
    server.asked.clear()
    assert_whole(ask("good"))
    assert server.asked == [("good", "big.bin", 150_000)]


def test_a_server_without_ranges_begins_anew(ask, server):
    with pytest.raises(DataError):
        ask("cut")
    assert_whole(ask("no_ranges"))


@pytest.mark.parametrize(("manner", "first"), [("no_such_range", 0), ("wrong_range", 150_000)])
def test_ranges_that_the_server_gets_wrong(ask, server, manner, first):
    with pytest.raises(DataError):
        ask("cut")
    server.asked.clear()
    assert_whole(ask(manner, "good"))
    assert server.asked == [(manner, "big.bin", 150_000), ("good", "big.bin", first)]


@pytest.mark.parametrize("start", [b"?" * 1000, b"?" * 300_000, b"?" * 300_001])
def test_a_false_beginning_is_thrown_away(ask, server, tmp_path, start):
    (tmp_path / "data" / "toy").mkdir(parents=True)
    (tmp_path / "data" / "toy" / "big.bin.part").write_bytes(start)
    assert_whole(ask("good"))


def test_offline(ask, server, monkeypatch, tmp_path):
    monkeypatch.setenv("FASTNN_OFFLINE", "1")
    with pytest.raises(DataError, match=r"FASTNN_OFFLINE is set: 'toy' is not fetched; .* put big.bin into .*toy"):
        ask("good")
    assert server.asked == []
    assert not (tmp_path / "data").exists()
    (tmp_path / "data" / "toy").mkdir(parents=True)
    (tmp_path / "data" / "toy" / "big.bin").write_bytes(CONTENT)
    assert_whole(ask("good"))
    for value, want in (("", False), ("0", False), ("yes", True)):
        monkeypatch.setenv("FASTNN_OFFLINE", value)
        assert offline() is want


def test_a_folder_that_cannot_be_made(ask, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    monkeypatch.setenv("FASTNN_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot write to .*FASTNN_DATA_DIR may name another"):
        ask("good")


def test_where_data_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTNN_DATA_DIR", "chosen")
    assert data_folder().parts == ("chosen",)
    monkeypatch.delenv("FASTNN_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "fastnn" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data_folder() == tmp_path / ".cache" / "fastnn" / "data"


def test_the_table_of_what_can_be_fetched():
    assert set(remote.REMOTE) == {"mnist", "fashion-mnist", "cifar10"}
    for known in remote.REMOTE.values():
        assert len(known.mirrors) >= 2
        assert all(re.fullmatch(r"https?://\S+/", mirror) for mirror in known.mirrors)
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in known.files)
    sums = [file.sha256 for known in remote.REMOTE.values() for file in known.files]
    assert len(set(sums)) == len(sums)


def test_a_disk_that_is_full_is_not_the_mirror_s_fault(ask, server, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mirror, "_copy", full)
    with pytest.raises(DataError, match=r"cannot write to .*: No space left"):
        ask("good", "good")
    assert len(server.asked) == 1
