"""`fastnn score`: how well a language model predicts texts."""

import math
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastnn.cli.output import Rows, deliver, dumped, finite, form_of, with_output
from fastnn.cli.sections import examples
from fastnn.cli.standard_input import standard_input
from fastnn.common.errors import DataError
from fastnn.common.text import aligned, loss_text, percent, perplexity_text, plural, printable

if TYPE_CHECKING:
    from fastnn.language.model import LanguageModel
    from fastnn.text.corpus import Text
    from fastnn.text.scoring import Score

    Scores = list[tuple[str, Score]]

STDIN = "-"
LONGEST_NAME = 36
ENDINGS = (".txt", ".md", ".rst", ".tex", ".html", ".xml", ".gz")  # of files of texts
ENDING = re.compile(r"\.[a-z]\w+\s*", re.IGNORECASE)
COLUMNS = ("text", "words", "unknown", "nats per word", "perplexity")
EXAMPLES = examples(
    "fastnn score runs/book another-book.txt",
    'fastnn score runs/book "the old man was tired." --by-word',
    "fastnn score runs/book chapters/ --format csv",
)


@click.command(epilog=EXAMPLES, short_help="How well a language model predicts texts: perplexity.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.argument("given", metavar="FILE|TEXT...", nargs=-1, required=True)
@click.option("--text", "is_text", is_flag=True, help="what is given is text, also where it looks like a file's name")
@click.option("--by-word", is_flag=True, help="the surprisal of each word, −ln p in nats, instead of the mean")
@with_output
def score(
    run_or_model: Path, given: tuple[str, ...], is_text: bool, by_word: bool, form: str | None, output: Path | None
) -> None:
    """Perplexity of texts, by a run's folder or a saved model.

    FILE is a text, a folder of texts, or - for the standard input; anything else is a TEXT itself. What looks like a
    file's name and is none is refused: --text says that it is a TEXT. Shown are the number of words (or of characters
    or bytes, if the model takes these), the share that the model does not know, the mean surprisal −ln p of a word and
    of a sentence's end, in nats, and the perplexity, exp of it. Unknown words are predicted as one, <unk>; where models
    have no <unk>, neither they nor words after them are predicted. That makes texts with many unknown words look easy:
    compare perplexities of the same vocabulary, at like shares of unknown words.
    """
    from fastnn.experiment.run_folder import model_path
    from fastnn.language.model import LanguageModel
    from fastnn.text.scoring import Score

    model = LanguageModel.load(model_path(run_or_model))
    noun, scores = model.tokenizer.noun, []
    for text in (text for one in given for text in _texts(one, is_text)):
        scores.append((text.name, _scored(model, text)))
        for note in _notes(text, scores[-1][1], noun):
            click.echo(note, err=True)
    if len(scores) > 1 and not by_word:
        scores.append(("together", Score.together(found for _, found in scores)))
    by_form: dict[str, Callable[[Scores], Iterator[str] | Rows]]
    by_form = BY_WORD if by_word else {"text": partial(_table, noun), "json": _json, "csv": _csv}
    deliver(by_form[form_of(form, output)](scores), output, plural(len(scores), "text"))


def _texts(given: str, is_text: bool) -> "Iterator[Text]":
    """The texts of a file, a folder or the standard input, or the text that this is. DataError for a missing file."""
    from fastnn.text.corpus import Text, texts
    from fastnn.text.decoding import decoded

    if given == STDIN and not is_text:
        yield Text(STDIN, *decoded(standard_input(), "the standard input"))
    elif os.path.exists(given) and not is_text:
        yield from texts(given)
    elif _looks_like_a_file(given) and not is_text:
        raise DataError(f"{given!r} does not exist, expected a file or a folder of texts; if it is a text, add --text")
    else:
        yield Text(given, given, "UTF-8")


def _looks_like_a_file(given: str) -> bool:
    """Whether this may well be the name of a file. If it is missing, that is said, and not how likely the name is.

    So does one line with the ending of texts, and one word with a slash or any ending but such as those of 3.14 and e.g
    """
    if given.lower().endswith(ENDINGS) and not given.splitlines()[1:]:
        return True
    has_separator = any(one in given and given != one for one in {"/", os.sep})
    return not given.split()[1:] and (has_separator or ENDING.fullmatch(os.path.splitext(given)[1]) is not None)


def _scored(model: "LanguageModel", text: "Text") -> "Score":
    try:
        return model.score(text.text)
    except DataError as error:
        raise DataError(f"{text.name!r:.80}: {error}") from None


def _notes(text: "Text", score: "Score", noun: str) -> Iterator[str]:
    if text.encoding != "UTF-8":
        yield f"{text.name} is read as {text.encoding}"
    if left := len(score.tokens) - score.predicted:
        yield (
            f"{_shown(text.name)}: {left:,} of {plural(score.words, noun)} are not predicted: they are unknown, after "
            "an unknown one, or too near the beginning of a sentence"
        )


def _shown(name: str) -> str:
    """A name or a text as a table has room for it: the end of a file's name, the beginning of a text."""
    if len(name) > LONGEST_NAME:
        name = f"…{name[1 - LONGEST_NAME :]}" if os.path.exists(name) else f"{name[: LONGEST_NAME - 1]}…"
    return printable(" ".join(name.split()))


def _table(noun: str, scores: "Scores") -> Iterator[str]:
    rows = [
        [
            _shown(name),
            f"{one.words:,}",
            percent(one.unknown),
            loss_text(one.nats_per_word),
            perplexity_text(one.perplexity),
        ]
        for name, one in scores
    ]
    return aligned([["", *(column.replace("word", noun) for column in COLUMNS[1:])], *rows], texts=1)


def _figures(name: str, score: "Score") -> dict[str, object]:
    figures = (name, score.words, score.unknown, score.nats_per_word, finite(score.perplexity))
    return dict(zip((column.replace(" ", "_") for column in COLUMNS), figures, strict=True))


def _json(scores: "Scores") -> Iterator[str]:
    yield dumped([_figures(*one) for one in scores])


def _csv(scores: "Scores") -> Rows:
    rows = [_figures(*one) for one in scores]
    return Rows([list(rows[0]), *(row.values() for row in rows)])


def _words(scores: "Scores") -> Iterator[str]:
    """A line for each word; of several texts, the name of each first."""
    for name, score in scores:
        if len(scores) > 1:
            yield f"{_shown(name)}:"
        for token, nats, is_known in _each(score):
            yield f"{printable(token):<20} {'' if nats is None else f'{nats:.4f}':>8}{'' if is_known else '  unknown'}"


def _words_json(scores: "Scores") -> Iterator[str]:
    yield dumped(
        [
            _figures(name, score)
            | {"by_word": [{"word": word, "nats": nats, "known": known} for word, nats, known in _each(score)]}
            for name, score in scores
        ]
    )


def _words_csv(scores: "Scores") -> Rows:
    rows = ((name, word, nats, known) for name, score in scores for word, nats, known in _each(score))
    return Rows([("text", "word", "nats", "known"), *rows])


def _each(score: "Score") -> "Iterator[tuple[str, float | None, bool]]":
    """Each token, its surprisal or None, and whether it is known; ends of sentences among them."""
    for token, nats, is_known in zip(score.tokens, score.nats.tolist(), score.is_known.tolist(), strict=True):
        yield token, None if math.isnan(nats) else nats, is_known


BY_WORD: "dict[str, Callable[[Scores], Iterator[str] | Rows]]" = {
    "text": _words,
    "json": _words_json,
    "csv": _words_csv,
}
