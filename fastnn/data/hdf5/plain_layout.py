"""Finds arrays in the plainest HDF5 files without the HDF5 library, which damaged files crash.

Plain is what h5py writes unless asked for more: format version 0, arrays of numbers and of texts of fixed length,
each in one piece, in the first group. fastnn's own files are, and a description costs less than to load the library.
What is not found here may still be in the file: another process looks for it then (`child_process`).

Source: HDF5 File Format Specification, version 3.0, sections II.A, III.A, III.B, III.D, IV.A.1.a and IV.A.2.
"""

import struct
from collections.abc import Iterator
from io import FileIO
from typing import Any

import numpy as np

from fastnn.data.hdf5.described import SIGNATURE, Described, read_at

MOST_BYTES = 4 << 20  # of descriptions in a file; those of an array take about 300
NODE_COST = 256  # bytes that each look counts at least, so that rings of nodes come to an end
DATASPACE, DATATYPE, LINK, EXTERNAL, LAYOUT, CONTINUED, GROUP = 0x1, 0x3, 0x6, 0x7, 0x8, 0x10, 0x11
SHARED = 0x2
FLOATS = {  # size -> precision, places and sizes of exponent and mantissa, bias; the sign is the highest bit
    2: (16, 10, 5, 0, 10, 15),
    4: (32, 23, 8, 0, 23, 127),
    8: (64, 52, 11, 0, 52, 1023),
}


class NotPlainError(Exception):
    """The file, or an array of it, is not of the plainest kind, or is damaged."""


def plain_arrays(file: FileIO, size: int) -> dict[str, Described]:
    """The plain arrays of a file by name, and nothing else; {} if it is not of the plainest format. No error."""
    found = {}
    try:
        walk = _Walk(file, size)
        for name, header in walk.links(walk.root()):
            try:
                found[name] = walk.array(header)
            except NotPlainError:
                continue
    except (NotPlainError, OSError):
        return found
    return found


