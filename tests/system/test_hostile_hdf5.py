"""HDF5 data files that were made to harm or were damaged: one line that names the file, no crash and no hang."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import zlib

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import FileFormatError
from fastnn.data import load_cats_vs_cars, load_trigram
from fastnn.data.hdf5 import child_process
from fastnn.data.hdf5.file import HDF5File, open_hdf5
from tests.data_files import message, small_set
from tests.small_data import write_trigrams
from tests.tiny import python

ROWS = 240  # of `trainx`
posix = pytest.mark.skipif(sys.platform == "win32", reason="no such limits here")


def stream(path):
    with fn.H5Stream(path, "x") as rows:
        return rows.read(0, len(rows))


def replaced(change):
    """Put something in the place of `trainx` of a good trigram file."""

    def write(path):
        write_trigrams(path)
        with h5py.File(path, "r+") as file:
            del file["trainx"]
            change(file)

    return write


def virtual(file):
    layout = h5py.VirtualLayout((ROWS, 3), "i4")
    layout[:] = h5py.VirtualSource("pipe", "x", (ROWS, 3))
    file.create_virtual_dataset("trainx", layout)


def external(file):
    file.create_dataset("trainx", (ROWS, 3), "i4", external=[("pipe", 0, 12 * ROWS)])


def huge_chunk(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((250_000_000, 3))
    properties.set_deflate(1)
    space = h5py.h5s.create_simple((ROWS, 3), (h5py.h5s.UNLIMITED, 3))
    h5py.h5d.create(file.id, b"trainx", h5py.h5t.STD_I32LE, space, properties)


def references(file):
    file.create_dataset("trainx", data=np.full((ROWS, 3), file["words"].ref), dtype=h5py.ref_dtype)


def circle(file):
    file["trainx"], file["other"] = h5py.SoftLink("/other"), h5py.SoftLink("/trainx")


def link_to(target):
    return lambda file: file.__setitem__("trainx", target)


def claiming(file):
    """A chunk of which the file says that it unpacks to 3 kB, and which unpacks to 600 MB."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()
    data = file.create_dataset("trainx", (ROWS, 3), "i4", chunks=(ROWS, 3), compression="gzip")
    data.id.write_direct_chunk((0, 0), bomb)


HOSTILE = {
    "external link": (link_to(h5py.ExternalLink("pipe", "/x")), "'trainx' cannot be opened: it is a link to another"),
    "soft link to it": (
        lambda file: [link_to(h5py.SoftLink("/far/x"))(file), file.__setitem__("far", h5py.ExternalLink("pipe", "/"))],
        "'trainx' cannot be opened: it is a link to another file",
    ),
    "circle of links": (circle, "'trainx' cannot be opened: its links have no end"),
    "virtual": (virtual, "stands in another file, which is not opened"),
    "external storage": (external, "stands in another file, which is not opened"),
    "references": (references, "'trainx' holds object, expected whole numbers"),
    "a chunk of 3 GB": (huge_chunk, "'trainx' is kept in chunks larger than itself"),
    "a chunk that unpacks to 600 MB": (claiming, "is damaged or cut short"),
    "texts of any length": (
        lambda file: file.create_dataset("trainx", data=[["a"] * 3] * ROWS, dtype=h5py.string_dtype()),
        "'trainx' holds object, expected whole numbers",
    ),
    "compound": (
        lambda file: file.create_dataset("trainx", (ROWS, 3), [("a", "i4")]),
        "'trainx' holds [('a', '<i4')], expected whole numbers",
    ),
    "a named type": (lambda file: file.__setitem__("trainx", np.dtype("i4")), "'trainx' is a datatype, expected"),
    "nothing": (lambda file: file.__setitem__("trainx", h5py.Empty("i4")), "'trainx' is a dataset, expected an array"),
}


