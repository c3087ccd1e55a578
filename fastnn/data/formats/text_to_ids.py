"""Texts of any size to a file of ids: tokens become numbers as they are met, and numbers ids when all are counted.

Each text is read once. The numbers are on the disk in between, in files without a name beside the one that is written.
What is in memory is a piece of the text and the different tokens.
"""

import hashlib
import logging
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path as FolderPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.text import SPLITS, plural
from fastnn.data.dataset import CompleteDataset, id_dtype
from fastnn.data.download import data_folder
from fastnn.data.formats.text_ids import VERSION, Part, Path, Spool, is_made_of, load_ids, stamp, write_ids
from fastnn.data.formats.text_splits import DRAWN, FRACTION, Asked, Texts
from fastnn.text.corpus import TextFile
from fastnn.text.numbered import encodings_of, ends_of
from fastnn.text.numbering import SENTENCE_ENDS, Numbering, Numbers
from fastnn.text.tokens import Tokenizer
from fastnn.text.vocabulary import END, START, Vocabulary

log = logging.getLogger(__name__)

LARGE_BYTES = 32_000_000  # of training texts: the n-grams of less take up to 400 MB of memory
HELD_OUT_BYTES = 6_000_000  # of the training text, for validation and for testing each, at most: a million words
DRAWN_TOGETHER = 1 << 16  # sentences whose splits are drawn at a time

Counts = dict[str, NDArray[np.int64]]


def file_for(given: Texts, asked: Asked) -> FolderPath | None:
    """Where the ids of large texts are kept unless the user says; None for texts that fit into memory.

    FileFormatError for a text or a folder that cannot be used.
    """
    if sum(size for _, size, _ in stamp(given.files[0])) < LARGE_BYTES:
        return None
    known = repr((*_stamps(given), asked))
    name = FolderPath(given.files[0][0]).stem
    folder = data_folder() / "texts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(f"the folder {str(folder)!r} cannot be made: {error.strerror}") from error
    return folder / f"{name}-{hashlib.sha256(known.encode()).hexdigest()[:12]}.h5"


def load_text_file(path: Path, given: Texts, asked: Asked, order: int) -> CompleteDataset:
    """What `load_text` gives with `ids_file`; the file is written unless it is there. Errors as of that."""
    stamps = _stamps(given)
    made_of = {"files": stamps, **asdict(asked), "words": None if asked.words is None else list(asked.words)}
    if not is_made_of(path, made_of):
        size = sum(bytes_ for _, bytes_, _ in stamps[0])
        folder = FolderPath(os.path.realpath(path)).parent
        try:
            with ExitStack() as until:
                spools = [Spool(folder, until) for _ in SPLITS]
                _write(path, given, asked, made_of, min(FRACTION, HELD_OUT_BYTES / max(size, 1)), spools)
        except OSError as error:
            name, reason = os.fspath(path), error.strerror or error
            raise FileFormatError(f"cannot write {name!r} in folder {str(folder)!r}: {reason}") from error
    return load_ids(path, order)


def _stamps(given: Texts) -> list[list[Any]]:
    """What shows that the texts of each split are the same as before. FileFormatError as of `stamp`."""
    return [
        [*stamp(files), *(text.stamp() for text in held)]
        for files, held in zip(given.files, given.in_memory, strict=True)
    ]


def _write(path: Path, given: Texts, asked: Asked, made_of: dict[str, Any], share: float, spools: list[Spool]) -> None:
    files = given.readers()
    numbering = Numbering(Tokenizer(asked.kind, asked.lower, ends_of(files[0], asked.sentences_end), asked.rules))
    parts = _numbered(numbering, files, given.shares(share), asked.seed, spools)
    counts = {name: part.counts(len(numbering) + 1) for name, part in parts.items()}
    _check_all(counts, given.name)
    vocabulary = _vocabulary(numbering, counts["train"], asked, given.name)
    table = _table(numbering, vocabulary)
    meta = {
        **asked.meta(given, numbering.tokenizer, vocabulary.words, kept=1.0),
        "encodings": encodings_of(file for group in files for file in group),
        **_kept(counts, table == vocabulary.unknown, numbering),
    }
    about = {"version": VERSION, "made_of": made_of, "meta": meta, "start": vocabulary.start, "end": vocabulary.end}
    write_ids(path, parts, table, about)
    log.info("wrote %s: the ids of %d tokens of %s", os.fspath(path), meta["tokens"], given.name)


