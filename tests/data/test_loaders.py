"""CIFAR-10, npz, cats and cars: reading the files, and one clear line for each possible fault."""

import gzip
import io
import tarfile
import zipfile

import h5py
import numpy as np
import pytest

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import (
    Dataset,
    Split,
    load_cats_vs_cars,
    load_cifar10,
    load_npz,
    save_cats_vs_cars,
    save_cifar10,
    save_npz,
)
from fastnn.data.formats import cifar, reading
from tests.data_files import REAL, assert_same, images, labels, message, small_set, with_real_data

NAMES = tuple("abcdefghij")

# CIFAR-10


def archive_of(folder, path, prefix="cifar-10-batches-bin/", extra=()):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in [("batches.meta.txt", b"airplane\n"), *extra]:
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for file in sorted(folder.iterdir()):
            archive.add(file, prefix + file.name)
    return path


def test_cifar10_from_folder_and_archive(tmp_path):
    want = small_set(32, 32, 3)
    save_cifar10(tmp_path / "folder", want)
    got = load_cifar10(tmp_path / "folder")
    assert_same(got, want)
    assert got.train.x.flags.c_contiguous
    assert got.meta["classes"][6] == "frog"
    assert_same(load_cifar10(archive_of(tmp_path / "folder", tmp_path / "a.tar.gz")), want)


def test_cifar10_planes(tmp_path):
    """A record written by hand: label 7, all red 1, all green 2, all blue 3 but for the pixel in row 1, column 2."""
    record = np.repeat(np.array([1, 2, 3], np.uint8), 1024)
    record[1024 + 32 + 2] = 200
    (tmp_path / "f").mkdir()
    for file in cifar.FILES:
        (tmp_path / "f" / file).write_bytes(b"\x07" + record.tobytes())
    got = load_cifar10(tmp_path / "f").test
    assert got.y.tolist() == [7]
    assert got.x[0, 0, 0].tolist() == [1, 2, 3]
    assert got.x[0, 1, 2].tolist() == [1, 200, 3]


