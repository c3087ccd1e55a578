"""Texts as users have them: files of any name and encoding, packed or not, several of them, folders."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastnn.common.errors import FileFormatError
from fastnn.common.gzipped import open_maybe_gzip
from fastnn.text.decoding import decoded
from fastnn.text.tokens import END, Sentences

Path = str | os.PathLike[str]

LARGEST_BYTES = 1 << 30  # of one file, unpacked: it is in memory as a whole, while its tokens are found
SEEN = 1 << 20  # characters by which it is judged where sentences end
LONG = 100  # words that sentences have on average, at most


class Text(NamedTuple):
    """One file of a corpus: its name, what it holds, and in which encoding."""

    name: str
    text: str
    encoding: str


def files_of(given: Path | Sequence[Path]) -> list[str]:
    """The files that are meant: of a folder all that are in it and below, by name, but for hidden ones.

    FileFormatError for a folder without any.
    """
    if not isinstance(given, str | os.PathLike):
        return [file for one in given for file in files_of(one)]
    name = os.fspath(given)
    if not os.path.isdir(name):
        return [name]
    found = []
    for folder, below, files in os.walk(name):
        below[:] = sorted(one for one in below if not one.startswith("."))
        found += [os.path.join(folder, file) for file in sorted(files) if not file.startswith(".")]
    if not found:
        raise FileFormatError(f"{name!r} is a folder without files, expected texts in it")
    return found


def texts(given: Path | Sequence[Path]) -> Iterator[Text]:
    """The texts of a file, a folder or several of them, one after the other.

    FileFormatError, in one line, for a file that is missing, damaged, too large, or no text.
    """
    for name in files_of(given):
        with open_maybe_gzip(name) as file:
            raw = file.read(LARGEST_BYTES + 1)
        if len(raw) > LARGEST_BYTES:
            raise FileFormatError(
                f"{name!r} has more than {LARGEST_BYTES:,} bytes of text: cut it into several files in a folder"
            )
        yield Text(name, *decoded(raw, repr(name)))


def sentences_end_of(text: str) -> Sentences:
    """Where the sentences of a text end, as its first million characters show: the first way that makes them short."""
    seen = text[:SEEN]
    words = len(seen.split())
    if sum(1 for _ in END.finditer(seen)) * LONG >= words:
        return "punctuation"
    lines = sum(1 for line in seen.splitlines() if line.strip())
    return "lines" if lines * LONG >= words else "none"
