"""Bytes to text, in an encoding that the bytes themselves show, piece by piece or as a whole."""

import codecs
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fastnn.common.errors import FileFormatError

# The marks with which files begin. That of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Control characters that texts have: tabs, ends of lines and pages, escape sequences, and the end of a file of DOS.
USUAL = {*b"\t\n\v\f\r\x1a\x1b"}
OTHERS = bytes(code for code in range(32) if code not in USUAL)
ASCII, NOT_LATIN_1 = bytes(range(0x80)), bytes(range(0x80, 0xA0))

Pieces = Iterable[bytes]


class Decoded(NamedTuple):
    """A text, and the encoding in which it was read."""

    text: str
    encoding: str


class _UndecodableError(Exception):
    """Byte `byte` at position `at`, in line `line`, is not of the encoding, for this reason."""

    def __init__(self, byte: int, at: int, line: int, reason: str):
        super().__init__(reason)
        self.byte, self.at, self.line = byte, at, line


def decoded(raw: bytes, where: str) -> Decoded:
    """Text in the encoding that `encoding_of` finds. Errors as of that, and of `decoded_pieces`."""
    encoding = encoding_of(lambda: [raw], where)
    return Decoded("".join(decoded_pieces([raw], encoding, where)), encoding)


def encoding_of(read: Callable[[], Pieces], where: str) -> str:
    """UTF-8, or UTF-16 or UTF-32 for bytes that begin with a byte order mark, else Latin-1.

    Bytes 0x80 to 0x9f, which are no characters of Latin-1, are those of Windows-1252: quotes and dashes.
    FileFormatError, which begins with `where` the bytes were read, for bytes that are no text, and for text in UTF-8
    that is damaged: it has more characters that are valid in UTF-8 than bytes that are not.

    read : gives the bytes, piece by piece, from the first on; it may be called three times
    """
    begin = next(iter(read()), b"")
    for mark, encoding in MARKS[1:]:
        if begin.startswith(mark):
            return encoding
    try:
        for _ in _utf8_pieces(read(), where):
            pass
        return "UTF-8"
    except FileFormatError:
        if begin.startswith(codecs.BOM_UTF8) or _is_damaged(read()):
            raise
    return _single_byte(read(), where)


def decoded_pieces(pieces: Pieces, encoding: str, where: str) -> Iterator[str]:
    """The text of these bytes, piece by piece. FileFormatError, which begins with `where`, if they are none."""
    if encoding == "UTF-8":
        yield from _utf8_pieces(pieces, where)
    elif encoding in ("UTF-16", "UTF-32"):
        yield from _marked_pieces(pieces, encoding, where)
    else:
        for piece in pieces:
            yield piece.decode(encoding, "replace")


def utf8(raw: bytes, where: str) -> str:
    """UTF-8 text. FileFormatError, which begins with `where` it was read, for other bytes."""
    return "".join(_utf8_pieces([raw], where))


def _utf8_pieces(pieces: Pieces, where: str) -> Iterator[str]:
    is_first = True
    try:
        for text in _steps(_without_zeros(pieces, where), "utf-8"):
            yield text.removeprefix("\ufeff") if is_first else text
            is_first = is_first and not text
    except _UndecodableError as error:
        raise FileFormatError(
            f"{where} is no UTF-8 text: byte 0x{error.byte:02x} at position {error.at}, line {error.line}"
        ) from error


def _marked_pieces(pieces: Pieces, encoding: str, where: str) -> Iterator[str]:
    done = 0
    try:
        for text in _steps(pieces, encoding):
            if "\0" in text:
                at = done + text.index("\0")
                raise FileFormatError(f"{where} begins with the mark of {encoding}, but character {at} is zero")
            done += len(text)
            yield text
    except _UndecodableError as error:
        raise FileFormatError(
            f"{where} begins with the mark of {encoding}, but is no such text: {error} at byte {error.at}"
        ) from error


def _steps(pieces: Pieces, codec: str) -> Iterator[str]:
    """The text of each piece; a character that begins in one piece and ends in the next comes with that."""
    decoder, done, line, given, after = codecs.getincrementaldecoder(codec)(), 0, 1, b"", b""
    try:
        for given in pieces:
            held = len(decoder.getstate()[0])
            yield decoder.decode(given)
            done, line, after = done + len(given), line + _line_ends(given, after), given[-1:]
        given, held = b"", len(decoder.getstate()[0])
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        at = done - held + error.start
        raise _UndecodableError(
            error.object[error.start], at, line + _line_ends(before, after), error.reason
        ) from error


def _line_ends(given: bytes, after: bytes) -> int:
    """How many lines end in these bytes, with \\n, \\r or \\r\\n, which may be cut by what stands before: `after`."""
    return given.count(b"\n") + given.count(b"\r") - (after[-1:] + given).count(b"\r\n")


def _without_zeros(pieces: Pieces, where: str) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        if b"\0" in piece:
            raise FileFormatError(f"{where} is no plain text: byte {done + piece.index(0)} is zero")
        done += len(piece)
        yield piece


def _is_damaged(pieces: Pieces) -> bool:
    """Whether bytes that are not all UTF-8 have zeros, or are UTF-8 for the most part, ASCII aside."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    others = bad = 0
    for piece in itertools.chain(pieces, [b""]):
        if b"\0" in piece:
            return True
        text = decoder.decode(piece, final=not piece)
        bad += text.count("\ufffd")
        others += len(text) - (len(piece) - len(piece.translate(None, ASCII)))
    return others - bad > bad


def _single_byte(pieces: Pieces, where: str) -> str:
    """Latin-1 or Windows-1252. FileFormatError for bytes that no text has."""
    encoding, done = "Latin-1", 0
    for piece in pieces:
        if piece.translate(None, OTHERS) != piece:
            at = next(i for i, byte in enumerate(piece) if byte in OTHERS)
            raise FileFormatError(f"{where} is no plain text: byte {done + at} is 0x{piece[at]:02x}")
        if piece.translate(None, NOT_LATIN_1) != piece:
            encoding = "Windows-1252"
        done += len(piece)
    return encoding
