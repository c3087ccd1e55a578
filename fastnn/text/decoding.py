"""Bytes to text, in an encoding that the bytes themselves show."""

import codecs
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


class Decoded(NamedTuple):
    """A text, and the encoding in which it was read."""

    text: str
    encoding: str


def decoded(raw: bytes, where: str) -> Decoded:
    """Text in UTF-8, in UTF-16 or UTF-32 if it begins with a byte order mark, else in Latin-1.

    Bytes 0x80 to 0x9f, which are no characters of Latin-1, are those of Windows-1252: quotes and dashes.
    FileFormatError, which begins with `where` the bytes were read, for bytes that are no text, and for text in UTF-8
    that is damaged: it has more characters that are valid in UTF-8 than bytes that are not.
    """
    for mark, encoding in MARKS[1:]:
        if raw.startswith(mark):
            return Decoded(_marked(raw, encoding, where), encoding)
    try:
        return Decoded(utf8(raw, where), "UTF-8")
    except FileFormatError:
        if b"\0" in raw or raw.startswith(codecs.BOM_UTF8) or _is_damaged(raw):
            raise
    if raw.translate(None, OTHERS) != raw:
        at = next(i for i, byte in enumerate(raw) if byte in OTHERS)
        raise FileFormatError(f"{where} is no plain text: byte {at} is 0x{raw[at]:02x}")
    if not any(0x80 <= byte < 0xA0 for byte in set(raw)):
        return Decoded(raw.decode("latin-1"), "Latin-1")
    return Decoded(raw.decode("cp1252", "replace"), "Windows-1252")


def utf8(raw: bytes, where: str) -> str:
    """UTF-8 text. FileFormatError, which begins with `where` it was read, for other bytes."""
    if b"\0" in raw:
        raise FileFormatError(f"{where} is no plain text: byte {raw.index(0)} is zero")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileFormatError(
            f"{where} is no UTF-8 text: byte 0x{raw[error.start]:02x} at position {error.start}, line {line}"
        ) from error


def _marked(raw: bytes, encoding: str, where: str) -> str:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{where} begins with the mark of {encoding}, but is no such text: {error.reason} at byte {error.start}"
        ) from error
    if "\0" in text:
        raise FileFormatError(f"{where} begins with the mark of {encoding}, but character {text.index(chr(0))} is zero")
    return text


def _is_damaged(raw: bytes) -> bool:
    """Whether bytes that are not all UTF-8 are so for the most part, ASCII aside."""
    text = raw.decode("utf-8", "replace")
    ascii_bytes = len(raw.translate(None, bytes(range(0x80, 0x100))))
    bad = text.count("\ufffd")
    return len(text) - ascii_bytes - bad > bad
