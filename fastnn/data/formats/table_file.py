"""Tables of text files, packed by gzip or not: cells as texts, None where one is missing.

table = read_table("people.csv.gz")
table.columns["age"]  # ["39", "50", None, …]
"""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.gzipped import SIGNATURE as GZIP_SIGNATURE
from fastnn.common.text import plural
from fastnn.data.formats.numerals import PLAIN, Numerals
from fastnn.data.formats.reading import LARGEST_BYTES, content_of
from fastnn.text.decoding import decoded

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# What stands in a cell whose value is missing, beside nothing; as other programs write it: pandas reads them so, but ?.
MISSING = frozenset(
    (
        *("", "?", "NA", "N/A", "n/a", "#N/A", "#NA", "#N/A N/A", "<NA>", "NULL", "null", "None", "NaT"),
        *("NaN", "nan", "NAN", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    )
)
# First bytes of files that hold tables in other forms.
OTHER_FORMS = {
    b"PK\x03\x04": "a zip archive, as workbooks (.xlsx, .ods) are",
    b"\xd0\xcf\x11\xe0": "a workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"ARROW1": "a Feather file",
    b"SQLite format 3": "a database of SQLite",
}

Cell = str | None


@dataclass(frozen=True)
class TextTable:
    """The cells of a file.

    columns  : name -> its cells, stripped of spaces; None where one is missing
    lines    : the line of the file that each row ends on, from 1
    where    : what messages call the file
    numerals : how its numbers are written. separator : what stands between cells
    """

    columns: dict[str, list[Cell]]
    lines: list[int]
    where: str
    numerals: Numerals = PLAIN
    separator: str = ","

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lines)


def read_table(path: str | os.PathLike[str], *, header: bool = True, numerals: Numerals = PLAIN) -> TextTable:
    """The table in a file.

    header   : whether the first line holds the names of the columns; else they are called 1, 2, …
    numerals : how its numbers are written

    Tabs separate cells where the name says so (.tsv, .tsv.gz); else what is most frequent in the first line of commas,
    semicolons, tabs and bars. Where commas stand before decimals, another of these comes first. Quotes stand around
    cells that hold separators or ends of lines. FileFormatError for what is no such file, DataError for rows of unequal
    lengths, two columns of one name, and a table without rows.
    """
    name = os.fspath(path)
    content = content_of(name, "a table: .csv, .tsv or .csv.gz")
    return table_of(content, repr(name), header=header, separator=separator_of(name), numerals=numerals)


def separator_of(name: str) -> str | None:
    """What separates cells in a file of this name; None if its content says."""
    return "\t" if name.lower().removesuffix(".gz").endswith((".tsv", ".tab")) else None


def table_of(
    content: bytes, where: str, *, header: bool = True, separator: str | None = None, numerals: Numerals = PLAIN
) -> TextTable:
    """The table in the bytes of a file, as `read_table`; separator : None: found in the first line."""
    text = decoded(_unpacked(content, where), where).text
    if not text.strip():
        raise FileFormatError(f"{where} is empty, expected a table")
    separator = separator or separator_in(text, numerals)
    names, rows, lines = _rows(text, where, separator, header, numerals)
    if not rows:
        raise DataError(f"{where} has no rows, expected some below the names of the columns")
    columns = {name: list(cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
    return TextTable(columns, lines, where, numerals, separator)


def _unpacked(content: bytes, where: str) -> bytes:
    for begin, form in OTHER_FORMS.items():
        if content.startswith(begin):
            raise FileFormatError(f"{where} is {form}, expected a table as text: save it as CSV")
    if not content.startswith(GZIP_SIGNATURE):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            found = file.read(LARGEST_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise FileFormatError(f"{where} is damaged: {' '.join(str(error).split())}") from error
    if len(found) > LARGEST_BYTES:
        raise FileFormatError(f"{where} unpacks to more than {LARGEST_BYTES:,} bytes, the most that is read")
    return found


def separator_in(text: str, numerals: Numerals = PLAIN) -> str:
    """What is most frequent in the first line, outside quotes; a comma if there is none, or none but decimal commas."""
    first = next(line for line in text.splitlines() if line.strip())
    outside = "".join(first.split('"')[::2])
    if numerals.decimal == "comma" and any(sign in outside for sign in SEPARATORS if sign != ","):
        outside = outside.replace(",", "")
    return max(SEPARATORS, key=outside.count)


def _rows(
    text: str, where: str, separator: str, header: bool, numerals: Numerals
) -> tuple[list[str], list[list[Cell]], list[int]]:
    """Names, rows of cells, and the line that each row ends on."""
    names: list[str] = []
    rows: list[list[Cell]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for found in reader:
            cells = [cell.strip() for cell in found]
            if not any(cells):
                continue
            if not names:
                names = (
                    _names(cells, where, numerals) if header else [str(number) for number in range(1, len(cells) + 1)]
                )
                if header:
                    continue
            if len(cells) != len(names):
                raise _unequal(cells, names, f"{where}, line {reader.line_num}", separator)
            rows.append([None if cell in MISSING else cell for cell in cells])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise FileFormatError(f"{where}, line {reader.line_num}: no table: {error}") from error
    return names, rows, lines


def _unequal(cells: Sequence[str], names: Sequence[str], where: str, separator: str) -> DataError:
    what = f"{plural(len(cells), 'cell')} between {SEPARATORS[separator]}"
    return DataError(
        f"{where} has {what}, expected {len(names)} as in the first line; put quotes around cells with one"
    )


def _names(cells: Sequence[str], where: str, numerals: Numerals) -> list[str]:
    """The names of the columns; those without a name are called by their place. DataError if they cannot be names."""
    if all(numerals.number_of(cell) is not None for cell in cells):
        raise DataError(f"{where} begins with numbers, not with names of columns: add --no-header (header=False)")
    names = [cell or f"column {place}" for place, cell in enumerate(cells, 1)]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{where} has two columns {name!r:.60}, expected a name for each: rename one")
    return names
