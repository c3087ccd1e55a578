"""The binary version of CIFAR-10: records of a label and 3072 bytes, red, green and blue plane; folder or archive."""

import os
import re
import tarfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import atomic_path
from fastnn.data.dataset import Dataset, Split
from fastnn.data.formats import reading

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
FILES = (*TRAIN, "test_batch.bin")
BATCH = 10_000  # Records of each file of the original; an archive that declares more is none of it.
# Of an archive, unpacked: six full files, their tar headers and the two small texts beside them.
ARCHIVE_BYTES = len(FILES) * BATCH * RECORD + (1 << 20)


def load_cifar10(path: str | os.PathLike[str]) -> Dataset:
    """Read the folder with `data_batch_1.bin` … `test_batch.bin`, or the .tar.gz around it, which is not unpacked.

    x (N, 32, 32, 3) uint8 and y (N,) uint8, 0 … 9; training set and test set. meta: `classes`, `source`.
    Raises FileFormatError if a file is missing, cut short or no such archive, DataError for a label beyond 9.
    """
    name = os.fspath(path)
    batches = _from_folder(name) if os.path.isdir(name) else _from_archive(name)
    missing = [file for file in FILES if file not in batches]
    if missing:
        raise FileFormatError(f"{name!r} has no {', '.join(missing)}; expected {TRAIN[0]} … {TRAIN[-1]}, {FILES[-1]}")
    count = sum(len(batches[file]) for file in TRAIN)
    train = Split(np.empty((count, SIDE, SIDE, 3), np.uint8), np.empty(count, np.uint8))
    low = 0
    for file in TRAIN:  # Each is let go as soon as it is turned, so that no second copy of all stands beside the first.
        records = batches.pop(file)
        _turn(records, train.part(low, low + len(records)))
        low += len(records)
    records = batches.pop(FILES[-1])
    test = Split(np.empty((len(records), SIDE, SIDE, 3), np.uint8), np.empty(len(records), np.uint8))
    _turn(records, test)
    return Dataset(train, None, test, meta={"classes": list(CLASSES), "source": name})


def save_cifar10(folder: str | os.PathLike[str], dataset: Dataset) -> None:
    """Write training and test set as the six files that `load_cifar10` reads; makes the folder."""
    if dataset.test is None or len(dataset.train) < len(TRAIN):
        raise DataError(
            f"CIFAR-10 has {len(TRAIN)} training files and a test file, expected an image for each at least"
        )
    reading.make_folder(folder)
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


def _turn(records: NDArray[np.uint8], out: Split) -> None:
    """Write labels and pictures to `out`: the planes of the file become the last axis."""
    out.x[:] = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    out.y[:] = records[:, 0]


def _from_folder(folder: str) -> dict[str, NDArray[np.uint8]]:
    """The files that are there, also one folder deeper, where the archive would have put them."""
    inner = os.path.join(folder, "cifar-10-batches-bin")
    folder = inner if os.path.isdir(inner) and FILES[0] not in os.listdir(folder) else folder
    batches = {}
    for file in FILES:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            reading.check_readable(path)
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
    """A file for tarfile that gives no more than `limit` bytes: members nobody asked for are unpacked, too."""

    def __init__(self, file: IO[bytes], limit: int, name: str) -> None:
        self._file, self._left, self._name = file, limit, name

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left + 1))
        self._left -= len(piece)
        if self._left < 0:
            raise FileFormatError(
                f"{self._name!r} unpacks to more than {ARCHIVE_BYTES:,} bytes, expected CIFAR-10's six files"
            )
        return piece


def _from_archive(name: str) -> dict[str, NDArray[np.uint8]]:
    """Reads the archive once, front to back; nothing is written anywhere, so names inside cannot lead astray."""
    batches = {}
    try:
        with (
            reading.open_maybe_gzip(name) as file,
            tarfile.open(fileobj=(bounded := _Bounded(file, ARCHIVE_BYTES, name)), mode="r|") as archive,  # type: ignore[call-overload]
        ):
            for member in archive:
                file_name = re.split(r"[/\\]", member.name)[-1]
                if member.isfile() and file_name in FILES:
                    batches[file_name] = _member(archive, member, f"{name!r}: {member.name!r}")
            while bounded.read(reading.PIECE):  # To the end: only there gzip compares its checksum.
                pass
    except (tarfile.TarError, ValueError) as error:
        if isinstance(error, (FileFormatError, DataError)):
            raise
        raise FileFormatError(f"{name!r} is no tar archive or cut short: {' '.join(str(error).split())}") from error
    return batches


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> NDArray[np.uint8]:
    if member.size > BATCH * RECORD:
        raise FileFormatError(f"{where} declares {member.size:,} bytes, expected at most {BATCH * RECORD:,}")
    raw = archive.extractfile(member)
    assert raw is not None, "only called for regular files"
    return _records(raw, member.size, where)
