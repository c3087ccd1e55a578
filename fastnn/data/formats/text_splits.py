"""Texts of a user: which files are for training, validation and test, and which sentences, where no files are given."""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.shown import in_line
from fastnn.common.text import SPLITS
from fastnn.common.validation import any_whole_number
from fastnn.text.bpe import ENDING, rules_in
from fastnn.text.corpus import Path, TextFile, TextInMemory, files_of, in_memory
from fastnn.text.tokens import Kind, Sentences, Tokenizer

log = logging.getLogger(__name__)

Paths = Path | Sequence[Path]

FRACTION = 0.1  # of the training sentences, for validation and for testing each, unless files are given for them
DRAWN = "text split"
ARGUMENTS = {"path": "texts", "val": "val_texts", "test": "test_texts"}  # of paths, and of texts in memory
LEAST = {"vocabulary_size": 4, "order": 2, "min_count": 1}


@dataclass(frozen=True)
class Texts:
    """The texts of each split, in the order of SPLITS: at least one for training, of others maybe none.

    files     : those in files
    name      : what messages call them all
    in_memory : those in memory
    """

    files: Sequence[Sequence[str]]
    name: str
    in_memory: Sequence[Sequence[TextInMemory]] = ((), (), ())

    @classmethod
    def given(cls, paths: Sequence[Paths | None], texts: Sequence[Any] = (None, None, None)) -> "Texts":
        """The texts that a user means: for each split paths or texts in memory, neither, but not both.

        FileFormatError for a folder without files, and strings that name none; TypeError or DataError as `in_memory`
        for `texts`; a warning for a file of two splits.
        """
        for given, memory, (path, argument) in zip(paths, texts, ARGUMENTS.items(), strict=True):
            if given is not None and memory is not None:
                raise TypeError(
                    f"both {path} and {argument} are given, expected one of them: {argument} are in memory, {path} "
                    "names files"
                )
        listed = [*map(_listed, paths)]
        held = [in_memory(one, argument) for one, argument in zip(texts, ARGUMENTS.values(), strict=True)]
        if not listed[0] and not held[0]:
            raise DataError("there is no path of a text to train on, expected at least one; or give texts=")
        for some, argument in zip(listed, ARGUMENTS.values(), strict=True):
            _check_there(some, argument)
        names = [argument for some, argument in zip(held, ARGUMENTS.values(), strict=True) if some]
        files = [files_of(one) for one in listed]
        found = cls(files, ", ".join([*names, *(os.fspath(one) for some in listed for one in some)]), held)
        for line in found.twice():
            log.warning("%s", line)
        return found

    def readers(self) -> list[list[TextFile]]:
        """What reads the texts of each split."""
        return [[*held, *map(TextFile, names)] for held, names in zip(self.in_memory, self.files, strict=True)]

    def twice(self) -> list[str]:
        """A line for each file that is in two splits, and for the texts in memory that are in the same two."""
        places: dict[str, dict[str, str]] = {}
        for split, files in zip(SPLITS.values(), self.files, strict=True):
            for name in files:
                places.setdefault(os.path.realpath(name), {})[split] = name
        return [
            f"{next(iter(found.values()))!r} is both {' and '.join(found)} text: figures on it say nothing of new text"
            for found in places.values()
            if len(found) > 1
        ] + self._texts_twice()

    def _texts_twice(self) -> list[str]:
        places: dict[str, dict[str, str]] = {}
        for split, held in zip(SPLITS.values(), self.in_memory, strict=True):
            for one in held:
                places.setdefault(one.text, {}).setdefault(split, one.name)
        names: dict[str, list[str]] = {}
        for found in places.values():
            if len(found) > 1:
                names.setdefault(" and ".join(found), []).append(next(iter(found.values())))
        return [
            f"{len(same):,} texts, as {same[0]}, are both {splits} text: figures on them say nothing of new text"
            if same[1:]
            else f"{same[0]} is both {splits} text: figures on it say nothing of new text"
            for splits, same in names.items()
        ]

    def shares(self, largest: float = FRACTION) -> NDArray[np.float64]:
        """Which fractions of the training text the training split, and that and the validation split, are.

        largest : of a split for which no texts are given
        """
        val, test = (0.0 if texts else largest for texts in self.readers()[1:])
        # 0.8 as such, not 1 − 0.1 − 0.1: the last bit decides where a sentence is.
        train = 1.0 - val - test if largest != FRACTION else 0.8 + FRACTION * ((val == 0) + (test == 0))
        return np.cumsum((train, val))