def _numbered(
    numbering: Numbering, files: list[list[TextFile]], shares: NDArray[np.float64], seed: int, spools: list[Spool]
) -> dict[str, Part]:
    """The numbers of each split, which are put into the spools."""
    has_sentences = numbering.tokenizer.sentences_end != "none"
    splits = _Splits(shares, seed) if has_sentences else None
    for found in numbering.of_files(files[0]):
        for number, part in splits.parts(found) if splits else [(0, found)]:
            spools[number].add(part)
    for number in (1, 2):
        for found in numbering.of_files(files[number]):
            spools[number].add(found)
    parts = [*map(Part, spools)]
    if not has_sentences:  # the training text is cut where its splits end
        size = len(spools[0])
        first, second = (shares * size).astype(int).tolist()
        cut = [Part(spools[0], 0, first), Part(spools[0], first, second), Part(spools[0], second, size)]
        parts = [cut[i] if i == 0 or not files[i] else parts[i] for i in range(len(SPLITS))]
    return dict(zip(SPLITS, parts, strict=True))


class _Splits:
    """Deals the sentences of a text among the splits as they come, by a uniform number each."""

    def __init__(self, shares: NDArray[np.float64], seed: int):
        self._shares, self._seed, self._sentence = shares, seed, 0
        self._block, self._drawn = -1, np.empty(0, np.int64)

    def parts(self, numbers: Numbers) -> list[tuple[int, Numbers]]:
        """The numbers of each split; the first may go on with the sentence of the last call."""
        ends = numbers == SENTENCE_ENDS
        sentences = self._sentence + np.cumsum(ends) - ends
        split = np.empty(len(numbers), np.int64)
        for block in range(int(sentences[0]) // DRAWN_TOGETHER, int(sentences[-1]) // DRAWN_TOGETHER + 1):
            here = sentences // DRAWN_TOGETHER == block
            split[here] = self._of_block(block)[sentences[here] % DRAWN_TOGETHER]
        self._sentence += int(ends.sum())
        return [(number, numbers[split == number]) for number in range(len(SPLITS))]

    def _of_block(self, block: int) -> NDArray[np.int64]:
        if block != self._block:
            uniform = random.generator(self._seed, DRAWN, block).random(DRAWN_TOGETHER)
            self._block, self._drawn = block, np.searchsorted(self._shares, uniform, side="right")
        return self._drawn


def _vocabulary(numbering: Numbering, counts: NDArray[np.int64], asked: Asked, name: str) -> Vocabulary:
    """The vocabulary of the training sentences, or the one that was given. DataError if it will not do."""
    has_sentences = numbering.tokenizer.sentences_end != "none"
    if asked.words is not None:
        given = Vocabulary(asked.words)
        if given.unknown is None or given.start is None or (has_sentences and given.end is None):
            raise DataError(
                "the vocabulary lacks <unk>, <s> or </s>: such texts are read into memory, without ids_file"
            )
        return given
    found = {token: int(count) for token, count in zip(numbering, counts[1:], strict=True) if count}
    try:
        sentences = int(counts[SENTENCE_ENDS]) if has_sentences else None
        return Vocabulary.of_counts(found, asked.vocabulary_size, asked.min_count, sentences)
    except DataError as error:
        raise DataError(f"{name!r} is too small: found {plural(int(counts[1:].sum()), 'token')}; {error}") from None


def _table(numbering: Numbering, vocabulary: Vocabulary) -> NDArray[Any]:
    """The id of each number. What a text itself calls <s> or </s> is unknown: in the file they part sentences."""
    table = np.zeros(len(numbering) + 1, id_dtype(len(vocabulary)))
    table[1:] = vocabulary.ids(numbering)
    table[SENTENCE_ENDS] = vocabulary.end or 0
    for special in (START, END):
        if special in numbering:
            table[numbering[special]] = vocabulary.unknown
    return table


def _check_all(counts: Counts, name: str) -> None:
    """DataError unless each split has tokens."""
    found = {SPLITS[split]: int(count[1:].sum()) for split, count in counts.items()}
    if not any(found.values()):
        raise DataError(f"{name!r} is too small: found 0 tokens")
    if not all(found.values()):
        told = ", ".join(f"{split} {size:,}" for split, size in found.items())
        raise DataError(f"{name!r} is too small: found {told} tokens, expected some in each")


def _kept(counts: Counts, is_unknown: NDArray[np.bool_], numbering: Numbering) -> dict[str, Any]:
    """What `load_text` says of the text in meta."""
    has_sentences = numbering.tokenizer.sentences_end != "none"
    parts, lacking = {}, 0
    for name, count in counts.items():
        tokens, unknown = int(count[1:].sum()), int(count[1:][is_unknown[1:]].sum())
        sentences = int(count[SENTENCE_ENDS]) if has_sentences else 1
        parts[name] = {"sentences": sentences, "tokens": tokens, "unknown": unknown / max(tokens, 1)}
        lacking += unknown
    totals = {name: sum(part[name] for part in parts.values()) for name in ("tokens", "sentences")}
    return {**totals, "coverage": 1 - lacking / max(totals["tokens"], 1), "different": len(numbering), "parts": parts}
