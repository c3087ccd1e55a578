"""Each call of the system that writes a file fails in turn: the old or the new file is whole, and one line says so."""

import builtins
import errno
import hashlib
import os
import threading
from collections import deque

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common import file_pieces, files
from fastnn.common.errors import FileFormatError
from fastnn.common.files import write_whole
from fastnn.data.formats.cats_hdf5 import load_cats_vs_cars, save_cats_vs_cars
from fastnn.training.callbacks import monitor
from tests.data_files import small_set
from tests.tiny import bits, python, shown, tiny_model

CALLS = ("open", "write", "fsync", "lseek", "replace", "close")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


class Disk:
    """Calls of the module `os` and `open`, counted; call number `fails` raises, and with `ever` all after it."""

    def __init__(self, patch, fails=-1, error=errno.EIO, ever=False):
        self.calls, self.fails, self.error, self.ever = 0, fails, error, ever
        for name in CALLS:
            patch.setattr(os, name, self._counted(name, getattr(os, name)))
        patch.setattr(builtins, "open", self._counted("open", builtins.open))

    def _counted(self, name, function):
        def call(*arguments, **keywords):
            number, self.calls = self.calls, self.calls + 1
            if number == self.fails or (self.ever and number > self.fails >= 0):
                if name == "close":  # as on Linux: the descriptor is closed, whatever was reported
                    function(*arguments)
                raise OSError(self.error, os.strerror(self.error))
            return function(*arguments, **keywords)

        return call


def freed():
    """Wait for the threads that free old files."""
    for thread in threading.enumerate():
        if thread.name.startswith("fastnn frees"):
            thread.join()


def model_of(value):
    model = tiny_model()
    model.set_parameters({"dense.b": np.full(5, value)})
    return model


def records_of(value):
    numbers = np.arange(2) + value
    return [
        {"kind": "input", "name": "x", "step": step, **dict.fromkeys(monitor.FIGURES[1:7], value), "counts": numbers,
         "edges": numbers}
        for step in (1, 2)
    ]  # fmt: skip


WRITERS = {
    "model": (lambda path, value: model_of(value).save(path), lambda path: fn.load(path).parameters["dense.b"][0]),
    "monitor": (
        lambda path, value: monitor._save(path, records_of(value)),
        lambda path: monitor.load_monitor(path)[0]["mean"],
    ),
    "data": (
        lambda path, value: save_cats_vs_cars(path, small_set(4, 4 + value, classes=2)),
        lambda path: load_cats_vs_cars(path).train.x.shape[2] - 4,
    ),
}


def one_line_or_none(save, path):
    """What `save` of the value 2 says, None if it says nothing. Other errors than fastnn's leave this function."""
    try:
        save(path, 2)
    except FileFormatError as error:
        said = str(error)
    else:
        return None
    assert "\n" not in said
    assert shown(path.parent) in said
    return said


@pytest.fixture(params=["as they are", "small"])
def sections(request, monkeypatch):
    """Small ones: a tiny file has many, which two threads check, and an old file is freed by a third."""
    if request.param == "small":
        monkeypatch.setattr(file_pieces, "SECTION_BYTES", 3000)
        monkeypatch.setattr(file_pieces, "READ_BYTES", 512)
        monkeypatch.setattr(files, "LARGE", 0)


@pytest.mark.usefixtures("sections")
@pytest.mark.parametrize("error", ERRORS, ids=os.strerror)
@pytest.mark.parametrize("ever", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("writer", WRITERS)
def test_every_call_fails(tmp_path, monkeypatch, writer, ever, error):
    save, load = WRITERS[writer]
    path = tmp_path / "file.h5"
    save(path, 1)
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        save(path, 1)
        freed()
    assert disk.calls > 8
    told = 0
    for fails in range(disk.calls):
        save(path, 1)
        with monkeypatch.context() as patch:
            Disk(patch, fails, error, ever)
            said = one_line_or_none(save, path)
            freed()
        told += said is not None
        expected = (2,) if said is None else (1, 2)
        assert load(path) in expected, fails
        left = [name for name in os.listdir(tmp_path) if name != "file.h5"]
        assert left == [] or ever, fails
        for name in left:
            os.unlink(tmp_path / name)
    # A folder that cannot be opened, synchronised, closed; the old file, opened and closed only to free it later.
    assert told >= disk.calls - 5


@pytest.mark.usefixtures("sections")
@pytest.mark.parametrize("most", [1, 1000])
def test_a_disk_that_takes_a_part_of_each_write(tmp_path, monkeypatch, most):
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:most]))
        model_of(3).save(tmp_path / "model.h5")
    assert bits(fn.load(tmp_path / "model.h5").parameters) == bits(model_of(3).parameters)


