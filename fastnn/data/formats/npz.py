"""NumPy's .npz archives of images and labels, read without pickle and with limits on what they unpack to."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path, check_readable
from fastnn.common.text import SPLITS
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading

# The names under which samples without labels are looked for.
SAMPLES = ("x", "images", "x_test")


def load_npz(path: str | os.PathLike[str], classes: Sequence[str], points: bool = False) -> Dataset:
    """Read `images` and `labels`, or `x_train`, `y_train` and the same for `val` and `test` where they exist.

    x (N, H, W) or (N, H, W, C) as stored, or with points=True (N, 2); y (N,) of the smallest dtype for the classes.
    meta: `classes`, `source`.

    Args:
        path: The archive.
        classes: Their names, by label.
        points: Whether samples are points (N, 2).

    Raises:
        FileFormatError: If the file is missing, damaged, pickled or has other keys.
        DataError: For labels out of range or numbers that are not finite.

    Examples:
        >>> fn.data.save_npz("moons.npz", fn.data.generate_moons(40))
        >>> fn.data.load_npz("moons.npz", ["upper", "lower"], points=True).train.x.shape
        (40, 2)
    """
    name = os.fspath(path)
    arrays = _read(name)
    if "images" in arrays or "labels" in arrays:
        keys = {"train": ("images", "labels")}
    else:
        pairs = {split: (f"x_{split}", f"y_{split}") for split in SPLITS}
        keys = {split: pair for split, pair in pairs.items() if set(pair) & set(arrays)}
    if "train" not in keys:
        found = ", ".join(sorted(arrays)) or "none"
        raise FileFormatError(f"{name!r} has keys {found}; expected images and labels, or x_train and y_train")
    splits = {split: _split(arrays, name, *pair, classes, points) for split, pair in keys.items()}
    reading.check_alike(splits, repr(name))
    meta = {"classes": list(classes), "source": name}
    return Dataset(splits["train"], splits.get("val"), splits.get("test"), meta)


def load_samples(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The samples alone of an archive, (N, …): its `x`, `images` or `x_test`, or the only array that it has.

    Args:
        path: The archive.

    Raises:
        FileFormatError: If the file is missing, damaged or has none of these.
    """
    name = os.fspath(path)
    arrays = _read(name)
    key = next((key for key in SAMPLES if key in arrays), next(iter(arrays)) if len(arrays) == 1 else None)
    if key is None:
        found = ", ".join(sorted(arrays)) or "none"
        raise FileFormatError(f"{name!r} has keys {found}; expected samples called {', '.join(SAMPLES)}, or one array")
    return arrays[key]


def save_npz(path: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write `x_train`, `y_train` and so on, compressed, whole or not at all.

    Args:
        path: The archive.
        dataset: Its splits are written.

    Raises:
        FileFormatError: If the file cannot be written.
    """
    arrays: dict[str, Any] = {}
    for name, split in dataset.splits().items():
        arrays[f"x_{name}"], arrays[f"y_{name}"] = split.x, split.y
    with atomic_path(path) as temporary, open(temporary, "wb") as file:  # to a name, NumPy would append .npz
        np.savez_compressed(file, **arrays)


def _split(arrays: dict[str, NDArray[Any]], name: str, x: str, y: str, classes: Sequence[str], points: bool) -> Split:
    for key in (x, y):
        if key not in arrays:
            raise FileFormatError(f"{name!r} has no key {key!r}, it has {', '.join(sorted(arrays))}")
    where = f"{name!r}: {x!r}", f"{name!r}: {y!r}"
    samples = _as_points(arrays[x], where[0]) if points else reading.as_images(arrays[x], where[0])
    labels = reading.as_labels(arrays[y], where[1], len(classes))
    reading.check_lengths(samples, labels, where)
    return Split(samples, labels)


def _as_points(array: NDArray[Any], where: str) -> NDArray[Any]:
    if array.ndim != 2 or array.shape[1] != 2:
        raise FileFormatError(f"{where} has shape {array.shape}, expected points in the plane, (N, 2)")
    return reading.as_images(array[:, None], where)[:, 0]


def _read(name: str) -> dict[str, NDArray[Any]]:
    """Every array of the archive by name."""
    check_readable(name)
    try:
        with zipfile.ZipFile(name) as archive:
            return {
                member.filename.removesuffix(".npy"): _array(archive, member, name)
                for member in archive.infolist()
                if member.filename.endswith(".npy")
            }
    except FileFormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise FileFormatError(f"{name!r} is no .npz archive or damaged: {' '.join(str(error).split())}") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    """One array. Its header must agree with the size in the archive's table before memory is allocated."""
    where = f"{name!r}: {member.filename!r}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(f"{where} is packed by method {member.compress_type}, expected stored or deflated")
    if member.file_size > reading.DEFLATE_RATIO * (member.compress_size + 1):
        raise FileFormatError(f"{where} claims {member.file_size:,} bytes packed into {member.compress_size:,}")
    with archive.open(member) as file:
        dtype, shape, fortran = _header(file, where)
        reading.check_size(where, shape, dtype.itemsize)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size != member.file_size - file.tell():
            raise FileFormatError(f"{where} has {member.file_size - file.tell():,} bytes of data, expected {size:,}")
        raw = np.empty(size, np.uint8)
        if reading.fill(file, raw) < size:
            raise FileFormatError(f"{where} is cut short, expected {size:,} bytes")
    return raw.view(dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes], where: str) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Dtype, shape and whether the order is Fortran's. Refuses Python objects: unpickling them could run any code."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(file)
    except (
        SyntaxError,
        tokenize.TokenError,
        RecursionError,
        MemoryError,
        TypeError,
    ) as error:  # NumPy parses it.
        raise FileFormatError(
            f"{where} has a header that is none of NumPy's: {' '.join(str(error).split())}"
        ) from error
    if any(isinstance(length, bool) or length < 0 for length in shape):
        raise FileFormatError(f"{where} declares shape {shape}, expected lengths from 0 up")
    if dtype.hasobject:
        raise FileFormatError(f"{where} is pickled Python objects, expected numbers; pickle is never read")
    return dtype, shape, fortran
