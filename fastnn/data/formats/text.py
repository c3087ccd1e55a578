"""Plain text to n-grams: the most frequent tokens as vocabulary, splits by sentence."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.text import SPLITS, plural
from fastnn.data.dataset import CompleteDataset, Split, id_dtype
from fastnn.data.formats.text_splits import Asked, Paths, Texts, dealt, tokens_of
from fastnn.data.formats.text_to_ids import file_for, load_text_file
from fastnn.text.corpus import Path
from fastnn.text.numbered import Ids, Numbered, numbered, windows
from fastnn.text.tokens import Kind, Sentences
from fastnn.text.vocabulary import Vocabulary

log = logging.getLogger(__name__)

VOCABULARY, MIN_COUNT = 2_000, 2


def load_text(
    path: Paths | None = None,
    vocabulary_size: int = VOCABULARY,
    order: int = 4,
    seed: int = 0,
    words: Sequence[str] | None = None,
    min_count: int = MIN_COUNT,
    kind: Kind | Path = "words",
    lower: bool = True,
    sentences_end: Sentences | Literal["auto"] = "auto",
    val: Paths | None = None,
    test: Paths | None = None,
    ids_file: Path | Literal["auto"] | None = None,
    rules: str = "",
    texts: str | Iterable[str] | None = None,
    val_texts: str | Iterable[str] | None = None,
    test_texts: str | Iterable[str] | None = None,
) -> CompleteDataset:
    """Read text and cut it into n-grams: x (N, order − 1) and y (N,), ids from 0, most frequent token first.

    Every token of a sentence is the last of an n-gram, and so is `</s>`, the end of the sentence: before the first ones
    stands `<s>`. A token without an id is `<unk>`. If `words` lack `<s>` or `<unk>`, then only n-grams of tokens with
    ids are kept that lie inside a sentence.

    meta: `words`, `tokenizer` (its configuration), `source`, `true_entropy` (None), `coverage` (the fraction of the
    tokens that have ids of their own), `kept` (the fraction of the n-grams that are kept), `tokens`, `different` and
    `sentences` (their numbers), `encodings` (of the files, but UTF-8), `asked` (vocabulary_size and min_count; None
    with `words`), `parts` (split: its `sentences`, `tokens` and `unknown`, the fraction of the tokens without an id),
    `twice` (a line for each file that is in two splits; it is a warning, too).

    A text that is larger than memory needs an `ids_file`, into which it is turned once, at about 2 million words a
    second; x and y of the training split are streams then, which read it while a model is trained. Of the training text
    at most 6 MB are for validation and 6 MB for testing. The file takes two bytes for a token of a vocabulary of up to
    65,536 words, else four. It is used again as long as the text's files and the arguments stay the same, whatever
    `order` is. `meta["ids_file"]` is its path.

    Args:
        path: A file, a folder, or several of them, of any names: UTF-8, UTF-16 with its mark or Latin-1, packed by gzip
            or not.
        vocabulary_size: How many ids there are at most: those of `<unk>`, `<s>` and `</s>`, and those of the tokens
            that are most frequent in the training sentences; ties are broken by alphabet.
        order: n, the length of an n-gram.
        seed: Decides which sentences are for training (80 %), validation (10 %) and test (10 %).
        words: A vocabulary by id, such as a trained model's, instead of the most frequent tokens.
        min_count: How often a token that has an id is in the training sentences, at least.
        kind: How a text becomes tokens: see `fastnn.text.tokens.Tokenizer`. Or a file that the package `tokenizers`
            wrote, whose name ends with .json.
        lower: Whether letters become small ones: see there, too.
        sentences_end: Where sentences end: at "punctuation" or empty lines, at ends of "lines", nowhere ("none"), or
            "auto", as the text shows. Without sentences the splits are the beginning, the next part and the end of the
            text.
        val: Files and folders of validation texts, which take the place of sentences of the training text.
        test: Of test texts, likewise.
        ids_file: Where the ids of a text that is larger than memory are kept; None: in memory; "auto": in memory, of
            training texts of more than 32 MB in a file in `data_folder()`.
        rules: What such a file holds, for the kind "bpe".
        texts: In the place of `path`: a text in memory, or several of them, each as a file that holds it. A sentence
            ends where a text does.
        val_texts: In the place of `val`, likewise.
        test_texts: In the place of `test`, likewise.

    Raises:
        FileFormatError: If a file is missing or no text, or `ids_file` cannot be written or is another file.
        MissingPackageError: If `kind` is a file, and the package tokenizers is not installed.
        DataError: If the text is too short or an argument is out of range.
        TypeError: If `path` or `texts` are none, or both are given; of `val` and `test` likewise.
        ValueError: For an unknown kind of tokens or of sentences, or a word that is twice in `words`.

    Examples:
        >>> from pathlib import Path
        >>> written = Path("book.txt").write_text("the cat sat on the mat. " * 40, encoding="utf-8")
        >>> fn.data.load_text("book.txt", vocabulary_size=12).train.x.shape[1]
        3
    """
    kind, lower, rules = tokens_of(kind, lower, rules)
    asked = Asked(vocabulary_size, min_count, kind, lower, sentences_end, seed, words, rules)
    asked.check(order)
    given = Texts.given((path, val, test), (texts, val_texts, test_texts))
    if given.in_memory[0]:
        if ids_file not in (None, "auto"):
            raise DataError("ids_file is for texts in files: those of texts= are in memory, and so are their ids")
        return _in_memory(given, asked, order)
    if ids_file == "auto":
        ids_file = file_for(given, asked)
    if ids_file is not None:
        return load_text_file(ids_file, given, asked, order)
    return _in_memory(given, asked, order)


def _in_memory(given: Texts, asked: Asked, order: int) -> CompleteDataset:
    """What `load_text` gives without a file of ids."""
    read, fixed = _in_parts(numbered(given.readers(), asked.kind, asked.lower, asked.sentences_end, asked.rules), given)
    vocabulary = Vocabulary(asked.words) if asked.words is not None else _counted(read, fixed, given, asked)
    ids = read.ids(vocabulary)
    grams, origin, kept = _known_grams(ids, read, vocabulary, order)
    split = _split_of(np.unique(origin), fixed, given, asked.seed)
    first, second, third = _parts(grams, split[origin], read, given.name)
    meta = asked.meta(given, read.tokenizer, vocabulary.words, kept) | _kept(read, ids, vocabulary, split)
    log.info("read %s: %d tokens, %.1f %% of them in the vocabulary", given.name, len(ids), 100 * meta["coverage"])
    return CompleteDataset(first, second, third, meta)


def _known_grams(ids: Ids, read: Numbered, vocabulary: Vocabulary, order: int) -> tuple[Ids, Ids, float]:
    """The n-grams of tokens with ids (N, order), the sentence of each (N,), and the fraction of all that they are."""
    grams, origin = windows(ids, read.lengths, order, vocabulary.start, vocabulary.end)
    known = (grams < len(vocabulary)).all(axis=1)
    kept = grams[known].astype(id_dtype(len(vocabulary)))
    return kept, origin[known], len(kept) / max(len(grams), 1)


def _in_parts(read: Numbered, given: Texts) -> tuple[Numbered, Ids]:
    """The same, and the number of the split of each sentence, (S,), −1 where it is to be drawn.

    A training text without sentences is cut into three parts that stand for the splits.
    """
    fixed = np.where(read.groups == 0, -1, read.groups)
    if read.tokenizer.sentences_end != "none":
        return read, fixed
    size, others = int(read.lengths[read.groups == 0].sum()), read.groups > 0
    ends = np.array([*(given.shares() * size).astype(np.int32), size], np.int32)
    lengths = np.concatenate([np.diff(ends, prepend=np.int32(0)), read.lengths[others]])
    splits = np.concatenate([np.arange(len(SPLITS)), fixed[others]])
    return replace(read, lengths=lengths[lengths > 0], groups=splits[lengths > 0]), splits[lengths > 0]


def _split_of(sentences: Ids, fixed: Ids, given: Texts, seed: int) -> Ids:
    """The number of the split of each sentence of the text, (S,); −1 of those that are not among `sentences`."""
    split = np.full(len(fixed), -1)
    split[sentences] = fixed[sentences]
    drawn = sentences[fixed[sentences] < 0]
    split[drawn] = dealt(len(drawn), given.shares(), seed)
    return split


def _counted(read: Numbered, fixed: Ids, given: Texts, asked: Asked) -> Vocabulary:
    """The vocabulary of the training sentences."""
    train = _split_of(np.arange(len(read.lengths)), fixed, given, asked.seed) == 0
    sentences = None if read.tokenizer.sentences_end == "none" else int(train.sum())
    if not len(read.tokens):
        raise DataError(f"{given.name!r} is too small: found 0 tokens")
    try:
        return Vocabulary.of_counts(read.counts(train), asked.vocabulary_size, asked.min_count, sentences)
    except DataError as error:
        raise DataError(f"{given.name!r} is too small: found {_found(read)}; {error}") from None


def _found(read: Numbered) -> str:
    return f"{plural(len(read.tokens), 'token')} in {plural(len(read.lengths), 'sentence')}"


def _parts(grams: Ids, split: Ids, read: Numbered, name: str) -> list[Split]:
    """Training, validation and test split: each sentence is in one of them, with all its n-grams."""
    parts = [grams[split == i] for i in range(len(SPLITS))]
    if not all(map(len, parts)):
        told = ", ".join(f"{split} {len(part):,}" for split, part in zip(SPLITS.values(), parts, strict=True))
        raise DataError(
            f"{name!r} is too small: found {_found(read)}, {len(grams):,} {grams.shape[1]}-grams of known words, "
            f"expected enough for a training, a validation and a test set, which have {told}"
        )
    return [Split(np.ascontiguousarray(part[:, :-1]), np.ascontiguousarray(part[:, -1])) for part in parts]


def _kept(read: Numbered, ids: Ids, vocabulary: Vocabulary, split: Ids) -> dict[str, Any]:
    """What `load_text` says of the text in meta."""
    lacking = (ids == len(vocabulary)) | (ids == vocabulary.unknown)
    of_token = np.repeat(split, read.lengths)
    parts = {}
    for number, name in enumerate(SPLITS):
        chosen = of_token == number
        unknown = float(lacking[chosen].mean())
        parts[name] = {"sentences": int((split == number).sum()), "tokens": int(chosen.sum()), "unknown": unknown}
    return {
        "coverage": 1 - float(lacking.mean()),
        "tokens": len(ids),
        "different": len(read.names),
        "sentences": len(read.lengths),
        "encodings": read.encodings,
        "parts": parts,
    }
