"""Frames of files as somebody else would make them: right ones around any content, and those of older versions."""

import hashlib

from fastnn.common import file_pieces
from fastnn.common.framed import frame


def sealed(content, version=None):
    """A framed file with the length and the digest that its frame should have.

    version : of the frame; the one that it has if not given
    """
    mark, found, _, start = frame.FIELDS.unpack_from(content)
    version = found if version is None else version
    fields, body = frame.FIELDS.pack(mark, version, len(content), start), content[frame.BLOCK :]
    if version != 1:
        step = file_pieces.SECTION_BYTES
        sections = [hashlib.sha256(body[low : low + step]).digest() for low in range(0, len(body), step)]
        body = fields + b"".join(sections)
    return (fields + hashlib.sha256(body).digest()).ljust(frame.BLOCK, b"\0") + content[frame.BLOCK :]
