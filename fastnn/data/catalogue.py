"""The data sets by name, and where one comes from: the path given, else files fetched before, else generated data."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_target
from fastnn.common.names import look_up
from fastnn.data import download
from fastnn.data.dataset import Dataset, Split
from fastnn.data.division import Use, divide
from fastnn.data.formats import cats_hdf5 as cats
from fastnn.data.formats import cifar, idx, npz, trigram_hdf5
from fastnn.data.generated import glyphs, markov, people, points, shapes
from fastnn.data.remote import REMOTE
from fastnn.data.table_target import TableUse
from fastnn.data.tables import load_table
from fastnn.data.trigram import load_trigram

Path = str | os.PathLike[str]

FASHION = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)


@dataclass(frozen=True)
class DataSet:
    """One data set of the catalogue.

    title : what the original is. load : path -> Dataset, from any of its file formats.
    generate, generated : the stand-in, and what it is; None and "" where there is none.
    save : (path, dataset), in the original's format. out : where `fastnn data make` writes unless told otherwise.
    """

    title: str
    load: Callable[[Path], Dataset]
    generate: Callable[[], Dataset] | None = None
    generated: str = ""
    save: Callable[[Path, Dataset], None] = npz.save_npz
    out: str = ""


def _load_digits(classes: Sequence[str]) -> Callable[[Path], Dataset]:
    """A reader of .npz files and of folders of IDX files."""

    def load(path: Path) -> Dataset:
        return _grey(npz.load_npz(path, classes) if _is_npz(path) else idx.load_idx(path, classes), path)

    return load


def _grey(data: Dataset, path: Path) -> Dataset:
    """The data with pictures (N, H, W), from (N, H, W, 1) too; FileFormatError if they are coloured or not square."""
    shape = data.train.x.shape[1:]
    if shape[2:] not in ((), (1,)) or shape[0] != shape[1]:
        raise FileFormatError(
            f"{os.fspath(path)!r} has pictures of shape {shape}, expected grey square ones, (N, H, H)"
        )
    parts: dict[str, Any] = {
        name: Split(split.x.reshape(-1, *shape[:2]), split.y) for name, split in data.splits().items()
    }
    return replace(data, **parts)


def _load_cifar10(path: Path) -> Dataset:
    return npz.load_npz(path, cifar.CLASSES) if _is_npz(path) else cifar.load_cifar10(path)


def _load_points(path: Path) -> Dataset:
    return npz.load_npz(path, ("0", "1"), points=True)


def _load_people(path: Path) -> Dataset:
    return load_table(path, TableUse(people.TARGET))


def _is_npz(path: Path) -> bool:
    return os.fspath(path).lower().endswith(".npz")


DATA_SETS = {
    "trigram": DataSet(
        "four-word sequences over 250 words, HDF5 or plain text",
        load_trigram,
        markov.generate_trigrams,
        "four-grams over 250 words from a known source",
        trigram_hdf5.save_trigram_hdf5,
        "trigram.h5",
    ),
    "cats-vs-cars": DataSet(
        "grey 32×32 photographs of cats and cars, HDF5",
        cats.load_cats_vs_cars,
        shapes.generate_cats_vs_cars,
        "drawn cats' heads and cars",
        cats.save_cats_vs_cars,
        "cats-vs-cars.h5",
    ),
    "mnist": DataSet(
        "handwritten digits 28×28, IDX or .npz",
        _load_digits(idx.DIGITS),
        glyphs.generate_digits,
        "digits of 21 typefaces, bent and slanted",
        idx.save_idx,
        "mnist",
    ),
    "fashion-mnist": DataSet("pictures of clothes 28×28, IDX or .npz", _load_digits(FASHION)),
    "notmnist": DataSet(
        "letters A to J 28×28, .npz or IDX",
        _load_digits(glyphs.LETTERS),
        glyphs.generate_letters,
        "letters of 21 typefaces, bent and slanted",
        npz.save_npz,
        "notmnist.npz",
    ),
    "cifar10": DataSet(
        "colour photographs 32×32 of ten classes, binary version or .npz",
        _load_cifar10,
        shapes.generate_cifar10,
        "ten coloured shapes",
        cifar.save_cifar10,
        "cifar10",
    ),
    "moons": DataSet(
        "200 points in the plane, two half circles",
        _load_points,
        points.generate_moons,
        "two half circles with noise",
        npz.save_npz,
        "moons.npz",
    ),
    "blobs": DataSet(
        "200 points in the plane, two clusters",
        _load_points,
        points.generate_blobs,
        "two clusters",
        npz.save_npz,
        "blobs.npz",
    ),
    "people": DataSet(
        "5,000 people, numbers and categories, CSV",
        _load_people,
        people.generate_people,
        "people with jobs, some cells missing, and whether they earn much",
        people.save_people,
        "people.csv",
    ),
}


def find_data(name: str, path: Path | None = None, use: Use | None = None) -> tuple[Dataset, str]:
    """The data set `name`, and one line that says where it comes from.

    A path is read; without one, files that were fetched; without those, generated data, the same at every call. Nothing
    is fetched here.

    Args:
        name: Of the data set, such as "mnist".
        path: A file or folder in one of the formats of this data set.
        use: How to divide the samples; None: the splits stay as they are.

    Raises:
        ValueError: For an unknown name.
        FileFormatError: As the loaders do.
        DataError: As the loaders do, and if `use` needs a split for which there are too few samples.

    Examples:
        >>> data, source = fn.data.find_data("moons")
        >>> data.train.x.shape[1]
        2
    """
    known: DataSet = look_up("data set", name, DATA_SETS)
    data, announced = _found(name, known, path)
    return (data if use is None else divide(data, use)), announced


def _found(name: str, known: DataSet, path: Path | None) -> tuple[Dataset, str]:
    if path is not None:
        return known.load(path), f"data from {os.fspath(path)}"
    if name in REMOTE and download.is_fetched(name):
        files = REMOTE[name].files
        folder = download.data_folder() / name
        return known.load(folder if len(files) > 1 else folder / files[0].name), f"{name}, fetched to {folder}"
    original = f"; `fastnn data fetch {name}` brings the original" if name in REMOTE else ""
    return _stand_in(name, known)(), f"generated data, {known.generated} (no --data given{original})"


def _stand_in(name: str, known: DataSet) -> Callable[[], Dataset]:
    """What generates the data set; DataError where nothing does."""
    if known.generate is None:
        raise DataError(f"{name!r} has no generated stand-in: `fastnn data fetch {name}` brings it")
    return known.generate


def state(name: str) -> str:
    """Where data set `name` is found now: fetched, to be fetched (how much), generated."""
    found = []
    if name in REMOTE:
        megabytes = REMOTE[name].size / 1e6
        done = download.is_fetched(name)
        found.append(f"fetched, {megabytes:.0f} MB" if done else f"can be fetched, {megabytes:.0f} MB")
    if DATA_SETS[name].generate is not None:
        found.append("generated")
    return "; ".join(found)


def make(name: str, out: Path | None = None) -> str:
    """Write the generated data set `name` in the original's format; a line that says what was written where.

    Raises ValueError for an unknown name, DataError if it has no stand-in, FileFormatError if it cannot be written.
    """
    known: DataSet = look_up("data set", name, DATA_SETS)
    generate, target = _stand_in(name, known), out or known.out
    check_target(target)  # before the time that it takes to draw
    data = generate()
    known.save(target, data)
    sizes = " + ".join(f"{len(split):,}" for split in data.splits().values())
    return f"wrote {os.fspath(target)}: {sizes} samples, {known.generated}"
