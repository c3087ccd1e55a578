"""`fastnn neighbours` and `fastnn export`: the vectors of a language model's words."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from fastnn.cli.output import Rows, deliver, dumped, form_of, with_output
from fastnn.cli.sections import examples
from fastnn.common.text import plural, printable

Neighbours = dict[str, list[tuple[str, float]]]
NAMED = 3  # words that a note names

NEIGHBOURS_EXAMPLES = examples(
    "fastnn neighbours runs/book king queen", "fastnn neighbours runs/book king -n 3 --format json"
)
EXPORT_EXAMPLES = examples(
    "fastnn export runs/book -o vectors.txt",
    "fastnn export runs/book -o vectors.bin       the binary form, by the name",
    "fastnn train trigram --data other.txt --embedding vectors.txt",
)


@click.command(epilog=NEIGHBOURS_EXAMPLES, short_help="The words whose vectors are nearest to a word's.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@click.option("-n", "count", type=click.IntRange(min=1), default=10, show_default=True, help="neighbours of each word")
@with_output
def neighbours(run_or_model: Path, words: tuple[str, ...], count: int, form: str | None, output: Path | None) -> None:
    """The words whose vectors are nearest to those of WORDs, by a run's folder or a saved model.

    Shown is the cosine of the angle between both vectors, less the mean of all: 1 for the same direction, 0 for words
    that have nothing in common.
    """
    from fastnn.experiment.run_folder import model_path
    from fastnn.language.model import LanguageModel

    model = LanguageModel.load(model_path(run_or_model))
    found = {word: model.neighbours(word, count) for word in words}
    by_form: dict[str, Callable[[Neighbours], Iterator[str] | Rows]] = {"text": _lines, "json": _json, "csv": _csv}
    deliver(by_form[form_of(form, output)](found), output, f"the neighbours of {plural(len(found), 'word')}")


def _lines(found: Neighbours) -> Iterator[str]:
    """A line for each neighbour; of several words, each before its own."""
    for word, row in found.items():
        if len(found) > 1:
            yield f"{printable(word)}:"
        for other, cosine in row:
            yield f"{printable(other):<20} {cosine:>7.3f}"


def _json(found: Neighbours) -> Iterator[str]:
    yield dumped(
        [
            {"word": word, "neighbours": [{"word": other, "cosine": cosine} for other, cosine in row]}
            for word, row in found.items()
        ]
    )


def _csv(found: Neighbours) -> Rows:
    rows = ((word, rank, other, cosine) for word, row in found.items() for rank, (other, cosine) in enumerate(row, 1))
    return Rows([("word", "rank", "neighbour", "cosine"), *rows])


@click.command(epilog=EXPORT_EXAMPLES, short_help="The words' vectors as a file of word2vec.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="the file; .bin: the binary form")
def export(run_or_model: Path, output: Path) -> None:
    """The vectors of the words in the text or binary form of word2vec, by a run's folder or a saved model.

    Gensim and many other programs open such files, and `fastnn train trigram --embedding` starts from one.
    """
    from fastnn.experiment.run_folder import model_path
    from fastnn.language.model import LanguageModel

    model = LanguageModel.load(model_path(run_or_model))
    left = model.export(output)
    count, width = model.vectors.shape
    click.echo(f"wrote {output}: {plural(count - len(left), 'vector')} of {plural(width, 'number')}")
    if left:
        named = ", ".join(map(repr, left[:NAMED])) + (", …" if len(left) > NAMED else "")
        click.echo(f"left out, as such a file holds no white space in words: {named} ({len(left):,})", err=True)