@pytest.mark.parametrize("lie", [lambda content: content[: len(content) - 1] + b"?", lambda content: b""])
def test_a_disk_that_says_it_wrote(tmp_path, monkeypatch, lie):
    """A write that puts down other bytes, or none, and reports success."""
    path, write = tmp_path / "model.h5", os.write
    model_of(1).save(path)

    def lying(descriptor, content):
        write(descriptor, lie(bytes(content)))
        return len(content)

    monkeypatch.setattr(os, "write", lying)
    with pytest.raises(FileFormatError, match="read back"):
        model_of(2).save(path)
    monkeypatch.undo()
    assert fn.load(path).parameters["dense.b"][0] == 1
    assert os.listdir(tmp_path) == ["model.h5"]


def test_a_write_that_takes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: 0)
    with pytest.raises(FileFormatError, match="took no bytes"):
        write_whole(tmp_path / "a", [b"abc"])
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="no open file is replaced there: the old one is freed by the rename")
def test_a_large_old_file_is_freed_though_no_thread_can_be_had(tmp_path, monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    closed, close = [], os.close
    monkeypatch.setattr(files, "LARGE", 0)
    write_whole(tmp_path / "a", [b"old"])
    old = os.stat(tmp_path / "a").st_ino
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(os, "close", lambda file: (closed.append(os.fstat(file).st_ino), close(file)))
    write_whole(tmp_path / "a", [b"new"])
    assert (tmp_path / "a").read_bytes() == b"new"
    assert old in closed


@pytest.mark.skipif(os.name == "nt", reason="no folder can be opened there")
@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO])
def test_a_folder_that_cannot_be_synchronised(tmp_path, monkeypatch, error):
    """Network file systems refuse it, which is no failure; another error is one, and the file is there."""

    def refuse(*_):
        raise OSError(error, os.strerror(error))

    fsync, calls = os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda file: refuse() if calls else (calls.append(1), fsync(file)))
    if error == errno.EIO:
        with pytest.raises(FileFormatError, match="Input/output error"):
            write_whole(tmp_path / "a", [b"abc"])
    else:
        write_whole(tmp_path / "a", [b"abc"])
    assert (tmp_path / "a").read_bytes() == b"abc"


@pytest.mark.parametrize("count", [0, 1, 65_535, 65_536, 1_000_003])
def test_pieces_of_any_size(tmp_path, count):
    """Arrays are written from where they stand, between pages that HDF5 wrote; it reads them all."""
    arrays = {f"a{i}": np.arange(count, dtype=kind) for i, kind in enumerate((np.uint8, np.float32, np.int64))}
    arrays |= {"two": np.ones((2, 0, 3)), "one": np.array(3.5), "truth": np.array([True, False])}
    from fastnn.common.framed.image import image_of

    image = image_of({"group": arrays, "text": {"a/b": "ü"}, "none": {}}, {"mark": "x"})
    write_whole(tmp_path / "a.h5", image.pieces, lambda digest: b"h" * 512, 512)
    assert (tmp_path / "a.h5").stat().st_size == image.size + 512
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["text/a/b"][()] == b'"\\u00fc"'
        assert list(file) == ["group", "none", "text"]
        for name, array in arrays.items():
            got = file["group"][name][()]
            assert (got.dtype, got.tobytes(), got.shape) == (array.dtype, array.tobytes(), array.shape)


