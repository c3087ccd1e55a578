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
from fastnn.common.text import SPLITS
from fastnn.text.bpe import ENDING, rules_in
from fastnn.text.corpus import Path, TextFile, TextInMemory, files_of
from fastnn.text.tokens import Kind, Sentences, Tokenizer

log = logging.getLogger(__name__)

Paths = Path | Sequence[Path]

FRACTION = 0.1  # of the training sentences, for validation and for testing each, unless files are given for them
DRAWN = "text split"
LEAST = {"vocabulary_size": 4, "order": 2, "min_count": 1}


@dataclass(frozen=True)
class Texts:
    """The files of each split, in the order of SPLITS: at least one for training, of others maybe none.

    name      : what messages call them all
    in_memory : texts for training, in the place of files
    """

    files: tuple[list[str], list[str], list[str]]
    name: str
    in_memory: Sequence[TextInMemory] = ()

    @classmethod
    def given(
        cls, train: Paths | None, val: Paths | None, test: Paths | None, texts: Sequence[TextInMemory] = ()
    ) -> "Texts":
        """The files of these paths. FileFormatError for a folder without any; a warning for one of two splits.

        texts : in memory, to train on; `train` is None then
        """
        paths = [*map(_listed, (train, val, test))]
        if not paths[0] and not texts:
            raise DataError("there is no path of a text to train on, expected at least one; or give texts=")
        _check_there(paths[0])
        names = ["texts"] if texts else []
        found = cls(
            tuple(files_of(one) for one in paths),  # type: ignore[arg-type]
            ", ".join([*names, *(os.fspath(one) for some in paths for one in some)]),
            texts,
        )
        for line in found.twice():
            log.warning("%s", line)
        return found

    def readers(self) -> list[list[TextFile]]:
        """What reads the texts of each split."""
        train, *others = ([TextFile(name) for name in names] for names in self.files)
        return [[*self.in_memory, *train], *others]

    def twice(self) -> list[str]:
        """A line for each file that is in two splits."""
        places: dict[str, dict[str, str]] = {}
        for split, files in zip(SPLITS.values(), self.files, strict=True):
            for name in files:
                places.setdefault(os.path.realpath(name), {})[split] = name
        return [
            f"{next(iter(found.values()))!r} is both {' and '.join(found)} text: figures on it say nothing of new text"
            for found in places.values()
            if len(found) > 1
        ]

    def shares(self, largest: float = FRACTION) -> NDArray[np.float64]:
        """Which fractions of the training text the training split, and that and the validation split, are.

        largest : of a split for which no files are given
        """
        val, test = (0.0 if files else largest for files in self.files[1:])
        # 0.8 as such, not 1 − 0.1 − 0.1: the last bit decides where a sentence is.
        train = 1.0 - val - test if largest != FRACTION else 0.8 + FRACTION * ((val == 0) + (test == 0))
        return np.cumsum((train, val))


@dataclass(frozen=True)
class Asked:
    """How texts are to be read, and which tokens get ids: the arguments of `load_text`. DataError out of range."""

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
            if found[name] < least:
                why = " (<unk>, <s>, </s> and a word)" if name == "vocabulary_size" else ""
                raise DataError(f"{name}={found[name]}, expected at least {least}{why}")

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


def _check_there(paths: Sequence[Path]) -> None:
    """FileFormatError for strings that name no file: they may be texts themselves."""
    if missing := next((one for one in paths if isinstance(one, str) and not os.path.exists(one)), None):
        raise FileFormatError(
            f"{missing!r:.300} does not exist, expected a file or a folder; a text itself is given as texts="
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
    """The number of the split of each of these sentences, (sentences,): just so many are in each."""
    # Ranks of uniform numbers, and not NumPy's shuffle, whose algorithm may change with its version.
    uniform = random.generator(seed, DRAWN).random(sentences)
    rank = np.argsort(np.argsort(uniform, kind="stable"), kind="stable") / max(sentences, 1)
    return np.searchsorted(shares, rank, side="right")
