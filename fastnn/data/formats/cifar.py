"""The binary version of CIFAR-10, as a folder or as an archive.

A record is a label, one byte, and 3072 bytes of pixels: the red plane, the green one and the blue one.
"""

import os
import re
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import atomic_path, check_readable
from fastnn.common.gzipped import open_maybe_gzip
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
FILES = (*TRAIN, "test_batch.bin")
BATCH = 10_000  # Records of each file of the original; an archive whose files declare more is refused.
MOST_ENDS = 8  # How often the end of an archive is read: tarfile needs two.
# The most that an archive may unpack to: six full files, their tar headers and the two small texts beside them.
ARCHIVE_BYTES = len(FILES) * BATCH * RECORD + (1 << 20)


def load_cifar10(path: str | os.PathLike[str]) -> Dataset:
    """Read the folder with `data_batch_1.bin` … `test_batch.bin`, or the .tar.gz that holds it.

    x (N, 32, 32, 3) uint8 and y (N,) uint8, 0 … 9, for training and test; meta: `classes`, `source`. Nothing of an
    archive is written to the disk.

    Args:
        path: The folder or the archive.

    Raises:
        FileFormatError: If a file is missing, cut short or no such archive.
        DataError: For a label above 9.

    Examples:
        >>> fn.data.save_cifar10("cifar", fn.data.generate_cifar10(50, 10))
        >>> fn.data.load_cifar10("cifar").train.x.shape
        (50, 32, 32, 3)
    """
    name = os.fspath(path)
    batches = _from_folder(name) if os.path.isdir(name) else _from_archive(name)
    missing = [file for file in FILES if file not in batches]
    if missing:
        raise FileFormatError(f"{name!r} has no {', '.join(missing)}; expected {TRAIN[0]} … {TRAIN[-1]}, {FILES[-1]}")
    count = sum(len(batches[file]) for file in TRAIN)
    train = Split(np.empty((count, SIDE, SIDE, 3), np.uint8), np.empty(count, np.uint8))
    low = 0
    for file in TRAIN:  # `pop` frees each file once it is copied, so that memory never holds two copies of all.
        records = batches.pop(file)
        _unpack(records, train.part(low, low + len(records)))
        low += len(records)
    records = batches.pop(FILES[-1])
    test = Split(np.empty((len(records), SIDE, SIDE, 3), np.uint8), np.empty(len(records), np.uint8))
    _unpack(records, test)
    return Dataset(train, None, test, meta={"classes": list(CLASSES), "source": name})


def save_cifar10(folder: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write training and test set as the six files that `load_cifar10` reads; the folder is made if it is missing.

    Args:
        folder: Where the files go.
        dataset: Images (N, 32, 32, 3) uint8, with a training and a test set.

    Raises:
        DataError: For images that are too few or not (N, 32, 32, 3) uint8.
        FileFormatError: If a file cannot be written.
    """
    if dataset.test is None or len(dataset.train) < len(TRAIN):
        raise DataError(
            f"CIFAR-10 has {len(TRAIN)} training files and a test file, expected an image for each at least"
        )
    reading.begin_set(folder, FILES[-1])
    pieces = np.array_split(np.arange(len(dataset.train)), len(TRAIN))
    for file, rows in zip(TRAIN, pieces, strict=True):
        _write(Path(folder) / file, dataset.train.x[rows], dataset.train.y[rows])
    _write(Path(folder) / FILES[-1], dataset.test.x, dataset.test.y)


def _write(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    if images.shape[1:] != (SIDE, SIDE, 3) or images.dtype != np.uint8:
        raise DataError(f"CIFAR-10 holds images (N, 32, 32, 3) of uint8, found {images.shape} of {images.dtype}")
    records = np.empty((len(images), RECORD), np.uint8)
    records[:, 0] = labels
    records[:, 1:] = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    with atomic_path(path) as temporary:
        temporary.write_bytes(records.tobytes())


def _unpack(records: NDArray[np.uint8], out: Split) -> None:
    """Write labels and images to `out`: the planes of the file become the last axis."""
    out.x[:] = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    out.y[:] = records[:, 0]


def _from_folder(folder: str) -> dict[str, NDArray[np.uint8]]:
    """The records of each file of a folder, or of the folder in it that unpacking the archive makes."""
    inner = os.path.join(folder, "cifar-10-batches-bin")
    folder = inner if os.path.isdir(inner) and FILES[0] not in os.listdir(folder) else folder
    batches = {}
    for file in FILES:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            check_readable(path)
            with open(path, "rb") as raw:
                batches[file] = _records(raw, os.path.getsize(path), repr(path))
    return batches


def _records(raw: IO[bytes], size: int, where: str) -> NDArray[np.uint8]:
    if size == 0 or size % RECORD:
        raise FileFormatError(f"{where} has {size:,} bytes, expected a multiple of {RECORD} (a label and 3072 pixels)")
    reading.check_size(where, (size,), 1)
    flat = np.empty(size, np.uint8)
    if (found := reading.fill(raw, flat)) < size:
        raise FileFormatError(f"{where} is cut short: found {found:,} bytes, expected {size:,}")
    records = flat.reshape(-1, RECORD)
    if (records[:, 0] >= len(CLASSES)).any():
        bad = int(np.argmax(records[:, 0] >= len(CLASSES)))
        raise DataError(f"{where} holds label {records[bad, 0]} in record {bad} (counted from 0), expected 0 to 9")
    return records


class _Bounded:
    """A file for tarfile that raises an error after `limit` bytes: tarfile unpacks the members that it skips, too.

    So it does after the end has been read several times: tarfile would read on, for as long as a header says.
    """

    def __init__(self, file: IO[bytes], limit: int, name: str) -> None:
        self._file, self._left, self._name = file, limit, name
        self._ends = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left + 1))
        self._left -= len(piece)
        self._ends += not piece
        if self._ends > MOST_ENDS:
            raise FileFormatError(f"{self._name!r} is cut short: a header in it declares more bytes than follow")
        if self._left < 0:
            raise FileFormatError(
                f"{self._name!r} unpacks to more than {ARCHIVE_BYTES:,} bytes, expected CIFAR-10's six files"
            )
        return piece


def _from_archive(name: str) -> dict[str, NDArray[np.uint8]]:
    """The records of each file of an archive, read once from front to back; nothing is written to the disk."""
    import tarfile

    batches = {}
    try:
        with (
            open_maybe_gzip(name) as file,
            tarfile.open(fileobj=(bounded := _Bounded(file, ARCHIVE_BYTES, name)), mode="r|") as archive,  # type: ignore[call-overload]
        ):
            for member in archive:
                file_name = re.split(r"[/\\]", member.name)[-1]
                if member.isfile() and file_name in FILES:
                    batches[file_name] = _member(archive, member, f"{name!r}: {member.name!r}")
            while bounded.read(reading.PIECE_BYTES):  # gzip compares its checksum at the end only
                pass
    except (tarfile.TarError, ValueError) as error:
        if isinstance(error, (FileFormatError, DataError)):
            raise
        raise FileFormatError(f"{name!r} is no tar archive or cut short: {' '.join(str(error).split())}") from error
    return batches


def _member(archive: Any, member: Any, where: str) -> NDArray[np.uint8]:
    if member.size > BATCH * RECORD:
        raise FileFormatError(f"{where} declares {member.size:,} bytes, expected at most {BATCH * RECORD:,}")
    raw = archive.extractfile(member)
    assert raw is not None, "only called for regular files"
    return _records(raw, member.size, where)
