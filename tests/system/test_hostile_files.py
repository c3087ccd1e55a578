"""Files that mislead: links, devices, sizes that are lies, headers that are no headers. Each is refused in one line."""

import json
import os
import struct
import tarfile
import zipfile
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import DataError, FileFormatError
from fastnn.data import (
    load_cats_vs_cars,
    load_cifar10,
    load_idx,
    load_npz,
    load_text,
    load_trigram,
    save_cats_vs_cars,
    save_cifar10,
    save_idx,
    write_idx,
)
from fastnn.experiment.run_files import read_summary
from fastnn.experiment.sweep import owner_of
from fastnn.experiment.train_one import load_run
from fastnn.recipes import RECIPES
from fastnn.search.table import read_table
from fastnn.training.models import storage
from tests.data_files import images, labels, message, small_set
from tests.small_data import write_trigrams
from tests.tiny import tiny_model

NAMES = tuple("abcdefghij")


def load_letters(path):
    return load_npz(path, NAMES)


with_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")


@with_pipes
@pytest.mark.parametrize("load", [load_trigram, load_text, load_cats_vs_cars, load_letters, load_cifar10])
def test_pipes_and_devices_are_not_opened(tmp_path, load):
    os.mkfifo(tmp_path / "pipe")  # Nobody writes to it: opening it would wait for ever.
    assert "is a pipe or a device" in message(FileFormatError, load, tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert "is a pipe or a device" in message(FileFormatError, load, tmp_path / "zero")


LINKS = {
    "soft": (h5py.SoftLink("/nowhere"), "'trainlbls' cannot be opened: "),
    "external": (h5py.ExternalLink("nowhere.h5", "/x"), "'trainlbls' cannot be opened: "),
}


@pytest.mark.parametrize(("link", "said"), LINKS.values(), ids=LINKS)
def test_links_that_lead_nowhere_are_named(tmp_path, link, said):
    save_cats_vs_cars(tmp_path / "a.h5", small_set(4, 4, classes=2))
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["trainlbls"]
        file["trainlbls"] = link
    assert said in message(FileFormatError, load_cats_vs_cars, tmp_path / "a.h5")


def declare(path, **shapes):
    """Put arrays in the place of those there that are declared but never written."""
    with h5py.File(path, "r+") as file:
        for key, shape in shapes.items():
            kind = file[key].dtype
            del file[key]
            file.create_dataset(key, shape, kind, chunks=(1000, *shape[1:]), fillvalue=b"a" if kind.kind == "S" else 1)


def test_arrays_that_were_never_written(tmp_path):
    """A file of a few kilobytes can declare gigabytes of equal numbers, which HDF5 would make up."""
    save_cats_vs_cars(tmp_path / "a.h5", small_set(4, 4, classes=2))
    declare(tmp_path / "a.h5", trainims=(10**8, 4, 4), trainlbls=(10**8,))
    assert "most of it was never written" in message(FileFormatError, load_cats_vs_cars, tmp_path / "a.h5")
    for shapes in ({"trainx": (10**8, 3), "traind": (10**8,)}, {"words": (10**8,)}):
        write_trigrams(tmp_path / "b.h5")
        declare(tmp_path / "b.h5", **shapes)
        assert f"'{next(iter(shapes))}' declares shape" in message(FileFormatError, load_trigram, tmp_path / "b.h5")


def test_splits_of_different_shapes(tmp_path):
    """Seen before training, not after it when the test set comes."""
    said = "has training samples of shape (5, 5) but test samples of shape (6, 5), expected the same"
    save_idx(tmp_path / "idx", small_set(5, 5))
    write_idx(tmp_path / "idx" / "t10k-images-idx3-ubyte.gz", images(11, 6, 5))
    assert said in message(DataError, load_idx, tmp_path / "idx")
    save_cats_vs_cars(tmp_path / "a.h5", small_set(5, 5, classes=2))
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["testims"]
        file["testims"] = images(11, 6, 5)
    assert said in message(DataError, load_cats_vs_cars, tmp_path / "a.h5")
    arrays = {"x_train": images(9, 5, 5), "y_train": labels(9), "x_test": images(8, 6, 5), "y_test": labels(8)}
    np.savez(tmp_path / "a.npz", **arrays)
    assert said in message(DataError, load_letters, tmp_path / "a.npz")


HEADERS = {
    "syntax": ("{'descr': ", "has a header that is none of NumPy's"),
    "nested": ("[" * 2000, "has a header that is none of NumPy's"),
    "open bracket": ("(" * 500, "has a header that is none of NumPy's"),
    "negative": ("{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -3, 3)}", "expected lengths from 0 up"),
    "truth": ("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 3, 6)}", "expected lengths from 0 up"),
}


@pytest.mark.parametrize(("header", "said"), HEADERS.values(), ids=HEADERS)
def test_headers_of_npz(tmp_path, header, said):
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(18)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", member)
    assert said in message(FileFormatError, load_letters, tmp_path / "a.npz")


@pytest.mark.parametrize("keep", [-1, -8])
def test_an_archive_without_its_checksum(tmp_path, keep):
    """All six files are there, but whether they are whole nobody can say."""
    save_cifar10(tmp_path / "folder", small_set(32, 32, 3))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.add(tmp_path / "folder")
    whole = (tmp_path / "a.tgz").read_bytes()
    (tmp_path / "a.tgz").write_bytes(whole[:keep])
    assert "cut short" in message(FileFormatError, load_cifar10, tmp_path / "a.tgz")
    (tmp_path / "a.tgz").write_bytes(whole[:-8] + b"\xff" * 4 + whole[-4:])
    assert "CRC" in message(FileFormatError, load_cifar10, tmp_path / "a.tgz")


def test_a_member_of_an_archive_that_claims_more_than_there_is(tmp_path):
    """tarfile would read on at the end of the file for as many times as the claimed size has blocks."""
    save_cifar10(tmp_path / "folder", small_set(32, 32, 3))
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(tmp_path / "folder")
    content = bytearray((tmp_path / "a.tar").read_bytes())
    content[124:136] = b"\x80" + bytes(3) + b"\xff" * 8
    content[156:157] = b"0"  # a file
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    (tmp_path / "a.tar").write_bytes(content)
    assert "cut short" in message(FileFormatError, load_cifar10, tmp_path / "a.tar")


FOREIGN = {
    "a comparison that is a list": ({"runs": [{"label": "a", "comparison": []}]}, "comparison is [], expected str"),
    "a text for samples": ({"samples": "abc"}, "samples is 'abc', expected dict"),
}


@pytest.mark.parametrize(("found", "said"), FOREIGN.values(), ids=FOREIGN)
def test_summaries_that_no_run_wrote(tmp_path, found, said):
    (tmp_path / "summary.json").write_text(json.dumps(found), "utf-8")
    assert said in message(FileFormatError, lambda path: read_summary(path.parent), tmp_path / "summary.json")


def test_a_table_without_columns(tmp_path):
    (tmp_path / "a.csv").write_text("\nx,y\n", "utf-8")
    owner = owner_of(RECIPES["trigram"], "generated")
    said = message(FileFormatError, lambda path: read_table(path, owner), tmp_path / "a.csv")
    assert "is no sweep of trigram" in said


TRAININGS = {
    "settings that are no JSON": {"settings": "{"},
    "another field": {"x": 1},
    "a history that is a text": {"epochs": "abc"},
}


@pytest.mark.parametrize("change", TRAININGS.values(), ids=TRAININGS)
def test_trainings_that_no_command_saved(tmp_path, change):
    good = {"epochs": [], "steps": {}, "metrics": {}, "best_epoch": 0, "stop_reason": "", "settings": "{}"}
    storage.save(tmp_path / "a.h5", tiny_model().saved(good | change))
    with pytest.raises(FileFormatError, match=r"a\.h5: cannot be read as a training that has ended"):
        load_run(tmp_path / "a.h5", "a", Moment())


@dataclass(frozen=True)
class Moment:
    """Settings that have no fields."""


def test_a_file_full_of_holes(tmp_path):
    """90 GB that take no room on the disk."""
    save_cifar10(tmp_path / "folder", small_set(32, 32, 3))
    with open(tmp_path / "folder" / "data_batch_3.bin", "wb") as file:
        try:
            file.truncate(3073 * 30_000_000)
        except OSError:
            pytest.skip("no such files on this disk")
    with pytest.raises(FileFormatError, match=r"data_batch_3.bin' declares shape .* expected at most 4,294,967,296"):
        load_cifar10(tmp_path / "folder")


SHAPES = {
    "colour": ("mnist-mlp", (9, 4, 4, 3), "has pictures of shape (4, 4, 3), expected grey square ones"),
    "oblong": ("notmnist-cnn", (9, 4, 5), "has pictures of shape (4, 5), expected grey square ones"),
    "space": ("moons", (9, 3), "expected points in the plane, (N, 2)"),
}


@pytest.mark.parametrize(("system", "shape", "said"), SHAPES.values(), ids=SHAPES)
def test_shapes_that_a_system_cannot_take(tmp_path, system, shape, said):
    np.savez(tmp_path / "a.npz", images=images(*shape), labels=labels(9) % 2)
    assert said in message(FileFormatError, lambda path: RECIPES[system].find(path), tmp_path / "a.npz")


def test_grey_pictures_with_a_channel(tmp_path):
    x, y = images(9, 4, 4, 1), labels(9)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    data, _ = RECIPES["mnist-cnn"].find(tmp_path / "a.npz")
    assert [split.x.shape[1:] for split in data.splits().values()] == [(4, 4)] * 3


MISSING_SPLITS = {
    "no test": ("mnist-mlp", {"images": images(9, 4, 4), "labels": labels(9)}, "train (9), which leaves none for test"),
    "one": ("notmnist-mlp", {"images": images(1, 4, 4), "labels": [0]}, "which leaves none for val and test"),
    "two": ("cifar10-mlp", {"images": images(2, 4, 4), "labels": [0, 1]}, "which leaves none for val;"),
}


@pytest.mark.parametrize(("system", "arrays", "said"), MISSING_SPLITS.values(), ids=MISSING_SPLITS)
def test_splits_that_a_system_cannot_do_without(tmp_path, system, arrays, said):
    np.savez(tmp_path / "a.npz", **arrays)
    assert said in message(DataError, lambda path: RECIPES[system].find(path), tmp_path / "a.npz")


@with_pipes
def test_what_is_written_takes_no_place_of_a_pipe(tmp_path, capsys):
    from fastnn.cli import main

    os.mkfifo(tmp_path / "pipe")
    assert main(["data", "make", "moons", "--out", str(tmp_path / "pipe")]) == 2
    assert "is a pipe or a device" in capsys.readouterr().err
    with pytest.raises(FileFormatError, match="is a pipe or a device"):
        fn.Sequential([fn.Dense(2)], input_shape=(1,)).save(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
