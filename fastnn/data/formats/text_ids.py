"""Texts of any size as a file of ids: written once, read while training goes on.

The file is HDF5: `train`, `val` and `test` (T,), the ids of the tokens and of `</s>` after each sentence, and `about`,
JSON in UTF-8 that says which words they are, by which rules they were read, and of which texts the file was made.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import FileFormatError
from fastnn.common.file_pieces import fill, write_all, write_sections
from fastnn.common.files import BINARY, atomic_path, check_readable, check_target
from fastnn.common.framed.image import image_of, json_of
from fastnn.common.text import SPLITS
from fastnn.data.dataset import CompleteDataset, Split, id_dtype
from fastnn.data.h5stream import H5Stream
from fastnn.data.hdf5.file import open_hdf5
from fastnn.data.windows import Windows

Path = str | os.PathLike[str]
Numbers = NDArray[np.int32]

VERSION = 1
BLOCK = 1 << 20  # numbers that become ids at a time
ABOUT = "about"


class Spool:
    """Numbers (T,) int32 on disk, in a file without a name beside the one that will be made of them."""

    def __init__(self, folder: Path, until: ExitStack):
        # Without a buffer: what a full disk does not take is told at once.
        self._file: Any = until.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))  # noqa: SIM115
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, numbers: Numbers) -> None:
        write_all(self._file.fileno(), np.ascontiguousarray(numbers).view(np.uint8).data)
        self._size += len(numbers)

    def blocks(self, first: int, last: int) -> Iterator[Numbers]:
        """The numbers first … last − 1, some at a time."""
        self._file.seek(first * 4)
        for low in range(first, last, BLOCK):
            block = np.empty(min(low + BLOCK, last) - low, np.int32)
            fill(self._file, block.view(np.uint8).data)
            yield block


class Part:
    """Some of the numbers of a spool."""

    def __init__(self, spool: Spool, first: int = 0, last: int | None = None):
        self._spool, self._first = spool, first
        self._last = len(spool) if last is None else last

    def __len__(self) -> int:
        return self._last - self._first

    def blocks(self) -> Iterator[Numbers]:
        return self._spool.blocks(self._first, self._last)

    def counts(self, size: int) -> NDArray[np.int64]:
        """How often each of the numbers 0 … size − 1 is there."""
        found = np.zeros(size, np.int64)
        for block in self.blocks():
            found += np.bincount(block, minlength=size)
        return found


def write_ids(path: Path, parts: dict[str, Part], table: NDArray[Any], about: dict[str, Any]) -> None:
    """Write the file: the id table[number] for each number of each split. FileFormatError if it cannot be written."""
    dtype = table.dtype
    # Its place on the disk is taken by zeros first: a disk that is too small is found out at once.
    zeros = {name: np.broadcast_to(dtype.type(0), (len(part),)) for name, part in parts.items()}
    text = np.frombuffer(json_of(about, "about").encode(), np.uint8)
    image = image_of({**zeros, ABOUT: text}, {})
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | BINARY)
        try:
            write_sections(descriptor, temporary, image.pieces, 0, hashed=False)
            for name, part in parts.items():
                os.lseek(descriptor, image.layout[name][2], os.SEEK_SET)
                for block in part.blocks():
                    write_all(descriptor, table[block].view(np.uint8).data)
        finally:
            os.close(descriptor)


def about_of(path: Path) -> dict[str, Any]:
    """What a file of ids says of itself. FileFormatError if it is missing or none."""
    name = os.fspath(path)
    with open_hdf5(name) as file:
        array = file.array(ABOUT, [*SPLITS])
        array.check_written()
        text = array.read().tobytes() if array.ndim and array.dtype == np.uint8 else b"an array of another kind"
    try:
        about = json.loads(text)
        if about["version"] != VERSION or not isinstance(about["meta"]["words"], list):
            raise ValueError(f"version {about['version']}")
    except (ValueError, LookupError, TypeError) as error:
        raise FileFormatError(f"{name!r} is no file of ids that this fastnn can read: {error}") from None
    return about


def load_ids(path: Path, order: int) -> CompleteDataset:
    """The n-grams of a file of ids: x (N, order − 1) and y (N,) of each split, streams of one open file.

    FileFormatError as of `about_of`.
    """
    about = about_of(path)
    meta = about["meta"]
    name, *others = SPLITS
    first = H5Stream(path, name)
    ids = [first, *map(first.sibling, others)]
    for stream in ids:
        _check_ids(stream, len(meta["words"]))
    train, val, test = (Split(Windows(y, order - 1, about["start"], about["end"]), y) for y in ids)
    return CompleteDataset(train, val, test, meta=meta | {"ids_file": os.fspath(path)})


def _check_ids(found: H5Stream, words: int) -> None:
    """FileFormatError unless it holds ids of `words` words."""
    if found.dtype != id_dtype(words) or len(found.shape) != 1:
        raise FileFormatError(f"{found.path!r}: {found.key!r} is {found.dtype} {found.shape}, no ids of {words} words")


def is_made_of(path: Path, made_of: dict[str, Any]) -> bool:
    """Whether the file is there and was made of just these texts by these rules.

    FileFormatError for a file that is no file of ids, which is not overwritten.
    """
    check_target(path)
    if not os.path.exists(path):
        return False
    found = about_of(path)
    return found["made_of"] == made_of


def stamp(files: Sequence[str]) -> list[list[Any]]:
    """What shows that files are the same as before: names, sizes, and times of their last change.

    FileFormatError for one that cannot be read.
    """
    found = []
    for name in files:
        check_readable(name)
        state = os.stat(name)
        found.append([os.path.realpath(name), state.st_size, state.st_mtime_ns])
    return found
