"""Reading a file larger than memory block by block."""

import tracemalloc

import h5py
import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import H5Stream
from fastnn.data import h5stream as stream
from fastnn.data.hdf5 import described
from fastnn.data.hdf5.child_process import Child
from tests.data_files import message, rng


def test_a_stream_reads_what_is_there(tmp_path):
    want = rng.integers(0, 1000, (57, 3, 2)).astype(">i2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=want, chunks=(8, 3, 2), compression="gzip")
    with H5Stream(tmp_path / "a.h5", "x") as got:
        assert (len(got), got.shape, got.dtype) == (57, (57, 3, 2), np.dtype("i2").newbyteorder("="))
        np.testing.assert_array_equal(got.read(5, 29), want[5:29].astype("i2"), strict=True)
        assert got.read(57, 57).shape == (0, 3, 2)
        for rows in (None, 1, 7, 8, 100):
            blocks = list(got.blocks(rows))
            np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), want)
            assert [first for first, _ in blocks] == np.cumsum([0, *(len(block) for _, block in blocks[:-1])]).tolist()
        for first, last in ((-1, 3), (3, 2), (0, 58)):
            with pytest.raises(DataError, match="expected 0 to 57"):
                got.read(first, last)
    with pytest.raises(DataError, match="was closed"):
        got.read(0, 1)


def test_blocks_hold_whole_chunks(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", shape=(100, 4), dtype="u1", chunks=(12, 4))
    monkeypatch.setattr(stream, "BLOCK_BYTES", 4 * 30)
    with H5Stream(tmp_path / "a.h5", "x") as got:
        assert [first for first, _ in got.blocks()] == [0, 24, 48, 72, 96]


def test_reading_takes_a_block_of_memory_not_the_file(tmp_path):
    """Reading 160 of the 10,240 MB that this file unpacks to takes no more memory than two blocks."""
    with h5py.File(tmp_path / "large.h5", "w") as file:
        file.create_dataset("x", shape=(10 << 20, 32, 32), dtype="u1", chunks=(256, 32, 32))
    with H5Stream(tmp_path / "large.h5", "x") as got:
        assert len(got) == 10 << 20
        tracemalloc.start()
        for first, block in got.blocks():
            assert not block[0].any()
            if first >= 160 << 10:
                break
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2.2 * stream.BLOCK_BYTES


def test_bad_streams(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["words"] = [b"a", b"b"]
        file["one"] = 3.0
        file.create_dataset("empty", shape=(2, 1 << 40, 1 << 40, 0), dtype="u1")
        file.create_dataset("lumps", shape=(1 << 20, 1024), dtype="u1", chunks=(1 << 17, 1024))
    for key, said in (
        ("x", "has no key 'x', it has empty, lumps, one, words"),
        ("empty", "has rows of shape (1099511627776, 1099511627776, 0)"),
        ("words", "expected numbers"),
        ("one", r"is () float64"),
        ("lumps", "chunks of 134,217,728 bytes, expected at most 67,108,864"),
    ):
        assert said in message(FileFormatError, lambda name, key=key: H5Stream(name, key), path)
    path.write_bytes(b"text")
    assert "is not an HDF5 file" in message(FileFormatError, lambda name: H5Stream(name, "x"), path)


def test_requests_of_threads_do_not_mix(tmp_path, monkeypatch):
    """An answer would be read by whoever comes first: so the lock is held from a request to its answer."""
    held = []
    with open(tmp_path / "d.h5", "wb+", buffering=0) as file:
        child = Child(file, "d.h5", "d.h5 cannot be read")
        monkeypatch.setattr(child, "_asked", lambda request, out: (held.append(child._lock.locked()) or {}, b""))
        child.ask(do="rows")
        assert not child._lock.locked()
    assert held == [True]


def test_a_read_may_bring_a_part_alone(tmp_path, monkeypatch):
    """As of more than 2 GB, or over a network."""
    read = described._read_some
    monkeypatch.setattr(described, "_read_some", lambda file, offset, out: read(file, offset, out[:3]))
    (tmp_path / "f").write_bytes(bytes(range(20)))
    out = bytearray(10)
    with open(tmp_path / "f", "rb", buffering=0) as file:
        described.read_at(file, 5, memoryview(out))
        assert out == bytes(range(5, 15))
        with pytest.raises(OSError, match="it ends 2 bytes too early"):
            described.read_at(file, 12, memoryview(out))
