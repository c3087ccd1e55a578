"""Shared by all readers of files: opening them, limits of size, and checks of labels and images."""

import contextlib
import os
from collections.abc import Mapping, Sized
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_readable
from fastnn.common.gzipped import is_gzip
from fastnn.data.dataset import Split, id_dtype
from fastnn.data.hdf5.described import claimed
from fastnn.data.hdf5.file import DEFLATE_RATIO

PIECE_BYTES = 1 << 20  # Unpacked at a time.
# The largest array that is read as a whole; `H5Stream` reads larger ones. A header that declares more may be damaged.
LARGEST_BYTES = 1 << 32
MOST_AXES = 32  # of an array of NumPy 1


def begin_set(folder: str | os.PathLike[str], last: str) -> None:
    """Make `folder` and its parents, and remove from it `last`, the file of a set of files that is written last.

    So a set whose writing breaks off lacks a file and is refused: else files of an earlier set would be read with new
    ones, pictures of the one with labels of the other. FileFormatError if the folder cannot be made or written.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, last))
    except OSError as error:
        raise FileFormatError(f"cannot write into folder {os.fspath(folder)!r}: {error.strerror}") from error


def content_of(name: str, expected: str) -> bytes:
    """All bytes of a file. FileFormatError, which says what was `expected`, if it is none or too large."""
    check_readable(name, expected)
    if os.path.getsize(name) > LARGEST_BYTES:
        raise FileFormatError(f"{name!r} has {os.path.getsize(name):,} bytes, expected at most {LARGEST_BYTES:,}")
    with open(name, "rb") as file:
        return file.read()


def most_bytes(name: str) -> int:
    """The most bytes that file `name` can unpack to; a header that declares more is wrong."""
    return os.path.getsize(name) * (DEFLATE_RATIO if is_gzip(name) else 1)


def fill(file: IO[bytes], out: NDArray[np.uint8]) -> int:
    """Read `len(out)` bytes into `out`, a piece at a time; returns how many there were before the file ended."""
    view, done = memoryview(out.data), 0
    while done < len(out):
        piece = file.read(min(PIECE_BYTES, len(out) - done))
        if not piece:
            break
        view[done : done + len(piece)] = piece
        done += len(piece)
    return done


def check_size(where: str, shape: tuple[int, ...], itemsize: int) -> None:
    """FileFormatError if an array of that shape is larger than LARGEST_BYTES, or has more axes than NumPy takes."""
    if len(shape) > MOST_AXES:
        raise FileFormatError(f"{where} declares {len(shape)} axes, expected at most {MOST_AXES}")
    size = claimed(shape) * itemsize
    if size > LARGEST_BYTES:
        raise FileFormatError(f"{where} declares shape {shape}, {size:,} bytes; expected at most {LARGEST_BYTES:,}")


def as_labels(array: NDArray[Any], where: str, classes: int) -> NDArray[Any]:
    """Labels (N,) or (N, 1) as (N,) of the smallest integer dtype; DataError names the first that is no label."""
    if array.ndim not in (1, 2) or array.shape[1:] not in ((), (1,)):
        raise FileFormatError(f"{where} has shape {array.shape}, expected labels (N,) or (N, 1)")
    if array.dtype.kind not in "iuf":
        raise FileFormatError(f"{where} holds {array.dtype}, expected whole numbers")
    array = array.reshape(-1)
    good = (array >= 0) & (array < classes)  # NaN compares false, so it is no good label.
    if array.dtype.kind == "f":
        good &= array == np.floor(array)
    if not good.all():
        bad = int(np.argmin(good))
        raise DataError(
            f"{where} holds label {array[bad]} at row {bad} (rows count from 0), "
            f"expected a whole number from 0 to {classes - 1}"
        )
    return array.astype(id_dtype(classes))


def as_images(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Images (N, H, W) or (N, H, W, C) in native byte order.

    FileFormatError for other shapes or no numbers, DataError for no images or a number that is not finite.
    """
    if array.ndim not in (3, 4):
        raise FileFormatError(f"{where} has shape {array.shape}, expected images (N, H, W) or (N, H, W, C)")
    if array.dtype.kind not in "iuf":
        raise FileFormatError(f"{where} holds {array.dtype}, expected numbers")
    if array.size == 0:
        raise DataError(f"{where} has shape {array.shape}, expected at least one image")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{where} holds {array[bad]} at {list(bad)}, expected finite numbers")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_alike(splits: Mapping[str, Split], where: str) -> None:
    """DataError unless the samples of all splits have one shape."""
    shapes = {name: split.x.shape[1:] for name, split in splits.items()}
    for name, shape in shapes.items():
        if shape != shapes["train"]:
            raise DataError(
                f"{where} has training samples of shape {shapes['train']} but {name} samples of shape {shape}, "
                "expected the same"
            )


def check_lengths(images: Sized, labels: Sized, where: tuple[str, str]) -> None:
    """DataError unless there are as many labels as images."""
    if len(images) != len(labels):
        raise DataError(
            f"{where[0]} has {len(images)} images but {where[1]} has {len(labels)} labels, expected as many"
        )
