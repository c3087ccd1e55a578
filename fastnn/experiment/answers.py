"""What a command found out: questions, each with its figures, its pictures and what they say.

The console prints answers, the page shows them, `summary.json` keeps them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fastnn.common.figures import is_fraction
from fastnn.common.text import figure_text, metric_name, with_minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = tuple[str, str, "Figure"]  # file name, caption, figure
Value = float | str


@dataclass(frozen=True)
class Row:
    """One row of figures: those of this run, and beside them those that the report published.

    label   what the row is of: a run, an epoch, a layer
    here    name of a figure -> its value, or a text; {} if this command did not make the run
    report  name of a figure -> the published value
    """

    label: str
    here: Mapping[str, Value] = field(default_factory=dict)
    report: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows with the same figures.

    title         "" if the question says it
    is_detail     a long table: folded on the page, and not printed in the console
    is_comparable whether data and settings are the report's: fractions then have a column with their differences
    """

    rows: Sequence[Row]
    title: str = ""
    is_detail: bool = False
    is_comparable: bool = False

    def names(self) -> list[str]:
        """The figures that any row has, in their order."""
        return list(dict.fromkeys(name for row in self.rows for name in (*row.here, *row.report)))


@dataclass(frozen=True)
class Answer:
    """A question, and what this command found.

    name      of a comparison, or the recipe's own; unique in a command
    question  asks or names; it states no result
    tables    its figures
    lines     sentences computed from the figures of this run
    report    what the report answers, told as the report's; "" if it says nothing
    pictures  (file name, caption, figure); of answers that were read from a summary, none
    """

    name: str
    question: str
    tables: Sequence[Table] = ()
    lines: Sequence[str] = ()
    report: str = ""
    pictures: Sequence[Picture] = ()

    def to_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        tables = [
            {
                "title": table.title,
                "is_detail": table.is_detail,
                "is_comparable": table.is_comparable,
                "rows": [
                    {"label": row.label, "here": _defined(row.here), "report": dict(row.report)} for row in table.rows
                ],
            }
            for table in self.tables
        ]
        return {
            "name": self.name,
            "question": self.question,
            "tables": tables,
            "lines": list(self.lines),
            "report": self.report,
            "pictures": {name: caption for name, caption, _ in self.pictures},
        }


def for_people(found: Mapping[str, Any]) -> Answer:
    """The answer that a summary holds, its sentences as they are shown; `texts` does the same for its tables."""
    answer = from_json(found)
    return replace(answer, lines=[*map(with_minus, answer.lines)], report=with_minus(answer.report))


def from_json(found: Mapping[str, Any]) -> Answer:
    """The answer that a summary holds, without its pictures. KeyError, TypeError or ValueError for anything else."""
    tables = [_table(table) for table in found["tables"]]
    return Answer(found["name"], found["question"], tables, list(found["lines"]), found["report"])


def _table(found: Mapping[str, Any]) -> Table:
    is_comparable = found.get("is_comparable", False)  # files of older versions lack it
    return Table([_row(row) for row in found["rows"]], found["title"], found["is_detail"], is_comparable)


def _row(found: Mapping[str, Any]) -> Row:
    return Row(found["label"], dict(found["here"]), dict(found["report"]))


def texts(table: Table, only_made: bool = False) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table as people read it: each figure of this run, and the report's in the next column.

    only_made : leave out the rows of which this run has no figure; else they say so
    """
    rows = [row for row in table.rows if row.here or not only_made]
    header, columns = [""], []
    for name in Table(rows).names():
        for heading, column in _columns(name, rows, table):
            header.append(heading)
            columns.append(column)
    return header, [[row.label, *map(with_minus, cells)] for row, *cells in zip(rows, *columns, strict=True)]


def _columns(name: str, rows: Sequence[Row], table: Table) -> list[tuple[str, list[str]]]:
    """The columns of one figure, with their headings: this run's, the report's, the difference of both."""
    shown, found = _heading(name, table.title), []
    has_own, has_report = any(name in row.here for row in rows), any(name in row.report for row in rows)
    if has_own:
        found.append((shown, [_own(name, row) for row in rows]))
    if has_report:
        heading = "report" if has_own else f"{shown}, report"
        found.append((heading, [_cell(name, row.report.get(name)) for row in rows]))
    if has_own and has_report and table.is_comparable and is_fraction(name):
        found.append(("difference", [_difference(row.here.get(name), row.report.get(name)) for row in rows]))
    return found


def _defined(figures: Mapping[str, Value]) -> dict[str, Value]:
    """Figures without those that are NaN, and infinity as a text: JSON has no words for them."""
    defined = {name: value for name, value in figures.items() if value == value}
    return {name: str(value) if value in (math.inf, -math.inf) else value for name, value in defined.items()}


def _own(name: str, row: Row) -> str:
    was_made = row.here or name not in row.report
    return _cell(name, row.here.get(name)) if was_made else "not run"


def _difference(here: Value | None, report: float | None) -> str:
    """In points of a per cent; "" if one of them is missing."""
    if report is None or not isinstance(here, float):
        return ""
    return f"{100 * (here - report):+.2f} points"


def _heading(name: str, title: str) -> str:
    """A figure's name as words, without those that the table's title says already."""
    text = metric_name(name)
    return text.removesuffix(title).strip() or text


def _cell(name: str, value: Value | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else figure_text(name, value)