def test_names_in_an_archive_lead_nowhere(tmp_path):
    save_cifar10(tmp_path / "folder", small_set(32, 32, 3))
    before = sorted(tmp_path.rglob("*"))
    path = archive_of(tmp_path / "folder", tmp_path / "folder.tar.gz", prefix="../../")
    load_cifar10(path)
    path.unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_bad_cifar10(tmp_path):
    folder = tmp_path / "folder"
    save_cifar10(folder, small_set(32, 32, 3))
    whole = (folder / "test_batch.bin").read_bytes()
    (folder / "test_batch.bin").write_bytes(whole[:-1])
    assert "expected a multiple of 3073" in message(FileFormatError, load_cifar10, folder)
    (folder / "test_batch.bin").write_bytes(b"\x0a" + whole[1:])
    assert "holds label 10 in record 0" in message(DataError, load_cifar10, folder)
    assert "holds label 10" in message(DataError, load_cifar10, archive_of(folder, tmp_path / "a.tar.gz"))
    (folder / "test_batch.bin").unlink()
    assert "has no test_batch.bin;" in message(FileFormatError, load_cifar10, folder)
    assert "has no test_batch.bin;" in message(FileFormatError, load_cifar10, archive_of(folder, tmp_path / "b.tar.gz"))
    for content, said in ((b"no archive", "no tar archive"), (gzip.compress(bytes(700)), "has no data_batch_1.bin")):
        (tmp_path / "c.tar.gz").write_bytes(content)
        assert said in message(FileFormatError, load_cifar10, tmp_path / "c.tar.gz")
    half = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "b.tar.gz").write_bytes(half[: len(half) // 2])
    assert "cut short" in message(FileFormatError, load_cifar10, tmp_path / "b.tar.gz")


def test_an_archive_that_unpacks_to_too_much(tmp_path, monkeypatch):
    save_cifar10(tmp_path / "folder", small_set(32, 32, 3))
    path = archive_of(tmp_path / "folder", tmp_path / "bomb.tar.gz", extra=[("readme.html", bytes(9 << 20))])
    monkeypatch.setattr(cifar, "ARCHIVE_BYTES", 8 << 20)
    assert "unpacks to more than 8,388,608 bytes" in message(FileFormatError, load_cifar10, path)
    monkeypatch.undo()
    monkeypatch.setattr(cifar, "BATCH", 4)
    assert "declares 15,365 bytes, expected at most 12,292" in message(FileFormatError, load_cifar10, path)


# npz


def test_npz_layouts(tmp_path):
    want = Dataset(*(Split(images(n, 6, 5, 3), labels(n)) for n in (20, 12, 11)))
    save_npz(tmp_path / "a.npz", want)
    assert_same(load_npz(tmp_path / "a.npz", NAMES), want)
    x, y = images(20, 6, 5), labels(20)
    for pack in (np.savez, np.savez_compressed):
        pack(tmp_path / "b.npz", images=np.asfortranarray(x), labels=y[:, None].astype("f8"), other=np.zeros(3))
        got = load_npz(tmp_path / "b.npz", NAMES)
        assert_same(got, Dataset(Split(x, y)))
        assert got.meta["classes"] == list(NAMES)


BAD_NPZ = {
    "missing labels": ({"images": images(4, 3, 3)}, FileFormatError, "has no key 'labels', it has images"),
    "other keys": ({"a": images(4, 3, 3)}, FileFormatError, "has keys a; expected images and labels"),
    "pickle": ({"images": np.array([{}, []], object), "labels": labels(2)}, FileFormatError, "pickle is never read"),
    "words": ({"images": np.array([[["x"]]]), "labels": labels(1)}, FileFormatError, "holds <U1, expected numbers"),
    "shape": ({"images": images(4, 9), "labels": labels(4)}, FileFormatError, r"has shape (4, 9), expected images"),
    "no images": ({"images": images(0, 3, 3), "labels": labels(4)[:0]}, DataError, "expected at least one image"),
    "lengths": ({"images": images(4, 3, 3), "labels": labels(5)}, DataError, "has 4 images but"),
    "class": ({"images": images(2, 3, 3), "labels": np.array([0, 10])}, DataError, "holds label 10 at row 1"),
    "negative": ({"images": images(2, 3, 3), "labels": np.array([0, -1])}, DataError, "holds label -1 at row 1"),
    "half": ({"images": images(2, 3, 3), "labels": np.array([0, 0.5])}, DataError, "holds label 0.5"),
    "NaN label": ({"images": images(2, 3, 3), "labels": np.array([0, np.nan])}, DataError, "holds label nan"),
    "NaN": ({"images": np.full((2, 3, 3), np.nan), "labels": labels(2)}, DataError, "holds nan at [0, 0, 0]"),
    "one-hot": ({"images": images(2, 3, 3), "labels": np.eye(2)}, FileFormatError, "expected labels (N,) or (N, 1)"),
}


@pytest.mark.parametrize(("arrays", "error", "said"), BAD_NPZ.values(), ids=list(BAD_NPZ))
def test_bad_npz(tmp_path, arrays, error, said):
    np.savez(tmp_path / "bad.npz", **arrays)
    assert said in message(error, lambda path: load_npz(path, NAMES), tmp_path / "bad.npz")


def test_damaged_npz(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez_compressed(path, images=images(50, 9, 9), labels=labels(50))
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], whole[:300] + b"\xff" * 40 + whole[340:]):
        path.write_bytes(content)
        message(FileFormatError, lambda name: load_npz(name, NAMES), path)


def test_an_npz_whose_header_and_size_disagree(tmp_path):
    """The array's own header declares 400 MB, the archive holds 16 bytes; and the other way round."""
    path = tmp_path / "bomb.npz"
    for shape, body, said in (((400, 1000, 1000), 16, "expected 400,000,000"), ((2, 2, 2), 99, "has 99 bytes of data")):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("images.npy", header.getvalue() + bytes(body))
        assert said in message(FileFormatError, lambda name: load_npz(name, NAMES), path)


@with_real_data
def test_the_real_cifar10_subset():
    got = load_npz(REAL / "cifar10_lossless_subset.npz", cifar.CLASSES)
    assert got.train.x.shape == (4000, 32, 32, 3)
    assert got.test.y[:4].tolist() == [3, 8, 8, 0]


# Cats and cars


def test_cats_and_cars(tmp_path):
    want = small_set(32, 32, classes=2)
    save_cats_vs_cars(tmp_path / "a.h5", want)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        assert file["trainlbls"].dtype == np.float64
        column = file["testlbls"][()][:, None]
        del file["testlbls"]
        file["testlbls"] = column.astype("i8")
    got = load_cats_vs_cars(tmp_path / "a.h5")
    assert_same(got, want)
    assert got.meta["classes"] == ["cat", "car"]


BAD_CATS = {
    "missing": ({"testlbls": None}, FileFormatError, "has no key 'testlbls', it has testims, trainims, trainlbls"),
    "misspelt": ({"testims": None, "testimgs": images(11, 4, 4)}, FileFormatError, "did you mean testimgs?"),
    "floats": ({"trainims": np.zeros((23, 4, 4))}, FileFormatError, "is (23, 4, 4) float64, expected (N, H, W) uint8"),
    "flat": ({"trainims": images(23, 16)}, FileFormatError, "is (23, 16) uint8"),
    "lengths": ({"trainlbls": np.zeros(22)}, DataError, "has 23 images but"),
    "class": ({"trainlbls": np.full(23, 2.0)}, DataError, "holds label 2.0 at row 0"),
    "NaN": ({"trainlbls": np.full(23, np.nan)}, DataError, "holds label nan"),
}


@pytest.mark.parametrize(("changes", "error", "said"), BAD_CATS.values(), ids=list(BAD_CATS))
def test_bad_cats_and_cars(tmp_path, changes, error, said):
    save_cats_vs_cars(tmp_path / "bad.h5", small_set(4, 4, classes=2))
    with h5py.File(tmp_path / "bad.h5", "r+") as file:
        for key, value in changes.items():
            if key in file:
                del file[key]
            if value is not None:
                file[key] = value
    assert said in message(error, load_cats_vs_cars, tmp_path / "bad.h5")


def test_an_array_that_would_not_fit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_BYTES", 300)
    save_cats_vs_cars(tmp_path / "large.h5", small_set(4, 4, classes=2))
    assert "368 bytes; expected at most 300" in message(FileFormatError, load_cats_vs_cars, tmp_path / "large.h5")


@with_real_data
def test_the_real_cats_and_cars():
    got = load_cats_vs_cars(REAL / "cats_vs_cars.h5")
    assert got.train.x.shape == (1900, 32, 32)
    assert np.bincount(got.train.y).tolist() == [950, 950]
    assert (np.diff(got.test.y.astype(int)) >= 0).all()


def test_samples_of_all_splits_have_one_shape():
    splits = {
        name: Split(np.zeros((2, 4, side)), np.zeros(2)) for name, side in (("train", 4), ("val", 4), ("test", 5))
    }
    reading.check_alike({name: splits[name] for name in ("train", "val")}, "'f'")
    with pytest.raises(
        DataError, match=r"'f' has training samples of shape \(4, 4\) but test samples of shape \(4, 5\)"
    ):
        reading.check_alike(splits, "'f'")
