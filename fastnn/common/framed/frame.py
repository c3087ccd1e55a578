"""Files that fastnn alone writes and reads: HDF5 in a frame that is checked before anything is believed.

HDF5 leaves the first bytes of a file to its users (the user block), so h5py opens the file as any other. The frame is
there, 512 bytes: mark, version of the frame, length of the file, offset of the index, digest, then zeros. The digest is
the SHA-256 of these fields and of the SHA-256 of each section of 4 MiB of the bytes after the block (`file_pieces`), so
that two threads can compute it; in version 1 of the frame it was the SHA-256 of these bytes at once. After the end
of the HDF5 content stands the index, JSON: format, version and the layout of the content (`image`), by which arrays are
found. So no library in C parses a file that came from elsewhere. Files of before the frame are read by another process
(`unframed`).
"""

import hashlib
import json
import os
import struct
from dataclasses import dataclass
from io import FileIO
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.file_pieces import fill, read_sections
from fastnn.common.files import write_whole
from fastnn.common.framed.image import Layout, Tree, image_of
from fastnn.common.framed.layout import tree_of
from fastnn.common.framed.opening import opened_whole
from fastnn.common.framed.unframed import read_unframed
from fastnn.common.hdf5 import hdf5_errors
from fastnn.common.interrupt import InterruptShield

MARK, FRAME_VERSION, BLOCK = b"fastnn\r\n", 2, 512
FIELDS = struct.Struct("<8sIQQ")  # mark, version, length of the file, offset of the index
DIGEST_END = FIELDS.size + hashlib.sha256().digest_size


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    mark     its name in the file
    version  the newest that is written and read
    what     what messages call it, such as "a model that fastnn saved"
    """

    mark: str
    version: int
    what: str


def save(path: str | os.PathLike[str], kind: Kind, tree: Tree) -> None:
    """Write a tree of dicts, arrays and plain values, whole or not at all.

    A first Ctrl-C waits until it is written: within a call of the HDF5 library it would become another error.

    TypeError for what cannot be saved; FileFormatError, in one line, if the file cannot be written.
    """
    with InterruptShield() as shield, shield.delay():
        _write(path, tree, {"format": kind.mark, "version": kind.version})


def _write(path: str | os.PathLike[str], tree: Tree, about: dict[str, Any]) -> None:
    image = image_of(tree, about)
    index = json.dumps(about | {"layout": _moved(image.layout)}).encode()
    fields = FIELDS.pack(MARK, FRAME_VERSION, BLOCK + image.size + len(index), BLOCK + image.size)

    def block(sections: list[bytes]) -> bytes:
        return (fields + _digest(fields, sections)).ljust(BLOCK, b"\0")

    write_whole(path, [*image.pieces, index], block, BLOCK)


def load(path: str | os.PathLike[str], kind: Kind) -> tuple[dict[str, Any], int]:
    """The tree that `save` wrote, and the version of its format. FileFormatError, in one line, for any other file."""
    problem = f"{os.fspath(path)}: cannot be read as {kind.what}"
    with opened_whole(path, kind.what) as (file, size), hdf5_errors(problem):
        block = np.zeros(BLOCK, np.uint8)
        fill(file, block[: min(size, BLOCK)])
        if block[: len(MARK)].tobytes() == MARK:
            content, index = _framed(file, size, block, path)
        else:
            content, index = read_unframed(file, size, os.fspath(path), problem)
        _check_kind(index, kind, path)
        return tree_of(index["layout"], content), index["version"]


def _framed(file: FileIO, size: int, block: np.ndarray, path: Any) -> tuple[np.ndarray, Any]:
    """The bytes of a file, and its index. FileFormatError unless they are what was written."""
    _, version, length, start = FIELDS.unpack_from(block.data)
    if not 1 <= version <= FRAME_VERSION:
        raise FileFormatError(f"{path}: has a frame of version {version}, this fastnn reads up to {FRAME_VERSION}")
    if length != size or not BLOCK <= start <= size:
        told = f"it has {size:,} bytes, expected {length:,}"
        raise OSError(f"{told}; it is cut short, or another program has written to it")
    content = np.empty(size, np.uint8)
    content[:BLOCK] = block
    digest = _read_body(file, content, version)
    if block[FIELDS.size : DIGEST_END].tobytes() != digest or block[DIGEST_END:].any():
        raise FileFormatError(f"{path}: checksum does not match; the file is damaged")
    return content, json.loads(content[start:].tobytes())


def _read_body(file: FileIO, content: np.ndarray, version: int) -> bytes:
    """Read all bytes of `content` after the block, which it has already. Their digest in this version of the frame."""
    body = content[BLOCK:]
    if version == 1:
        fill(file, body)
        return hashlib.sha256(body.data).digest()
    return _digest(content[: FIELDS.size].tobytes(), read_sections(file, body))


def _digest(fields: bytes, sections: list[bytes]) -> bytes:
    return hashlib.sha256(fields + b"".join(sections)).digest()


def _check_kind(index: Any, kind: Kind, path: Any) -> None:
    if not isinstance(index, dict) or index.get("format") != kind.mark:
        raise FileFormatError(f"{path}: an HDF5 file, but not {kind.what} (no format mark {kind.mark!r})")
    version = index.get("version")
    if type(version) is not int or not 1 <= version <= kind.version:
        raise FileFormatError(f"{path}: format version {version!r}, this fastnn reads up to {kind.version}")


def _moved(layout: Layout) -> Layout:
    """The layout with offsets from the beginning of the file, as h5py too tells them."""
    return {
        name: _moved(item) if isinstance(item, dict) else [*item[:2], item[2] + BLOCK] for name, item in layout.items()
    }