def _are_words(given: Any) -> bool:
    """Whether it is a list of texts; of a set, the ids would differ from process to process."""
    return isinstance(given, list | tuple | np.ndarray) and all(isinstance(word, str) for word in given)


@dataclass(frozen=True)
class Asked:
    """How texts are to be read, and which tokens get ids: the arguments of `load_text`.

    DataError out of range, TypeError for arguments of another kind.
    """

    vocabulary_size: int
    min_count: int
    kind: Kind
    lower: bool
    sentences_end: Sentences | Literal["auto"]
    seed: int
    words: Sequence[str] | None
    rules: str = ""

    def check(self, order: int) -> None:
        found = {"vocabulary_size": self.vocabulary_size, "order": order, "min_count": self.min_count}
        for name, least in LEAST.items():
            if any_whole_number(name, found[name]) < least:
                why = " (<unk>, <s>, </s> and a word)" if name == "vocabulary_size" else ""
                raise DataError(f"{name}={found[name]}, expected at least {least}{why}")
        if not (self.words is None or _are_words(self.words)):
            raise TypeError(f"words is {in_line(self.words)}, expected a list of tokens, by id")

    def meta(self, given: Texts, tokenizer: Tokenizer, words: Sequence[str], kept: float) -> dict[str, Any]:
        """What `load_text` says of the texts in meta, beside their counts.

        words : the vocabulary. kept : the fraction of the n-grams that are kept
        """
        return {
            "words": list(words),
            "tokenizer": tokenizer.config(),
            "source": given.name,
            "true_entropy": None,
            "kept": kept,
            "asked": None if self.words is not None else (self.vocabulary_size, self.min_count),
            "twice": given.twice(),
        }


def _listed(given: Paths | None) -> list[Path]:
    """A path, or several, as a list. TypeError for what is neither."""
    if given is None:
        return []
    if isinstance(given, str | os.PathLike):
        return [given]
    found = [*given] if isinstance(given, Iterable) else [given]
    if wrong := next((one for one in found if not isinstance(one, str | os.PathLike)), None):
        raise TypeError(f"the path of a text is {wrong!r:.60}, expected a file, a folder, or a list of them")
    return found


def _check_there(paths: Sequence[Path], argument: str) -> None:
    """FileFormatError for strings that name no file: they may be texts themselves, which are given as `argument`."""
    if missing := next((one for one in paths if isinstance(one, str) and not os.path.exists(one)), None):
        raise FileFormatError(
            f"{missing!r:.300} does not exist, expected a file or a folder; a text itself is given as {argument}="
        )


def tokens_of(kind: Kind | Path, lower: bool, rules: str) -> tuple[Kind, bool, str]:
    """Kind, lower and rules of a `Tokenizer`; a `kind` that is a file has rules of its own, also for letters' case.

    Errors as of `rules_in`.
    """
    name = os.fspath(kind)
    if name.lower().endswith(ENDING):
        return "bpe", False, rules_in(name)
    return name, lower, rules  # type: ignore[return-value]  # another kind is the tokenizer's error


def dealt(sentences: int, shares: NDArray[np.float64], seed: int) -> NDArray[np.integer[Any]]:
    """The number of the split of each of these sentences, (sentences,): each split has its share exactly."""
    # Ranks of uniform numbers, and not NumPy's shuffle, whose algorithm may change with its version.
    uniform = random.generator(seed, DRAWN).random(sentences)
    rank = np.argsort(np.argsort(uniform, kind="stable"), kind="stable") / max(sentences, 1)
    return np.searchsorted(shares, rank, side="right")
