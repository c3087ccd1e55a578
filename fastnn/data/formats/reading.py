"""Shared by all readers of files: opening them, limits of size, and checks of labels and images."""

import contextlib
import difflib
import gzip
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import hdf5
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import check_readable
from fastnn.data.dataset import Split, id_dtype

if TYPE_CHECKING:
    import h5py

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
GZIP_SIGNATURE = b"\x1f\x8b"
DEFLATE_RATIO = 1032  # One byte of a deflate stream unpacks to at most this number of bytes.
PIECE_BYTES = 1 << 20  # Unpacked at a time.
# The largest array that is read as a whole; `H5Stream` reads larger ones. A header that declares more may be damaged.
LARGEST_BYTES = 1 << 32


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


def check_hdf5(name: str) -> None:
    """Raise FileFormatError unless `name` can be read and looks like HDF5."""
    import h5py

    check_readable(name)
    with open(name, "rb") as raw:
        if raw.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE and not h5py.is_hdf5(name):
            raise FileFormatError(f"{name!r} is not an HDF5 file: it does not begin with the HDF5 signature")


@contextmanager
def open_hdf5(name: str) -> Iterator["h5py.File"]:
    """Open the HDF5 file for reading; every error of the HDF5 library in the block becomes a FileFormatError."""
    check_hdf5(name)
    with hdf5.open_hdf5(name, damaged(name)) as file:
        yield file


def damaged(name: str) -> str:
    """How the message about a damaged HDF5 file begins."""
    return f"{name!r} is damaged or cut short"


def hdf5_array(file: "h5py.File", name: str, key: str, known: Sequence[str] = ()) -> "h5py.Dataset":
    """The array under `key`.

    FileFormatError if there is none; it lists the keys of the file, and offers the nearest one that is not `known`.
    """
    import h5py

    if key not in file:
        spare = {other.lower(): other for other in file if other not in known}
        near = difflib.get_close_matches(key, spare, n=1)
        hint = f"; did you mean {spare[near[0]]!r}?" if near else ""
        raise FileFormatError(f"{name!r} has no key {key!r}, it has {', '.join(sorted(file)) or 'none'}{hint}")
    try:
        array = file[key]
    except (KeyError, OSError) as error:  # A link to nothing. str() of a KeyError would put its text in quotes.
        raise FileFormatError(f"{name!r}: {key!r} cannot be opened: {error.args[0]}") from error
    if not isinstance(array, h5py.Dataset) or array.shape is None:
        raise FileFormatError(f"{name!r}: {key!r} is a {type(array).__name__.lower()}, expected an array")
    return array


@contextmanager
def open_maybe_gzip(name: str) -> Iterator[IO[bytes]]:
    """Open a file, unpacking it if its first bytes are those of gzip; FileFormatError if it is damaged."""
    check_readable(name)
    try:
        with open(name, "rb") as raw:
            packed = raw.read(len(GZIP_SIGNATURE)) == GZIP_SIGNATURE
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as file:
                yield file  # type: ignore[misc]
    except EOFError as error:
        raise FileFormatError(f"{name!r} is cut short: its gzip stream has no end") from error
    except (gzip.BadGzipFile, zlib.error, OSError) as error:
        raise FileFormatError(f"{name!r} is damaged: {' '.join(str(error).split())}") from error


def most_bytes(name: str) -> int:
    """The most bytes that file `name` can unpack to; a header that declares more is wrong."""
    with open(name, "rb") as raw:
        packed = raw.read(len(GZIP_SIGNATURE)) == GZIP_SIGNATURE
    return os.path.getsize(name) * (DEFLATE_RATIO if packed else 1)


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
    """FileFormatError if an array of that shape is larger than LARGEST_BYTES."""
    size = itemsize
    for length in shape:
        size *= int(length)
    if size > LARGEST_BYTES:
        raise FileFormatError(f"{where} declares shape {shape}, {size:,} bytes; expected at most {LARGEST_BYTES:,}")


def check_written(array: "h5py.Dataset", name: str, where: str) -> None:
    """FileFormatError if an HDF5 array has more bytes than file `name` can hold: it was declared but never written."""
    if not array.is_virtual and not array.external and array.nbytes > DEFLATE_RATIO * os.path.getsize(name):
        raise FileFormatError(
            f"{where} declares shape {array.shape}, {array.nbytes:,} bytes, in a file of {os.path.getsize(name):,}; "
            "most of it was never written"
        )


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


def check_lengths(images: NDArray[Any], labels: NDArray[Any], where: tuple[str, str]) -> None:
    """DataError unless there are as many labels as images."""
    if len(images) != len(labels):
        raise DataError(
            f"{where[0]} has {len(images)} images but {where[1]} has {len(labels)} labels, expected as many"
        )
