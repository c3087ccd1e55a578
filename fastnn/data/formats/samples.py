"""Samples to predict from whatever a user names on the command line: pictures, arrays, tables, texts."""

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastnn.common.errors import DataError, FileFormatError
from fastnn.data.formats.csv_samples import read_csv
from fastnn.data.formats.npz import load_samples
from fastnn.data.formats.numerals import Numerals, numerals_of
from fastnn.data.formats.picture import is_picture, read_picture
from fastnn.data.formats.reading import content_of
from fastnn.data.formats.table_file import TextTable, separator_in, separator_of, table_of
from fastnn.data.formats.table_samples import Notes, columns_for, has_header, notes_on, row_names
from fastnn.data.preprocessing import Pixels, Preprocessing, Table, Words
from fastnn.text.decoding import decoded, utf8

PICTURES = (".png", ".jpg", ".jpeg")
STDIN = "-"
ZIP = b"PK\x03\x04"


class Samples(NamedTuple):
    """Data as `model.predict` takes them, and what each sample is called.

    notes : what a user should know of them. table : the cells, of a table.
    """

    names: list[str]
    x: Any
    notes: Sequence[str] = ()
    table: TextTable | None = None


class Reader(NamedTuple):
    """Reads samples for a model.

    preprocessing, input_shape  the model's
    resize  whether pictures of another size are scaled
    stdin   gives the bytes of the standard input, which "-" stands for
    meta    the model's, for tables
    is_text whether what is given is words, also where it looks like a file's name
    numerals  how the numbers of tables are written; None: as in the table that the model was trained on
    columns   names of the columns of the frame that the model was trained on; () if it was none
    """

    preprocessing: Preprocessing | None
    input_shape: tuple[int, ...]
    resize: bool
    stdin: Callable[[], bytes]
    meta: Any = None
    is_text: bool = False
    numerals: Numerals | None = None
    columns: Sequence[str] = ()

    def read(self, given: str) -> Samples:
        """The samples of a file, or of words. FileFormatError or DataError, in one line, if they are none."""
        if self.is_text and not isinstance(self.preprocessing, Words):
            raise DataError("this model takes no words: --text is for language models")
        if self.numerals and not isinstance(self.preprocessing, Table):
            raise DataError("this model takes no tables: --decimal and --thousands say how these write numbers")
        if isinstance(self.preprocessing, Words):
            if self.is_text or not is_path(given):
                self.preprocessing.ids_of(given, repr(given), *self.input_shape)
                return Samples([given], [given], self.preprocessing.told_unknown(given))
            if given != STDIN and not os.path.exists(given):
                raise FileFormatError(
                    f"{given!r} does not exist, expected a text file, with the words of one prediction a line; if it "
                    "is words, add --text"
                )
        where = "the standard input" if given == STDIN else repr(given)
        content = self.stdin() if given == STDIN else content_of(given, "a picture, .npz, CSV or text")
        if not content:
            raise FileFormatError(f"{where} is empty")
        return self._of_content(content, given, where)

    def _of_content(self, content: bytes, given: str, where: str) -> Samples:
        """The samples of a file of any kind, which its first bytes tell, or else its name."""
        if isinstance(self.preprocessing, Table):
            return self._of_table(self.preprocessing, content, given, where)
        if is_picture(content):
            return Samples([given], self._picture(content, where))
        if given.lower().endswith(PICTURES):
            raise FileFormatError(f"{where} is no PNG or JPEG file: it begins with {content[:8]!r}")
        if content.startswith(ZIP) or given.lower().endswith(".npz"):
            if given == STDIN:
                raise FileFormatError(
                    "the standard input is an .npz archive, expected a picture or text; name the file"
                )
            return _named(given, load_samples(given))
        if isinstance(self.preprocessing, Words):
            return self._of_texts(decoded(content, where).text, where)
        return self._of_numbers(utf8(content, where), given, where)

    def _of_table(self, preprocessing: Table, content: bytes, given: str, where: str) -> Samples:
        header, numerals = has_header(self.meta), self.numerals or numerals_of(self.meta)
        table = table_of(content, where, header=header, separator=separator_of(given), numerals=numerals)
        columns = columns_for(table, preprocessing)
        target = str(self.meta.get("target")) if isinstance(self.meta, dict) else ""
        notes = notes_on(columns, table, preprocessing, (target,))
        return Samples(row_names(table, given), columns, notes.lines(where), table)

    def _picture(self, content: bytes, where: str) -> Any:
        if isinstance(self.preprocessing, Words):
            raise DataError(f"{where} is a picture, this model takes {self.input_shape[0]} words")
        if not isinstance(self.preprocessing, Pixels):
            raise DataError(
                f"{where} is a picture, but the model has no preprocessing: it takes samples of shape "
                f"{self.input_shape} as .npz or CSV. Train again, or set model.preprocessing = fn.Pixels(...) in Python"
            )
        return read_picture(content, where, self.preprocessing.shape, self.resize)[None]

    def _of_numbers(self, text: str, given: str, where: str) -> Samples:
        shape = self.preprocessing.shape if isinstance(self.preprocessing, Pixels) else self.input_shape
        separator = separator_of(given) or (separator_in(text) if text.strip() else ",")
        count = math.prod(shape)
        found = read_csv(text, where, count, separator, self.columns if len(self.columns) == count else ())
        names = [f"{given}:{line}" for line in found.lines]
        return Samples(names, found.x.reshape(-1, *shape), Notes({}, found.unused).lines(where))

    def _of_texts(self, text: str, where: str) -> Samples:
        assert isinstance(self.preprocessing, Words)
        contexts = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        for number, line in contexts:
            self.preprocessing.ids_of(line, f"{where}, line {number}", *self.input_shape)
        if not contexts:
            raise DataError(f"{where} holds no words, expected a line of {self.input_shape[0]} for each prediction")
        lines = [line for _, line in contexts]
        return Samples(lines, lines, self.preprocessing.told_unknown("\n".join(lines)))


def is_path(given: str) -> bool:
    """Whether this is no words but a file, which may be missing."""
    looks_so = not given.split()[1:] and (os.sep in given[1:] or os.path.splitext(given)[1].lower() in (".txt", ".npz"))
    return given == STDIN or os.path.isfile(given) or looks_so


def _named(given: str, x: Any) -> Samples:
    if not x.ndim:
        raise DataError(f"{given!r} holds a single number, expected an array of samples")
    return Samples([f"{given}[{i}]" for i in range(len(x))], x)
