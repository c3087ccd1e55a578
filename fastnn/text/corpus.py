"""Texts as users have them: in memory, or files of any name and encoding, packed or not, several of them, folders."""

import contextlib
import functools
import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.gzipped import open_maybe_gzip
from fastnn.text.decoding import decoded, decoded_pieces, encoding_of
from fastnn.text.tokens import Sentences, sentence_end

Path = str | os.PathLike[str]

LARGEST_BYTES = 1 << 30  # of one file, unpacked, that is in memory as a whole
PIECE_BYTES = 1 << 20  # that are read at a time
LONGEST = 1 << 28  # characters without white space, which are in memory together
SEEN = 1 << 20  # characters by which it is judged where sentences end
LONG = 100  # words that sentences have on average, at most
FEWEST_LINES = 3  # that are sentences each: one at least for each split


class Text(NamedTuple):
    """One file of a corpus: its name, what it holds, and in which encoding."""

    name: str
    text: str
    encoding: str


class TextFile:
    """One file of a corpus, which is read piece by piece.

    name      its path
    encoding  once `pieces` has given the first piece; "" before
    """

    def __init__(self, name: str):
        self.name, self.encoding = name, ""

    def pieces(self) -> Generator[str, None, None]:
        """The text. FileFormatError, in one line, for a file that is missing, damaged or no text.

        Its bytes are read twice: what the last of them are decides in which encoding the first are.
        """
        with open_maybe_gzip(self.name) as file:
            sizes: list[int] = []
            self.encoding = encoding_of(lambda: _raw(file, sizes), repr(self.name))
            yield from decoded_pieces(_raw(file, sizes), self.encoding, repr(self.name))
            if sizes[-1] != sizes[0]:
                raise FileFormatError(f"{self.name!r} had {sizes[0]:,} bytes, then {sizes[-1]:,}: it is being written")

    def begin(self) -> str:
        """The first million characters."""
        found, size = [], 0
        with contextlib.closing(self.pieces()) as pieces:
            while size < SEEN and (piece := next(pieces, None)) is not None:
                found.append(piece)
                size += len(piece)
        return "".join(found)[:SEEN]


class TextInMemory(TextFile):
    """One text of a corpus that is in memory, read as a file is that holds it.

    name  the argument that it was given as, and its place: texts[0]
    text  without the mark of an encoding
    """

    def __init__(self, name: str, text: str):
        super().__init__(name)
        self.text = text.removeprefix("\ufeff")

    def pieces(self) -> Generator[str, None, None]:
        """The text."""
        self.encoding = "UTF-8"
        yield from (self.text[i : i + PIECE_BYTES] for i in range(0, len(self.text), PIECE_BYTES))

    def stamp(self) -> list[Any]:
        """What shows that it is the same text as before: its name, its length, and the SHA-256 of its UTF-8."""
        return [self.name, len(self.text), hashlib.sha256(self.text.encode()).hexdigest()]


def in_memory(given: Any, name: str = "texts") -> list[TextInMemory]:
    """The texts of a string, or of several in an iterable; none of None.

    name : the argument, for messages

    TypeError for anything else, DataError for what is no text, and where there are none.
    """
    if given is None:
        return []
    if not isinstance(given, str) and (not isinstance(given, Iterable) or isinstance(given, bytes | Mapping)):
        raise TypeError(f"{name} is {given!r:.60}, expected a text, or a list of texts; files are given by their path")
    found = [given] if isinstance(given, str) else list(given)
    if not found:
        raise DataError(f"{name} is empty, expected at least one text")
    for number, text in enumerate(found):
        where = f"{name}[{number}]"
        if not isinstance(text, str):
            raise TypeError(f"{where} is {text!r:.60}, expected a text")
        if "\0" in text:
            raise DataError(f"{where} is no plain text: character {text.index(chr(0))} is zero")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{where} is no text: character {error.start} is half of a surrogate pair, which no file can hold"
            ) from error
    return [TextInMemory(f"{name}[{number}]", text) for number, text in enumerate(found)]


def _raw(file: IO[bytes], sizes: list[int]) -> Iterator[bytes]:
    """All bytes of a file, from the first on; when they have come, their number is added to `sizes`."""
    file.seek(0)
    size = 0
    while piece := file.read(PIECE_BYTES):
        size += len(piece)
        yield piece
    sizes.append(size)


def between_words(pieces: Iterable[str], nothing: str, where: str) -> Iterator[str]:
    """The same text in pieces each of which ends after a word and, but for the first, begins with white space.

    No rule for tokens or sentences looks at what is on both sides of white space, but those for white space itself.

    nothing : characters that count as white space, since tokens are as if they were not there

    FileFormatError, which begins with `where` the text is from, for one that has none for LONGEST characters.
    """
    rest: list[str] = []
    for piece in pieces:
        if end := _last_end(piece, nothing):
            yield "".join(rest) + piece[:end]
            rest = []
        rest.append(piece[end:])
        if len(rest) * PIECE_BYTES > LONGEST:
            raise FileFormatError(
                f"{where} has {LONGEST:,} characters without white space between them: expected words or lines"
            )
    yield "".join(rest)


def _last_end(piece: str, nothing: str) -> int:
    """Where the last word ends after which white space comes; 0 without any."""
    if piece[-1:].isspace():
        return len(piece.rstrip(_white() + nothing))
    words = piece.rsplit(None, 1)
    return len(words[0].rstrip(_white() + nothing)) if len(words) > 1 else 0


@functools.cache
def _white() -> str:
    """All characters that are white space."""
    return "".join(chr(code) for code in range(0x3001) if chr(code).isspace())


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
    if sum(1 for _ in sentence_end().finditer(seen)) * LONG >= words:
        return "punctuation"
    lines = sum(1 for line in seen.splitlines() if line.strip())
    return "lines" if lines >= FEWEST_LINES and lines * LONG >= words else "none"
