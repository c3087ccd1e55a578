"""IDX files, plain and packed: reading them, and one clear line for each possible fault."""

import gzip
import re
import struct
import tracemalloc

import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import load_idx, read_idx, save_idx, write_idx
from tests.data_files import REAL, assert_same, images, labels, message, rng, small_set, with_real_data


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx_comes_back_as_it_was(tmp_path, kind, ending):
    want = rng.integers(0, 100, (3, 4, 5)).astype(kind)
    write_idx(tmp_path / f"a{ending}", want)
    np.testing.assert_array_equal(read_idx(tmp_path / f"a{ending}"), want, strict=True)


def test_idx_is_big_endian(tmp_path):
    (tmp_path / "a").write_bytes(bytes.fromhex("00000b02 00000001 00000002 0102 fffe".replace(" ", "")))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), [[258, -2]])


@pytest.mark.parametrize("unpacked", [False, True])
def test_mnist_layout(tmp_path, unpacked):
    want = small_set(28, 28)
    save_idx(tmp_path / "new" / "folder", want)
    folder = tmp_path / "new" / "folder"
    assert (folder / "t10k-labels-idx1-ubyte.gz").exists()
    if unpacked:
        for path in list(folder.iterdir()):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
    got = load_idx(folder)
    assert_same(got, want)
    assert got.meta == {"classes": list("0123456789"), "source": str(folder)}


def idx_bytes(magic=0x0803, shape=(2, 3, 3), body=18):
    return struct.pack(f">I{len(shape)}I", magic, *shape) + bytes(body)


BAD_IDX = {
    "magic number": (idx_bytes(0x01020803), "begins with 0x01020803, expected such as 0x00000803"),
    "type": (idx_bytes(0x0703), "begins with 0x00000703"),
    "axes": (idx_bytes(0x0801, (18,)), "has 1 axes by its magic number 0x00000801, expected 3"),
    "empty": (b"", "is no IDX file: it begins with 0x,"),
    "header cut": (idx_bytes()[:10], "header has 10 of 16 bytes"),
    "body cut": (idx_bytes(body=17), r"a file of 33 bytes|found 17 bytes after the header, expected 18"),
    "goes on": (idx_bytes(body=19), "goes on after the 18 bytes"),
    "declares gigabytes": (idx_bytes(shape=(60_000, 200, 200)), "found a file of 34 bytes, expected 2,400,000,000"),
    "declares terabytes": (idx_bytes(shape=(2**31, 2**31, 2**31)), "expected at most 4,294,967,296"),
}


@pytest.mark.parametrize(
    ("shape", "said"),
    [((2**32 - 1, 2**32 - 1, 0), "at most 4,294,967,296"), ((0,) * 33, "declares 33 axes, expected at most 32")],
)
def test_an_empty_array_that_numpy_cannot_make(tmp_path, shape, said):
    path = tmp_path / "empty-idx"
    path.write_bytes(idx_bytes(0x0800 + len(shape), shape, 0))
    assert said in message(FileFormatError, read_idx, path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("content", "said"), BAD_IDX.values(), ids=list(BAD_IDX))
def test_bad_idx(tmp_path, content, said, packed):
    path = tmp_path / "bad-idx"
    path.write_bytes(gzip.compress(content) if packed else content)
    text = message(FileFormatError, lambda name: read_idx(name, axes=3), path)
    if packed and "a file of" in said:
        said = "cut short|a file of"
    assert re.search(said, text), text


def test_bad_gzip(tmp_path):
    path = tmp_path / "bad.gz"
    whole = gzip.compress(idx_bytes(shape=(100, 9, 9), body=0) + images(100, 9, 9).tobytes())
    for content, said in (
        (whole[: len(whole) // 2], "cut short"),
        (whole[:-8] + b"\0" * 4 + whole[-4:], "CRC"),
        (whole[:200] + b"\xff" * 50 + whole[250:], "damaged|cut short|CRC"),
    ):
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=said):
            read_idx(path)


def test_a_gzip_bomb_is_left_alone(tmp_path):
    """A header of 18 bytes, then 200 MB of zeros: at most one piece of them may be unpacked."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(idx_bytes())
        for _ in range(50):
            file.write(bytes(4 << 20))
    tracemalloc.start()
    assert "goes on after the 18 bytes" in message(FileFormatError, read_idx, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


def test_bad_folders_of_idx(tmp_path):
    assert "is no folder" in message(FileFormatError, load_idx, tmp_path / "nowhere")
    assert "has no file 'train-images-idx3-ubyte'" in message(FileFormatError, load_idx, tmp_path)
    save_idx(tmp_path, small_set(5, 5))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", labels(12))
    text = message(DataError, load_idx, tmp_path)
    assert "has 11 images" in text
    assert "has 12 labels" in text
    wrong = labels(11)
    wrong[4] = 10
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", wrong)
    assert "holds label 10 at row 4 (rows count from 0), expected a whole number from 0 to 9" in message(
        DataError, load_idx, tmp_path
    )
    floats = images(23, 5, 5).astype("f4")
    floats[7, 1, 2] = np.nan
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", floats)
    assert "holds nan at [7, 1, 2]" in message(DataError, load_idx, tmp_path)


@with_real_data
def test_the_real_mnist():
    got = load_idx(REAL / "mnist")
    assert got.train.x.shape == (60_000, 28, 28)
    assert got.test.x.shape == (10_000, 28, 28)
    assert got.train.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(got.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
