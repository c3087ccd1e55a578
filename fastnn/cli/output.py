"""Results of commands: printed, or written to a file, for people or for other programs."""

import csv
import gzip
import io
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from fastnn.common.stderr import leads_to_terminal

FORMS = ["text", "json", "csv"]


@dataclass(frozen=True)
class Rows:
    """Rows of cells, the names of the columns first, which become lines of CSV.

    separator : what stands between cells, unless the ending of the file that is written says so
    """

    rows: Iterable[Iterable[object]]
    separator: str = ","


def wrapped(line: str, indent: int = 0, stream: IO[str] | None = None) -> str:
    """The line as a terminal has room for it; unchanged where other programs read it.

    indent : spaces before all lines but the first; stream : where the line goes, or standard output
    """
    if not leads_to_terminal(stream or sys.stdout):
        return line
    return textwrap.fill(line, shutil.get_terminal_size().columns, subsequent_indent=" " * indent)


def with_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options --format and --output: arguments `form` and `output`."""
    form = click.option(
        "--format", "form", type=click.Choice(FORMS), help="[default: text; with -o by its ending, or csv]"
    )
    output = click.option(
        "-o", "--output", type=click.Path(path_type=Path), help="the file to write instead of printing"
    )
    return form(output(command))


def form_of(form: str | None, output: Path | None) -> str:
    """The form that was asked for, else text for people, and JSON or CSV for files."""
    return form or ("text" if output is None else "json" if output.name.endswith((".json", ".json.gz")) else "csv")


def deliver(found: Iterable[str] | Rows, output: Path | None, what: str) -> None:
    """Print lines or rows, or write them to a file and say `what` was written, and what stands between its cells."""
    from fastnn.data.formats.table_file import SEPARATORS, separator_of

    if isinstance(found, Rows):
        separator = (output and separator_of(output.name)) or found.separator
        what += "" if separator == "," else f", cells between {SEPARATORS[separator]}"
        found = csv_lines(found.rows, separator)
    if output is None:
        for line in found:
            click.echo(line)
    else:
        write_lines(output, found)
        click.echo(f"wrote {output}: {what}")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file, whole or not at all; packed if it is called .gz. FileFormatError if it cannot be written."""
    from fastnn.common.files import atomic_path, check_target

    check_target(path)
    opened = gzip.open if path.name.endswith(".gz") else open
    with atomic_path(path) as temporary, opened(temporary, "wt", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)


def dumped(found: Any) -> str:
    """JSON that any program reads, with letters as they are."""
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def finite(figure: float) -> float | None:
    """A figure for JSON, which has neither infinity nor NaN."""
    return figure if math.isfinite(figure) else None


def csv_lines(rows: Iterable[Iterable[object]], separator: str = ",") -> Iterator[str]:
    """Rows as lines of CSV; a cell that holds an end of a line stands in quotes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")  # cells with a letter of it get quotes
    for row in rows:
        writer.writerow(row)
        yield text.getvalue().removesuffix("\r\n")
        text.seek(0)
        text.truncate()
