"""IDX, the file format of MNIST: a header, then the numbers of one array; plain or packed with gzip.

The header: bytes 0 and 1 are zero, byte 2 is the type, byte 3 the number of axes, then comes the length of each axis,
32 bits. All numbers are big-endian.
"""

import gzip
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import atomic_path
from fastnn.common.gzipped import open_maybe_gzip
from fastnn.common.validation import any_whole_number
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CODES = {np.dtype(kind).newbyteorder("="): code for code, kind in TYPES.items()}
DIGITS = tuple("0123456789")
PREFIXES = {"train": "train", "test": "t10k"}  # split -> how the names of its files begin


def load_idx(folder: str | os.PathLike[str], classes: Sequence[str] = DIGITS) -> Dataset:
    """Read the four files of MNIST's layout, each with or without `.gz`: images (N, H, W) as stored, labels (N,) uint8.

    There is a training set and a test set; `Dataset.cut` makes a validation set. meta: `classes`, `source`.

    Args:
        folder: Where the files are.
        classes: Their names, by label.

    Raises:
        FileFormatError: If a file is missing, damaged or of another layout.
        DataError: For labels out of range or unequal numbers of images and labels.

    Examples:
        >>> fn.data.save_idx("mnist", fn.data.generate_digits(60, 10))
        >>> data = fn.data.load_idx("mnist").cut(50, 10)
        >>> data.val.x.shape
        (10, 28, 28)
    """
    name = os.fspath(folder)
    if not os.path.isdir(name):
        raise FileFormatError(f"{name!r} is no folder, expected one with {_file_name('train', 3)} and so on")
    splits = {split: _load_split(name, prefix, classes) for split, prefix in PREFIXES.items()}
    reading.check_alike(splits, repr(name))
    return Dataset(splits["train"], None, splits["test"], meta={"classes": list(classes), "source": name})


def _file_name(prefix: str, axes: int) -> str:
    return f"{prefix}-{'images' if axes == 3 else 'labels'}-idx{axes}-ubyte"


def _load_split(folder: str, prefix: str, classes: Sequence[str]) -> Split:
    paths = [_find(folder, _file_name(prefix, axes)) for axes in (3, 1)]
    images = reading.as_images(read_idx(paths[0], axes=3), repr(paths[0]))
    labels = reading.as_labels(read_idx(paths[1], axes=1), repr(paths[1]), len(classes))
    reading.check_lengths(images, labels, (repr(paths[0]), repr(paths[1])))
    return Split(images, labels)


def _find(folder: str, name: str) -> str:
    """The path of file `name`, plain or else packed; some mirrors have a dot in it where others have a dash."""
    for candidate in (name, f"{name}.gz", name.replace("-idx", ".idx"), f"{name.replace('-idx', '.idx')}.gz"):
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            return path
    raise FileFormatError(f"{folder!r} has no file {name!r} or '{name}.gz', expected both images and labels")


def read_idx(path: str | os.PathLike[str], axes: int | None = None) -> NDArray[Any]:
    """The array of one IDX file, plain or gzip, in native byte order.

    At most one byte more than the header declares is unpacked.

    Args:
        path: The file.
        axes: How many axes it must have; None: any number.

    Raises:
        FileFormatError: If the file is missing, damaged or of another format.

    Examples:
        >>> fn.data.write_idx("images.idx.gz", np.zeros((5, 28, 28), np.uint8))
        >>> fn.data.read_idx("images.idx.gz").shape
        (5, 28, 28)
    """
    name = os.fspath(path)
    axes = None if axes is None else any_whole_number("axes", axes)
    with open_maybe_gzip(name) as file:
        dtype, shape = _header(file, name, axes)
        reading.check_size(repr(name), shape, dtype.itemsize)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size > reading.most_bytes(name):  # Checked before memory is allocated: a few bytes can declare gigabytes.
            raise _short(name, shape, dtype, f"a file of {os.path.getsize(name):,} bytes")
        raw = np.empty(size, np.uint8)
        if (found := reading.fill(file, raw)) < size:
            raise _short(name, shape, dtype, f"{found:,} bytes after the header")
        if file.read(1):
            raise FileFormatError(
                f"{name!r} goes on after the {size:,} bytes that its header declares, expected its end"
            )
    return raw.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _header(file: IO[bytes], name: str, axes: int | None) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not magic[3]:
        wanted = f"0x{0x0800 + (axes or 3):08x} (unsigned bytes, {axes or 3} axes)"
        raise FileFormatError(f"{name!r} is no IDX file: it begins with 0x{magic.hex()}, expected such as {wanted}")
    if axes is not None and magic[3] != axes:
        kinds = {1: "labels", 3: "images"}
        raise FileFormatError(
            f"{name!r} has {magic[3]} axes by its magic number 0x{magic.hex()}, "
            f"expected {axes} ({kinds.get(axes, 'array')}; magic number 0x0000{magic[2]:02x}{axes:02x})"
        )
    lengths = file.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise FileFormatError(f"{name!r} is cut short: its header has {4 + len(lengths)} of {4 + 4 * magic[3]} bytes")
    return np.dtype(TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", lengths)


def _short(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], found: str) -> FileFormatError:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return FileFormatError(f"{name!r} is cut short: found {found}, expected {size:,} for shape {shape} of {dtype.name}")


def write_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write `array` as IDX, packed if the name ends in .gz, whole or not at all.

    Args:
        path: The file.
        array: Of any shape.

    Raises:
        DataError: If IDX has no such type.
        FileFormatError: If the file cannot be written.
    """
    dtype = array.dtype.newbyteorder("=")
    if dtype not in CODES or not 0 < array.ndim < 256:
        known = ", ".join(str(kind) for kind in CODES)
        raise DataError(
            f"IDX cannot hold {array.dtype} of shape {array.shape}, expected {known} with at least one axis"
        )
    header = struct.pack(f">4B{array.ndim}I", 0, 0, CODES[dtype], array.ndim, *array.shape)
    body = np.ascontiguousarray(array, dtype.newbyteorder(">")).tobytes()
    with atomic_path(path) as temporary:
        # Without time stamp and name, equal arrays give equal files. Level 1 takes a tenth of the time of the default.
        packed = str(path).endswith(".gz")
        temporary.write_bytes(gzip.compress(header + body, compresslevel=1, mtime=0) if packed else header + body)


def save_idx(folder: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write training and test set as the four packed files that `load_idx` reads; makes the folder if it is missing.

    Args:
        folder: Where the files go.
        dataset: With a training and a test set.

    Raises:
        DataError: If there is no test set.
        FileFormatError: If a file cannot be written.
    """
    if dataset.test is None:
        raise DataError("MNIST's layout has a training and a test set, found no test set")
    parts = (("train", dataset.train), ("test", dataset.test))
    files = [
        (f"{_file_name(PREFIXES[name], axes)}.gz", array)
        for name, split in parts
        for axes, array in ((3, split.x), (1, split.y))
    ]
    reading.begin_set(folder, files[-1][0])
    for name, array in files:
        write_idx(Path(folder) / name, array)
