"""A user's own text for the language model: the flags that say how it is read, and what was kept of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.text import SPLITS, percent, plural, sentence
from fastnn.data import Dataset, find_data, is_text, load_text
from fastnn.data.formats.text import MIN_COUNT
from fastnn.data.spans import in_spans
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.settings import Settings, setting
from fastnn.language.network import LENGTH
from fastnn.text.bpe import ENDING
from fastnn.text.vocabulary import END, START, UNKNOWN

OF_TEXT = ("vocabulary", "min_count", "net", "length", "order", "lower", "tokens", "sentences", "val", "test")
NETS = ("window", "gru")
KINDS = ("words", "spaces", "characters", "bytes")
VOCABULARY = 10_000
MEASURED = 20_000  # words of training data a finished training is measured on, and of validation data each epoch
JUDGED = 250_000  # words of validation and of test data, at most, that a finished training is measured on
ENDS = {"punctuation": "end at . ! ? … and empty lines", "lines": "are lines", "none": "are not told apart"}


@dataclass(frozen=True)
class TextSettings(Settings):
    """How a user's own text is read, and what a sample of it is."""

    vocabulary: int = setting(0, f"of a text: ids, at most, <unk>, <s> and </s> among them; 0: {VOCABULARY:,}", least=0)
    min_count: int = setting(MIN_COUNT, "of a text: times that a word with an id occurs in it, at least", least=1)
    net: str = setting(
        "window",
        "of a text: a word is predicted by a layer that sees the order − 1 words before it (window), or by one that "
        "has read all before it in a row (gru)",
        choices=NETS,
    )
    length: int = setting(LENGTH, "of a text, for --net gru: words of a row", least=2)
    order: int = setting(
        4,
        "of a text: words of a sample of --net window, the predicted one among them; and of n-grams that are counted",
        least=2,
        below=9,
    )
    lower: bool = setting(True, "of a text: make letters small", off="--keep-case")
    tokens: str = setting(
        "words",
        "of a text: what is predicted: words, spaces, characters, bytes, or a .json file of the package tokenizers",
        is_path=True,
    )
    sentences: str = setting(
        "auto", "of a text: where sentences end; auto: as it suggests", choices=("auto", "punctuation", "lines", "none")
    )
    val: str = setting("", "of a text: file or folder to validate on; empty: a tenth of --data", is_path=True)
    test: str = setting("", "of a text: file or folder to test on; empty: a tenth of --data", is_path=True)


def load(path: Path | tuple[Path, ...] | None, settings: Any = None) -> tuple[Dataset, str]:
    """The course's file, generated data, or texts; and a line that says which, and what was kept of a text.

    ValueError for flags of texts that were given with other data; else as `find_data`.
    """
    settings = settings or TextSettings()
    if isinstance(path, tuple) or (path is not None and is_text(path)):
        return _load_texts(path if isinstance(path, tuple) else (path,), settings)
    _refuse_flags(settings, path)
    return find_data("trigram", path)


def _load_texts(paths: tuple[Path, ...], settings: Any) -> tuple[Dataset, str]:
    _refuse_hdf5((*paths, settings.val, settings.test))
    data = load_text(
        paths,
        settings.vocabulary or VOCABULARY,
        settings.order,
        min_count=settings.min_count,
        kind=_kind(settings.tokens),
        lower=settings.lower,
        sentences_end=settings.sentences,
        val=settings.val or None,
        test=settings.test or None,
        ids_file="auto",
    )
    announced = f"text from {data.meta['source']}: {'; '.join(told(data.meta))}"
    if settings.net != "gru":
        return data, announced
    announced += f"; samples are rows of {settings.length} {noun_of(data.meta)}s"
    return in_spans(data, settings.length), announced


def _refuse_hdf5(paths: tuple[Path | str, ...]) -> None:
    """ValueError for a file that is no text; an empty name is none."""
    for path in paths:
        if path and not is_text(path):
            raise ValueError(
                f"{str(path)!r} is an HDF5 file, expected plain text: several files and splits are of texts"
            )


def _kind(tokens: str) -> str:
    if tokens not in KINDS and not tokens.lower().endswith(ENDING):
        raise ValueError(
            f"--tokens is {tokens!r:.60}, expected one of {', '.join(KINDS)}, or a file that ends with {ENDING}"
        )
    return tokens


