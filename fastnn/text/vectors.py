"""Files of word vectors in word2vec's two forms: text, a line for each word, and binary.

Both begin with a line of two whole numbers: how many words there are, and how many numbers each has. In the binary form
a word, a space, its numbers as little-endian float32 and the end of a line follow; some programs leave the last out.
Text without the first line is read, too.
"""

import codecs
import os
import re
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path, check_target
from fastnn.common.gzipped import open_maybe_gzip
from fastnn.common.text import plural

Path = str | os.PathLike[str]
Found = Iterator[tuple[str, NDArray[np.float64]]]

HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,12})\s*")
BINARY_ENDING = ".bin"
LONGEST_WORD, MOST_NUMBERS, READ_BYTES = 10_000, 1_000_000, 1 << 20


def write_vectors(path: Path, words: Sequence[str], vectors: NDArray[Any], binary: bool = False) -> list[str]:
    """Write words and their vectors, (V, D), whole or not at all; the words that were left out.

    Neither form can hold a word with white space in it. Text has as many digits as give back the same numbers; binary
    is float32. FileFormatError if the path cannot be written.
    """
    check_target(path)
    kept = [i for i, word in enumerate(words) if word.split() == [word]]
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(b"%d %d\n" % (len(kept), vectors.shape[1]))
        for i in kept:
            numbers = vectors[i].astype("<f4").tobytes() if binary else " ".join(vectors[i].astype(str)).encode()
            file.write(b"%s %s\n" % (words[i].encode(), numbers))
    return [word for word in words if word.split() != [word]]


def read_vectors(path: Path, wanted: Collection[str]) -> Found:
    """The vectors (D,) of the `wanted` words, in the order of the file, which may be packed by gzip.

    A file is binary if its name ends with .bin or .bin.gz, or if what follows its first word is no text.
    FileFormatError if it is missing, damaged, or has another number of vectors than its first line says.
    """
    name = os.fspath(path)
    with open_maybe_gzip(name) as file:
        first = file.readline(LONGEST_WORD)
        header = HEADER.fullmatch(first.removeprefix(codecs.BOM_UTF8))
        count, width = map(int, header.groups()) if header else (None, None)
        start = file.read(LONGEST_WORD) if header else b""
        file.seek(len(first) if header else 0)
        if count is not None and width is not None and _is_binary(name, start, width):
            yield from _binary(file, name, wanted, count, width)
        else:
            yield from _text(file, name, wanted, count, width)


def _is_binary(name: str, start: bytes, width: int) -> bool:
    """Whether a file that begins with this, after its first line, is of the binary form."""
    if name.lower().removesuffix(".gz").endswith(BINARY_ENDING):
        return True
    numbers = start[start.find(b" ") + 1 :][: 4 * width]
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(numbers)  # its end may cut a letter
    except UnicodeDecodeError:
        return True
    return any(ord(one) < 32 and not one.isspace() for one in text)


def _text(file: IO[bytes], name: str, wanted: Collection[str], count: int | None, width: int | None) -> Found:
    lines = 0
    for number, line in enumerate(file, 1 if count is None else 2):
        try:
            parts = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{name!r}: line {number} is no UTF-8 text ({error.reason})") from None
        if not parts:
            continue
        lines, width = lines + 1, width or len(parts) - 1
        word, numbers = _cut(parts, width)
        if word not in wanted:
            continue
        if len(numbers) != width:
            raise FileFormatError(
                f"{name!r}: line {number} has {plural(len(numbers), 'number')} after {word!r}, expected {width}"
            )
        try:
            yield word, np.array(numbers, np.float64)
        except ValueError:
            raise FileFormatError(
                f"{name!r}: line {number} does not hold numbers after {word!r}, expected a word and its vector"
            ) from None
    if count is not None and lines != count:
        raise FileFormatError(
            f"{name!r} has {plural(lines, 'vector')}, but its first line says {count}: it is cut short or damaged"
        )


def _cut(parts: list[str], width: int) -> tuple[str, list[str]]:
    """A word and its numbers. Words with spaces in them, which GloVe has, are told by what is no number before those.

    A word that stands before too many numbers is kept with all of them: that line is damaged.
    """
    if len(parts) > width + 1 and not _is_number(parts[-width - 1]):
        return " ".join(parts[:-width]), parts[-width:]
    return parts[0], parts[1:]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _binary(file: IO[bytes], name: str, wanted: Collection[str], count: int, width: int) -> Found:
    if not 0 < width <= MOST_NUMBERS:
        raise FileFormatError(
            f"{name!r}: its first line says that vectors have {width} numbers, expected 1 to a million"
        )
    buffer, at, size = b"", 0, 4 * width
    for number in range(1, count + 1):
        while (end := buffer.find(b" ", at)) < 0 or len(buffer) < end + 1 + size:
            more = file.read(READ_BYTES)
            if not more or (end < 0 and len(buffer) - at > LONGEST_WORD):
                raise FileFormatError(
                    f"{name!r} is cut short or damaged at vector {number} of the {count} that its first line says"
                )
            buffer, at = buffer[at:] + more, 0
        word = buffer[at:end].lstrip(b"\n").decode(errors="replace")
        if word in wanted:
            yield word, np.frombuffer(buffer, "<f4", width, end + 1).astype(np.float64)
        at = end + 1 + size
    if (buffer[at:] + file.read(READ_BYTES)).strip():
        raise FileFormatError(f"{name!r} goes on after the {count} vectors that its first line says: it is damaged")