@pytest.mark.parametrize(("change", "said"), HOSTILE.values(), ids=HOSTILE)
def test_what_leads_out_of_the_file_or_claims_too_much(tmp_path, monkeypatch, change, said):
    """Where another file is named, it is a pipe: opening it would wait for ever."""
    monkeypatch.chdir(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe")
    replaced(change)(tmp_path / "a.h5")
    assert said in message(FileFormatError, load_trigram, tmp_path / "a.h5")


ENDS = {
    "crash": "os.abort()",
    "loop": "sum(iter(int, 1))",
    "wait": "os.read(os.pipe()[0], 1)",
    "memory": "bytearray(10**9)",
}


@posix
@pytest.mark.parametrize(
    ("at", "code"),
    [("describe", "wait"), *itertools.product(("describe", "rows", "texts"), ("crash", "loop", "memory"))],
)
def test_a_library_that_crashes_or_comes_to_no_end(tmp_path, monkeypatch, at, code):
    """The script runs as it is, but for what stands in the place of one of its answers."""
    write_trigrams(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        words = file["words"][()].astype(object)
        for key in ("words", "trainx"):
            old = file[key][()]
            del file[key]
            file.create_dataset(key, data=words if key == "words" else old, chunks=True)
    script = tmp_path / "child.py"
    text = child_process.SCRIPT.read_text("utf-8")
    script.write_text(text.replace(f"return {at}(file", f"return {ENDS[code]}, {at}(file"), "utf-8")
    assert script.read_text("utf-8") != text
    monkeypatch.setattr(child_process, "SCRIPT", script)
    monkeypatch.setattr(child_process, "SECONDS", 1)
    said = "damaged or cut short: MemoryError" if code == "memory" else "damaged or cut short: the HDF5 library failed"
    assert said in message(FileFormatError, load_trigram, tmp_path / "a.h5")


def test_the_process_that_reads_is_gone_when_the_file_is_closed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(60), chunks=(7,))
    rows = fn.H5Stream(tmp_path / "a.h5", "x")
    process = rows._file.child._process
    assert process.poll() is None
    rows.close()
    assert process.returncode is not None
    rows = HDF5File(tmp_path / "a.h5")
    rows.array("x")
    process = rows.child._process
    del rows
    assert process.returncode is not None, "an open file that nobody has any more"


@posix
def test_after_a_process_that_was_killed_the_next_request_starts_another(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(60), chunks=(7,))
    with fn.H5Stream(tmp_path / "a.h5", "x") as rows:
        os.kill(rows._file.child._process.pid, signal.SIGKILL)
        rows._file.child._process.wait()
        assert "failed in it" in message(FileFormatError, lambda _: rows.read(3, 9), tmp_path / "a.h5")
        np.testing.assert_array_equal(rows.read(3, 9), np.arange(3, 9))


def test_threads_share_the_process(tmp_path):
    want = np.arange(40_000).reshape(10_000, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=want, chunks=(70, 4), compression="gzip")
    wrong = []
    with fn.H5Stream(tmp_path / "a.h5", "x") as rows:

        def read(low):
            for first in range(low, low + 1000, 50):
                if not np.array_equal(rows.read(first, first + 777), want[first : first + 777]):
                    wrong.append(first)

        threads = [threading.Thread(target=read, args=(1000 * i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_reads_with_a_process_of_its_own(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(60), chunks=(7,))
    code = f"""
import os, numpy as np
from fastnn.data import H5Stream
rows = H5Stream({str(tmp_path / "a.h5")!r}, "x")
pid = os.fork()
for _ in range(20):
    assert (rows.read(3, 9) == np.arange(3, 9)).all()
if pid == 0:
    rows.close()
    os._exit(0)
print(os.waitpid(pid, 0)[1])
assert (rows.read(3, 9) == np.arange(3, 9)).all()
"""
    assert python(code).strip() == "0"


KINDS = ["u1", "<i2", ">i4", "<u8", "<f2", ">f4", "<f8", "?", "S3"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["plain", "after a user block", "newest", "chunks", "compact"])
def test_every_form_gives_the_same_numbers(tmp_path, kind, form):
    want = (np.arange(36).reshape(12, 3) % 2).astype(kind)
    options = {"newest": {"libver": "latest"}, "after a user block": {"userblock_size": 512}}.get(form, {})
    with h5py.File(tmp_path / "a.h5", "w", **options) as file:
        if form == "compact":
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_layout(h5py.h5d.COMPACT)
            space = h5py.h5s.create_simple(want.shape)
            data = h5py.h5d.create(file.id, b"x", h5py.h5t.py_create(want.dtype, logical=True), space, properties)
            h5py.Dataset(data)[...] = want
        else:
            file.create_dataset("x", data=want, chunks=(5, 2) if form == "chunks" else None)
    with open_hdf5(str(tmp_path / "a.h5")) as file:
        array = file.array("x")
        assert ("x" in file.plain) == (form == "plain" and kind != "?")
        np.testing.assert_array_equal(array.read(), want.astype(want.dtype.newbyteorder("=")), strict=True)
        np.testing.assert_array_equal(array.read(5, 9), want[5:9])


def test_many_keys_and_groups(tmp_path):
    """A tree of several levels; what is in a group is found too."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for i in range(2000):
            file[f"key {i}"] = np.full(3, i)
        file["group/inner"] = np.arange(3)
        file["soft"] = h5py.SoftLink("/group/inner")
    with open_hdf5(str(tmp_path / "a.h5")) as file:
        for i in (0, 7, 999, 1999):
            assert f"key {i}" in file.plain
            np.testing.assert_array_equal(file.array(f"key {i}").read(), np.full(3, i))
        for key in ("group/inner", "/group/inner", "soft"):
            np.testing.assert_array_equal(file.array(key).read(), np.arange(3))


def test_fastnn_s_own_files_need_no_other_process(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    fn.data.save_cats_vs_cars(tmp_path / "a.h5", small_set(4, 4, classes=2))
    load_cats_vs_cars(tmp_path / "a.h5")
    write_trigrams(tmp_path / "b.h5")
    fn.data.save_trigram_hdf5(tmp_path / "c.h5", load_trigram(tmp_path / "b.h5"))
    load_trigram(tmp_path / "c.h5")


def test_a_truth_value_is_0_or_1(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.array([True, False] * 50)
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content.replace(b"\1\0" * 50, b"\7\0" * 50))
    assert stream(tmp_path / "a.h5").view(np.uint8).tolist() == [1, 0] * 50


def test_a_file_that_becomes_shorter_while_it_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(100_000)
    with fn.H5Stream(tmp_path / "a.h5", "x") as rows:
        os.truncate(tmp_path / "a.h5", 100_000)
        assert "bytes too early" in message(FileFormatError, lambda _: rows.read(0, 99_999), tmp_path / "a.h5")