def _refuse_flags(settings: Any, path: Path | None) -> None:
    usual = TextSettings()
    for name in OF_TEXT:
        if getattr(settings, name) != getattr(usual, name):
            flag = "--keep-case" if name == "lower" else f"--{name.replace('_', '-')}"
            have = "the generated data have" if path is None else f"{str(path)!r} has"
            raise ValueError(
                f"{flag} is for plain text, but {have} samples and a vocabulary already; give --data a text"
            )


def told(meta: dict[str, Any]) -> list[str]:
    """What was kept of a text, in a few clauses."""
    rules, noun = meta["tokenizer"], noun_of(meta)
    read = f", read as {' and '.join(meta['encodings'])}" if meta["encodings"] else ""
    count = "" if rules["sentences_end"] == "none" else f" in {plural(meta['sentences'], 'sentence')}"
    return [
        f"{plural(meta['tokens'], noun)}{count}{read}; sentences {ENDS[rules['sentences_end']]}",
        _vocabulary(meta, noun),
        f"{percent(1 - meta['coverage'])} of the {noun}s have no id and are <unk>",
        *([f"the ids are in {meta['ids_file']}"] if "ids_file" in meta else []),
    ]


def noun_of(meta: dict[str, Any]) -> str:
    """What a token of a text is called."""
    return {"characters": "character", "bytes": "byte"}.get(meta["tokenizer"]["kind"], "token")


def _vocabulary(meta: dict[str, Any], noun: str) -> str:
    """How many ids there are, and whether more were asked for than the text has."""
    size, (asked, least) = len(meta["words"]), meta["asked"]
    found = f"{size:,} ids, of {meta['different']:,} different {noun}s and the marks of sentences"
    if size < asked:
        often = (
            f" that occur {least:,} times or more in the training sentences"
            if least > 1
            else " of the training sentences"
        )
        found += f": all {noun}s{often} have one, fewer than the {asked:,} of --vocabulary"
    return found


def measured_of(settings: Any) -> int:
    """On how many samples a training is measured: rows of a recurrent net hold as many words together."""
    return max(MEASURED // max(settings.length, 1), 1) if settings.net == "gru" else MEASURED


def judged_of(settings: Any) -> int:
    """On how many validation and test samples a finished training is measured: of rows, each has half of its words."""
    return max(JUDGED // _asked(settings), 1)


def judged_words(settings: Any) -> int:
    """How many words these samples predict."""
    return judged_of(settings) * _asked(settings)


def _asked(settings: Any) -> int:
    """How many words a validation or test sample predicts: see `in_spans`."""
    return settings.length - settings.length // 2 if settings.net == "gru" else 1


def _told_part(part: dict[str, Any]) -> dict[str, str]:
    counts = {name: f"{part[name]:,}" for name in ("sentences", "tokens")}
    return counts | {"unknown": percent(part["unknown"])}


def text_answer(results: ExperimentResult) -> Answer:
    """What was kept of the text, split by split."""
    meta = results.data.meta
    rows = [Row(SPLITS[name], _told_part(part)) for name, part in meta["parts"].items()]
    lines = [*told(meta), *_marks(meta["words"]), *meta["twice"], *_measured(results)]
    return Answer("text", "What was kept of the text?", [Table(rows)], [f"{sentence(line)}." for line in lines])


def _marks(words: list[str]) -> Iterator[str]:
    """What the marks mean that stand among the words on the page."""
    meanings = {UNKNOWN: "a token without an id", START: "what is before a sentence", END: "the end of a sentence"}
    found = [f"{mark} is {meaning}" for mark, meaning in meanings.items() if mark in words]
    if found:
        yield ", ".join(found)


def _measured(results: ExperimentResult) -> Iterator[str]:
    """Which samples and words the figures are of, where they are not of all."""
    drawn, words = getattr(results.chosen.settings, "softmax_words", 0), len(results.data.meta["words"])
    measured = measured_of(results.chosen.settings)
    if len(results.data.train) > measured:
        what = "rows" if results.chosen.settings.net == "gru" else "samples"
        yield f"training data, and validation data after each epoch, are measured on {measured:,} drawn {what}"
    held_out, judged = results.data.meta.get("grams", results.data), judged_words(results.chosen.settings)
    long = [SPLITS[name] for name, part in held_out.splits().items() if name != "train" and len(part) > judged]
    if long:
        yield f"figures of {' and '.join(long)} are of the first {judged:,} {noun_of(results.data.meta)}s"
    if 0 < drawn < words:
        yield (
            f"in training, loss and accuracy are those among the words that a step draws, {drawn:,} or more of "
            f"{words:,}: better than among all words, of which validation data and tables are"
        )
