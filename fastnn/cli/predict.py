"""`fastnn predict`: what a trained model says of pictures, arrays, tables or words."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from fastnn.cli.numerals import numerals_given, with_numerals
from fastnn.cli.output import Rows, deliver, dumped, form_of, with_output
from fastnn.cli.sections import examples
from fastnn.cli.standard_input import standard_input
from fastnn.common.errors import DataError
from fastnn.common.text import number_text, percent, plural

WIDTH = 80  # columns of a line, if names are not longer
LONGEST_NAME = 36
BEST, BEST_WORDS = 3, 10


EXAMPLES = examples(
    "fastnn predict runs/mnist-cnn digit.png --top 1",
    'fastnn predict runs/trigram "how are you"',
    "fastnn predict runs/people new.csv -o predicted.csv",
)


@click.command(epilog=EXAMPLES, short_help="What a trained model says of files or words.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.argument("given", metavar="FILE|WORDS...", nargs=-1, required=True)
@click.option("--text", "is_text", is_flag=True, help="what is given is WORDS, also where it looks like a file's name")
@click.option("--top", type=click.IntRange(min=1), help=f"labels a sample  [default: {BEST}; of words {BEST_WORDS}]")
@click.option("--resize", is_flag=True, help="scale pictures of another size to the model's")
@with_numerals
@with_output
def predict(
    run_or_model: Path,
    given: tuple[str, ...],
    is_text: bool,
    top: int | None,
    resize: bool,
    decimal: str | None,
    thousands: str | None,
    form: str | None,
    output: Path | None,
) -> None:
    """The most likely labels of samples, with probabilities, by a run's folder or a saved model.

    FILE is a PNG or JPEG picture, an .npz archive (x, images or x_test), or CSV with a sample a line; - is the standard
    input. Where CSV begins with a line of names and the model was trained on a frame, columns are found by their names.
    Files are given as they are: the model has what must be done with pixels. A language model takes WORDS, say "how are
    you", or text files with the words of one prediction a line. One word with a slash, or with the ending of a file, is
    a file's name: --text says that it is WORDS. The model of a table takes tables, .csv or .tsv, whose columns are
    found by their names; as CSV it gives them back with what is predicted in further columns, with the separator that
    they have, or tabs where -o ends with .tsv. Numbers in them are read, and written, as in the table of the training,
    such as 1.234,5, unless --decimal or --thousands says otherwise.
    """
    from fastnn.data.formats.samples import Reader
    from fastnn.data.preprocessing import Words
    from fastnn.experiment.predictions import Guesses, guesses_of
    from fastnn.experiment.run_folder import model_path
    from fastnn.loading import load, with_vocabulary

    model = with_vocabulary(load(model_path(run_or_model)))
    numerals = numerals_given(decimal, thousands)
    shape, columns = model.network.input_shape, model.columns.get("x", ())
    reader = Reader(model.preprocessing, shape, resize, standard_input, model.meta, is_text, numerals, columns)
    parts = [reader.read(one) for one in given]
    are_words = isinstance(model.preprocessing, Words)
    count = top or (BEST_WORDS if are_words else BEST)
    guessed = [guesses_of(model, part.x, count) for part in parts]
    guesses = Guesses(guessed[0].what, [row for one in guessed for row in one.rows])
    names = [name for part in parts for name in part.names]
    for note in (note for part in parts for note in part.notes):
        click.echo(note, err=True)
    form = form_of(form, output)
    if form == "csv" and (tables := [part.table for part in parts if part.table]):
        rows = _rows_with_predictions(tables, guesses, str(model.meta.get("target", "target")))
        found: Any = Rows(rows, tables[0].separator)
    else:
        make: Any = {"text": _blocks if are_words else _lines, "json": _json, "csv": _csv}[form]
        found = make(names, guesses, top is None)
    deliver(found, output, plural(len(guesses.rows), "prediction"))


def _blocks(names, guesses, fits) -> Iterator[str]:
    """A line for each word; of several predictions, the words before them first."""
    for name, row in zip(names, guesses.rows, strict=True):
        if len(names) > 1:
            yield f"{name}:"
        for label, number in row:
            yield f"{label:<12} {percent(number):>8}"


def _lines(names, guesses, fits) -> Iterator[str]:
    """A line for each sample, in columns; as many labels as have room, if `fits`."""
    text = percent if guesses.what == "probability" else number_text
    cells = [[(label, text(number)) for label, number in row] for row in guesses.rows]
    wide_name = min(max(map(len, names)), LONGEST_NAME)
    wide_label, wide_number = (max(len(cell[i]) for row in cells for cell in row) for i in (0, 1))
    room = max(1, (WIDTH - wide_name) // (wide_label + wide_number + 3)) if fits else None
    for name, row in zip(names, cells, strict=True):
        shown = name if len(name) <= wide_name else f"…{name[1 - wide_name :]}"
        parts = [f"{label:<{wide_label}} {number:>{wide_number}}" for label, number in row[:room]]
        yield "  ".join([f"{shown:<{wide_name}}", *parts])


def _json(names, guesses, fits) -> Iterator[str]:
    rows = [
        {"sample": name, "predictions": [{"label": label, guesses.what: number} for label, number in row]}
        for name, row in zip(names, guesses.rows, strict=True)
    ]
    yield dumped(rows)


def _csv(names, guesses, fits) -> Rows:
    rows = [
        (name, rank, label, number)
        for name, row in zip(names, guesses.rows, strict=True)
        for rank, (label, number) in enumerate(row, 1)
    ]
    return Rows([("sample", "rank", "label", guesses.what), *rows])


def _rows_with_predictions(tables, guesses, target) -> Iterator[list[object]]:
    """Header and rows: the cells of the tables, `predicted TARGET`, and of classes the probability of the likeliest.

    A name that a column has already, as of tables that were predicted before, gets a number.

    DataError if the tables have not the same columns.
    """
    names = list(tables[0].columns)
    for other in tables[1:]:
        if list(other.columns) != names:
            raise DataError(f"{other.where} has other columns than {tables[0].where}: predict them one by one")
    is_class = guesses.what == "probability"
    yield [*names, *(_new(name, names) for name in (f"predicted {target}", *(["probability"] if is_class else [])))]
    cells = ((table.numerals, row) for table in tables for row in zip(*table.columns.values(), strict=True))
    for (numerals, row), (best, *_) in zip(cells, guesses.rows, strict=True):
        number = numerals.written(f"{best.number:.{6 if is_class else 9}g}")
        yield [*("" if cell is None else cell for cell in row), *([best.label] if is_class else []), number]


def _new(name: str, names: Sequence[str]) -> str:
    """The name, with the first number from 2 on that makes it new among the names, if it is not."""
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in names)
