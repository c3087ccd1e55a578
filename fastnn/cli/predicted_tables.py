"""What `fastnn predict` writes of tables: their own columns, and beside them what the model says."""

from collections.abc import Iterator

from fastnn.common.errors import DataError
from fastnn.data.formats.table_file import TextTable
from fastnn.experiment.predictions import Guesses


def rows_with_predictions(tables: list[TextTable], guesses: Guesses, target: str) -> Iterator[list[object]]:
    """Header and rows: the cells of the tables, `predicted TARGET`, and of classes the probability of the likeliest.

    DataError if the tables have not the same columns.
    """
    names = list(tables[0].columns)
    for other in tables[1:]:
        if list(other.columns) != names:
            raise DataError(f"{other.where} has other columns than {tables[0].where}: predict them one by one")
    is_class = guesses.what == "probability"
    yield [*names, f"predicted {target}", *(["probability"] if is_class else [])]
    cells = (row for table in tables for row in zip(*table.columns.values(), strict=True))
    for row, (best, *_) in zip(cells, guesses.rows, strict=True):
        said = [best.label, f"{best.number:.6g}"] if is_class else [f"{best.number:.9g}"]
        yield [*("" if cell is None else cell for cell in row), *said]