def test_bytes_that_change_while_they_are_written(tmp_path, monkeypatch):
    """A model that another thread trains: no file is certified that cannot be read."""
    array, write = np.zeros(1 << 17, np.float32), os.write
    (tmp_path / "a").write_bytes(b"old")

    def changing(descriptor, content):
        written = write(descriptor, content)
        array[-1] += 1
        return written

    monkeypatch.setattr(os, "write", changing)
    with pytest.raises(FileFormatError, match="read back"):
        write_whole(tmp_path / "a", [b"first", array])
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_reader_that_found_an_error_is_there_for_the_next_section(tmp_path):
    """Else a thread that has none ends the writing with an error that is nobody's business, before this one is told."""
    (tmp_path / "a").write_bytes(b"abc")
    with open(tmp_path / "a", "rb", buffering=0) as file:
        readers = deque([file])
        for _ in range(2):
            with pytest.raises(OSError, match="read back"):
                file_pieces._read_back(readers, 0, [(np.zeros(3, np.uint8), 0, 3)], False)


@pytest.mark.parametrize("place", range(0, 5000, 350))
def test_each_section_is_read_back(tmp_path, monkeypatch, place):
    """A disk that changes one byte, wherever it is; and arrays of all sizes, contiguous or not."""
    monkeypatch.setattr(file_pieces, "SECTION_BYTES", 700)
    content, sections, write = np.arange(5000, dtype=np.uint8), [], file_pieces.write_all
    arrays = [content[:10], content[10:2410].reshape(2, 40, 30).transpose(0, 2, 1), content[2410:]]

    def wrong(descriptor, part):
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        write(descriptor, part)
        if at <= place < at + len(part):
            os.lseek(descriptor, place, os.SEEK_SET)
            os.write(descriptor, b"?")
            os.lseek(descriptor, at + len(part), os.SEEK_SET)

    write_whole(tmp_path / "a", arrays, lambda found: sections.extend(found) or b"", 0)
    whole = b"".join(array.tobytes() for array in arrays)
    assert (tmp_path / "a").read_bytes() == whole
    assert sections == [hashlib.sha256(whole[low : low + 700]).digest() for low in range(0, 5000, 700)]
    monkeypatch.setattr(file_pieces, "write_all", wrong)
    with pytest.raises(FileFormatError, match="read back"):
        write_whole(tmp_path / "a", arrays)
    assert (tmp_path / "a").read_bytes() == whole


@pytest.fixture
def _nowhere(tmp_path, monkeypatch):
    """The working folder has been removed, as another program may do."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.skipif(os.name == "nt", reason="there the folder of a process is not removed")
@pytest.mark.usefixtures("_nowhere")
def test_a_working_folder_that_has_been_removed(tmp_path):
    model, data = tiny_model(), (np.zeros((9, 3), int), np.zeros(9, int))
    with pytest.raises(FileFormatError, match=r"^cannot write 'm.h5' in folder '.': No such file or directory$"):
        model.save("m.h5")
    for callback in (fn.CSVLogger("a.csv"), fn.Checkpoint("c.h5"), fn.SaveBest("b.h5", monitor="loss")):
        with pytest.raises(FileFormatError, match=r"^cannot write '(a.csv|c.h5|b.h5)' in folder"):
            model.fit(*data, callbacks=[callback], verbose=False)
    with pytest.raises(FileFormatError, match=r"'m.h5' does not exist"):
        fn.load("m.h5")
    model.save(tmp_path / "m.h5")
    assert bits(fn.load(tmp_path / "m.h5").parameters) == bits(model.parameters)


LIMITED = """
import resource, sys
from pathlib import Path
from tests.common import test_failing_disks as disks

name, path, limit = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print(disks.one_line_or_none(disks.WRITERS[name][0], path))
"""


@pytest.mark.skipif(os.name != "posix", reason="no limit on the size of files here")
@pytest.mark.parametrize("limit", [0, 1, 1000])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_process_that_may_write_no_large_file(tmp_path, writer, limit):
    """The system itself refuses, in the middle of a write: nothing is imitated."""
    save, load = WRITERS[writer]
    path = tmp_path / "file.h5"
    save(path, 1)
    said = python(LIMITED, arguments=[writer, path, limit])
    assert said.startswith(f"cannot write {str(path)!r} in folder ")
    assert load(path) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["file.h5"]