class _Walk:
    def __init__(self, file: FileIO, size: int):
        self.file, self.size, self.left = file, size, MOST_BYTES

    def at(self, offset: int, count: int) -> bytes:
        self.left -= max(count, NODE_COST)
        if self.left < 0 or offset + count > self.size:
            raise NotPlainError
        piece = bytearray(count)
        read_at(self.file, offset, memoryview(piece))
        return bytes(piece)

    def fields(self, form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack(form, self.at(offset, struct.calcsize(form)))

    def root(self) -> int:
        """The place of the first group's header."""
        block = self.at(0, 96)
        versions, base, end = block[8:16], *struct.unpack_from("<Q8xQ", block, 24)
        if block[:8] != SIGNATURE or versions != bytes([0, 0, 0, 0, 0, 8, 8, 0]) or base or not 0 < end <= self.size:
            raise NotPlainError
        return struct.unpack_from("<Q", block, 64)[0]

    def messages(self, header: int) -> Iterator[tuple[int, bytes]]:
        """Number and content of each message of an object's header."""
        version, _, _, _, length = self.fields("<BBHII", header)
        blocks = [(header + 16, length)]
        if version != 1:
            raise NotPlainError
        for offset, size in blocks:
            block, at = self.at(offset, size), 0
            while at + 8 <= size:
                kind, count, flags = struct.unpack_from("<HHB", block, at)
                content = block[at + 8 : at + 8 + count]
                if len(content) < count or flags & SHARED or kind == EXTERNAL:
                    raise NotPlainError
                if kind == CONTINUED and count >= 16:
                    blocks.append(struct.unpack_from("<QQ", content))
                yield kind, content
                at += 8 + count

    def links(self, header: int) -> Iterator[tuple[str, int]]:
        """The name and the place of the header of each object of a group."""
        for kind, body in self.messages(header):
            if kind == LINK:
                yield link_of(body)
            elif kind == GROUP:
                yield from self.links_in_tree(*unpacked("<QQ", body))

    def links_in_tree(self, tree: int, heap: int) -> Iterator[tuple[str, int]]:
        mark, length, place = self.fields("<8sQ8xQ", heap)
        if mark != b"HEAP\0\0\0\0":
            raise NotPlainError
        names = self.at(place, length)
        for node in self.leaves(tree):
            mark, count = self.fields("<6sH", node)
            if mark != b"SNOD\1\0":
                raise NotPlainError
            for name, where, kind in struct.iter_unpack("<QQI20x", self.at(node + 8, 40 * count)):
                if kind < 2:  # 2 is a link by name
                    yield text_of(names[name : names.find(b"\0", name)]), where

    def leaves(self, node: int, above: int = 9) -> Iterator[int]:
        """The places of the symbol nodes of a B-tree. Levels fall on the way down, so it has an end."""
        mark, level, used = self.fields("<5sBH16x", node)
        if mark != b"TREE\0" or level >= above:
            raise NotPlainError
        for _, child in struct.iter_unpack("<QQ", self.at(node + 24, 16 * used)):
            if level:
                yield from self.leaves(child, level)
            else:
                yield child

    def array(self, header: int) -> Described:
        found = dict(self.messages(header))
        if not {DATASPACE, DATATYPE, LAYOUT} <= found.keys():
            raise NotPlainError
        shape, dtype = shape_of(found[DATASPACE]), dtype_of(found[DATATYPE])
        version, kind, offset, length = unpacked("<BBQQ", found[LAYOUT])
        described = Described(shape, dtype, str(dtype), dtype.kind == "S", offset)
        if (version, kind) != (3, 1) or length != described.nbytes or offset + length > self.size:
            raise NotPlainError
        return described


def shape_of(message: bytes) -> tuple[int, ...]:
    version, rank = unpacked("<BB", message)
    if version not in (1, 2) or rank > 32 or (version == 2 and unpacked("<3xB", message)[0] > 1):
        raise NotPlainError
    return unpacked(f"<{8 if version == 1 else 4}x{rank}Q", message)


def dtype_of(message: bytes) -> np.dtype:
    """The dtype whose numbers have the same bytes."""
    kind, first, second, size = unpacked("<BBBxI", message)
    order = ">" if first & 1 else "<"
    if kind >> 4 not in (1, 2, 3):
        raise NotPlainError
    if kind & 15 == 0 and first & ~0x9 == 0 and size in (1, 2, 4, 8) and unpacked("<8xHH", message) == (0, 8 * size):
        return np.dtype(f"{order}{'i' if first & 8 else 'u'}{size}")
    if kind & 15 == 1 and first & ~1 == 0x20 and size in FLOATS and second == 8 * size - 1:
        precision, *others = FLOATS[size]
        if unpacked("<8xHHBBBBI", message) == (0, precision, *others):
            return np.dtype(f"{order}f{size}")
    if kind & 15 == 3 and first in (0x01, 0x11) and 0 < size < 1 << 30:  # filled up with zeros, ASCII or UTF-8
        return np.dtype(f"S{size}")
    raise NotPlainError


def unpacked(form: str, content: bytes) -> tuple[Any, ...]:
    if len(content) < struct.calcsize(form):
        raise NotPlainError
    return struct.unpack_from(form, content)


def link_of(message: bytes) -> tuple[str, int]:
    """The name and the place of the header of the object to which a link leads."""
    version, flags = unpacked("<BB", message)
    if version != 1 or flags & ~0x17:  # 0x8: of another kind than to an object of this file
        raise NotPlainError
    start = 2 + 8 * (flags >> 2 & 1) + (flags >> 4 & 1)
    width = 1 << (flags & 3)
    length = int.from_bytes(message[start : start + width], "little")
    name, place = message[start + width :][:length], message[start + width + length :]
    return text_of(name), unpacked("<Q", place)[0]


def text_of(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise NotPlainError from None
