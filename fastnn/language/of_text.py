"""Language models that come from a text: made for it, and trained on it."""

import os
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from fastnn.common.errors import DataError
from fastnn.common.hints.habits import hinted_as
from fastnn.common.text import plural
from fastnn.common.validation import whole_number
from fastnn.data.dataset import CompleteDataset
from fastnn.data.formats.text import MIN_COUNT, load_text
from fastnn.data.formats.text_splits import Paths
from fastnn.data.preprocessing import Words
from fastnn.data.spans import in_spans
from fastnn.language.network import LENGTH, network_of, trained
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.text.tokens import Kind, Sentences, Tokenizer
from fastnn.text.vocabulary import Vocabulary
from fastnn.training.callbacks import Callback
from fastnn.training.fit.settings import Verbose
from fastnn.training.history import History
from fastnn.training.models.model import Predictor

PAIR = 2  # words of the n-grams of which rows are made: a word and the one before it
Made = TypeVar("Made", bound="OfText")


class OfText:
    """A model of words, which reads texts to train on. Errors as of `fn.LanguageModel`."""

    def __init__(self, model: Model):
        self._described = _words_of(model)
        self.model = model
        self.data: CompleteDataset | None = None  # of `from_text`

    @classmethod
    @hinted_as("LanguageModel.from_text")
    def from_text(
        cls: type[Made],
        path: Paths | None = None,
        *,
        texts: str | Iterable[str] | None = None,
        val: Paths | None = None,
        test: Paths | None = None,
        val_texts: str | Iterable[str] | None = None,
        test_texts: str | Iterable[str] | None = None,
        vocabulary: int = 10_000,
        min_count: int = MIN_COUNT,
        order: int | None = None,
        tokens: Kind | str | os.PathLike[str] = "words",
        lower: bool = True,
        sentences: Sentences | Literal["auto"] = "auto",
        width: int = 96,
        hidden: int = 256,
        vectors: str | os.PathLike[str] | None = None,
        seed: int = 0,
    ) -> Made:
        """An untrained model of a text, which `fit` trains on it.

        It has embeddings, an `fn.GRU` and a softmax at each word: of the networks that were tried, it was the best on
        two books. It reads rows of 64 words, and remembers what it has read of a row. A large vocabulary, from 5,000
        words on, is trained by an `fn.SampledSoftmax`. Texts of more than 32 MB are read from a file while the model is
        trained: see `ids_file` of `fn.data.load_text`.

        Args:
            path: A file, a folder, or several of them.
            texts: In the place of `path`: a text in memory, or a list of them, each as a file that holds it. A sentence
                ends where a text does.
            val: Files or folders of texts to validate on; None: a tenth of the sentences.
            test: Of texts to test on; None: a tenth of the sentences.
            val_texts: In the place of `val`, in memory, as `texts`.
            test_texts: In the place of `test`, likewise.
            vocabulary: How many ids there are at most.
            min_count: How often a word that has an id occurs, at least.
            order: None, or another network, which predicts a word from the order − 1 words before it, through a hidden
                layer and a residual block.
            tokens: What is predicted: "words", "spaces", "characters" or "bytes", or the tokens of a .json file that
                the package `tokenizers` wrote.
            lower: Whether letters become small ones.
            sentences: Where sentences end: as of `fn.data.load_text`.
            width: How many numbers a word's vector has.
            hidden: How many units the GRU has, or the hidden layer and each of the two of the residual block.
            vectors: A file of word vectors to start from, such as `export` writes; None: random ones.
            seed: Of the splits, the initial values, and of everything random in training.

        Raises:
            FileFormatError: If a file is missing or damaged, or a text is none.
            DataError: If the text is too short, an argument is out of range, or `vectors` have another width.
            TypeError: If `path` or `texts` are none, or both are given; of `val` and `test` likewise.
            ValueError: For unknown `tokens` or `sentences`.
            MissingPackageError: If `tokens` is a file, and the package tokenizers is not installed.

        Examples:
            >>> from pathlib import Path
            >>> written = Path("book.txt").write_text("the cat sat on the mat. " * 40, encoding="utf-8")
            >>> model = fn.LanguageModel.from_text("book.txt", vocabulary=1_000, order=3, width=4, hidden=8)
            >>> history = model.fit(epochs=2)
            >>> len(model.predict("the cat", 3))
            3
        """
        text = {"kind": tokens, "lower": lower, "sentences_end": sentences, "val": val, "test": test, "seed": seed}
        given: dict[str, Any] = {"min_count": min_count, "ids_file": "auto", **text}
        given |= {"texts": texts, "val_texts": val_texts, "test_texts": test_texts}
        data = load_text(path, vocabulary, PAIR if order is None else order, **given)
        if order is None:
            data = in_spans(data, LENGTH)
        model = cls(network_of(data, whole_number("width", width), whole_number("hidden", hidden), vectors, seed))
        model.data = data
        return model

    @hinted_as("LanguageModel.fit")
    def fit(
        self,
        path: Paths | None = None,
        *,
        texts: str | Iterable[str] | None = None,
        val: Paths | None = None,
        val_texts: str | Iterable[str] | None = None,
        epochs: int = 10,
        optimizer: OptimizerName | Optimizer | None = None,
        batch_size: int | None = None,
        patience: int | None = 2,
        callbacks: Iterable[Callback] = (),
        verbose: Verbose = "auto",
    ) -> History:
        """Train on the text that the model was made of, or on another one.

        Args:
            path: A file, a folder, or several of them, of which words without an id are `<unk>`; None: the texts that
                were given to `from_text`.
            texts: In the place of `path`: a text in memory, or a list of them.
            val: Files or folders of texts to validate on, beside `path` or `texts`; None: a tenth of the sentences.
            val_texts: In the place of `val`, in memory, as `texts`.
            epochs: How many times the text is gone through, at most.
            optimizer: As of `fit` of a model; None: Adam at a rate of 0.008, or 0.002 without a GRU, which falls to 0
                along half a cosine until the last epoch.
            batch_size: Samples a step; None: 16 rows of words, fewer of a short text, or 200 samples of one word
                without a GRU.
            patience: Stop when the validation loss has not fallen for this number of epochs, and keep the best weights;
                None: go through all epochs, and keep the last weights.
            callbacks: What watches the training.
            verbose: As of `fit` of a model.

        Returns:
            The record of all trainings so far.

        Raises:
            DataError: If there is no text, or it is too short, or there is one to validate on alone.
            FileFormatError: If a file is missing or no text.
            TypeError: As `fit` of a model does; and as of `from_text`.
            ValueError: As `fit` of a model does.
            NonFiniteError: When the loss is no longer finite.
        """
        data = self._read(path, val, texts=texts, val_texts=val_texts)
        return trained(self.model, data, optimizer, epochs, batch_size, patience, callbacks, verbose)

    def _read(self, path: Paths | None, val: Paths | None, **in_memory: Any) -> CompleteDataset:
        """A text as the model reads it; that of `from_text` where none is given. DataError if there is none."""
        known = self.vocabulary
        if path is None and in_memory["texts"] is None:
            if val is not None or in_memory["val_texts"] is not None:
                raise DataError("val and val_texts go with a text to train on: give them to from_text, or a path, too")
            if self.data is None:
                raise DataError(
                    "there is no text to train on: give its path, or texts=, or make the model by "
                    "LanguageModel.from_text"
                )
            return self.data
        given = self.tokenizer.config() | {"words": known.words, "ids_file": known.ids_file, "val": val} | in_memory
        if not self.is_recurrent:
            return load_text(path, order=self.context + 1, **given)
        return in_spans(load_text(path, order=PAIR, **given), self.context)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words by id."""
        return self._described.known

    @property
    def tokenizer(self) -> Tokenizer:
        """How a text becomes words."""
        return self._described.rules

    @property
    def context(self) -> int:
        """From how many words the next one is predicted: of a recurrent network, at most."""
        return self.model.network.input_shape[0]

    @property
    def is_recurrent(self) -> bool:
        """Whether it predicts each word of a row from all before it, not one word from a number of words."""
        return self.model.network.outputs[0].steps > 0


def _words_of(model: Model) -> Words:
    """The description of the words of a language model. TypeError for what is no model, DataError for another one."""
    if not isinstance(model, Predictor):
        raise TypeError(
            f"LanguageModel takes a model, got {type(model).__name__}; fn.LanguageModel.from_text(path) makes one of a "
            "text, fn.LanguageModel.load(path) reads one"
        )
    network, described = model.network, model.preprocessing
    if not isinstance(described, Words):
        raise DataError(
            f"this is no language model: it takes samples of shape {network.input_shape}, not words (fn.Words); "
            "`fastnn predict` and `fastnn evaluate` take any model, in Python fn.load does"
        )
    width = network.output_width
    if len(network.outputs) > 1 or network.loss.applies != "softmax" or width != len(described.vocabulary):
        raise DataError(
            f"this is no language model: it has {plural(width, 'output')}, expected the probability of each of its "
            f"{len(described.vocabulary)} words"
        )
    return described
