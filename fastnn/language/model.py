"""What one does with a trained language model: predict, write, judge and compare words."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.hints.habits import Hinted, hinted_as
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.common.validation import whole_number
from fastnn.language.of_text import OfText
from fastnn.language.reading import Reading, reading_of
from fastnn.language.scoring import scored
from fastnn.loading import MODEL, load, with_vocabulary
from fastnn.models import Model
from fastnn.nn.layers import Embedding
from fastnn.text.neighbours import directions, nearest
from fastnn.text.sampling import Sampling
from fastnn.text.scoring import Score, pieces
from fastnn.text.vectors import BINARY_ENDING, write_vectors
from fastnn.text.vocabulary import SPECIALS


class LanguageModel(OfText, Hinted):
    """A model that predicts the next word of a text from the `context` words before it.

    Args:
        model: One whose `preprocessing` is `fn.Words`, with a softmax over the words as output, as `fastnn train
            trigram` leaves it.

    Raises:
        DataError: For any other model.

    Examples:
        >>> layers = [fn.Embedding(6, 8, name="table"), fn.Flatten(), fn.Dense(6)]
        >>> words = fn.Words(["<unk>", "<s>", "</s>", "the", "old", "man"])
        >>> model = fn.LanguageModel(fn.Sequential(layers, input_shape=3, preprocessing=words))
        >>> len(model.predict("the old man", 3))  # the likeliest next words, and their probabilities
        3
        >>> text = model.generate("the old man", words=20, top_p=0.9, seed=1)
        >>> perplexity = model.score("the old man the old.").perplexity
        >>> near = model.neighbours("man")
        >>> left_out = model.export("vectors.bin")
    """

    _holds_more = True

    def __init__(self, model: Model):
        super().__init__(model)  # of its own: Python 3.10 would say that it takes anything

    @classmethod
    @hinted_as("LanguageModel.load")
    def load(cls, path: str | os.PathLike[str]) -> "LanguageModel":
        """The language model of a file that `save` wrote, or of a run's folder.

        Args:
            path: The file or the folder.

        Raises:
            FileFormatError: If the file is missing or damaged.
            DataError: If its model is none of language.
        """
        found = Path(path)
        return cls(with_vocabulary(load(found / MODEL if found.is_dir() else found)))

    @hinted_as("LanguageModel.save")
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to an HDF5 file, whole or not at all: `fn.load` reads it, too.

        Args:
            path: The file; one that is there is replaced.

        Raises:
            FileFormatError: If the path cannot be written.
        """
        self.model.save(Path(path))

    @property
    def vectors(self) -> NDArray[Any]:
        """The words' vectors, (V, D), a view.

        Raises:
            DataError: If the model has none.
        """
        for name, layer in self.model.network.owners.items():
            if isinstance(layer, Embedding):
                return self.model.parameters[f"{name}.w"][: len(self.vocabulary)]
        raise DataError("the model has no Embedding, so its words have no vectors")

    @hinted_as("LanguageModel.predict")
    def predict(self, text: str, n: int = 10) -> list[tuple[str, float]]:
        """The `n` likeliest next words after a text, and their probabilities.

        Args:
            text: Of which the last words count; a GRU reads those of earlier sentences, too.
            n: How many words.

        Raises:
            DataError: For a text that is too short, if the model knows no beginning of sentences.
        """
        reading = self._reading
        p = reading.scores(reading.begin(text, self._sentences(text)), logits=False)
        order = np.argsort(-p, kind="stable")[: whole_number("n", n)]
        return [(self.vocabulary.words[i], float(p[i])) for i in order]

    @hinted_as("LanguageModel.generate")
    def generate(
        self,
        text: str = "",
        words: int = 50,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The text, continued by `words` words. The same arguments give the same text.

        Args:
            text: The first words; none: from the beginning of a sentence.
            words: How many tokens are written; the end of a sentence is none.
            temperature: Below 1: likelier words, 0: always the likeliest; above 1: rarer words.
            top_k: Only the k likeliest words.
            top_p: Only the likeliest words that together have this probability.
            seed: Chooses the words.

        Raises:
            DataError: For a text that is too short, if the model knows no beginning of sentences.
            TypeError: For numbers of another kind, as of `fastnn.text.sampling.Sampling`.
            ValueError: For numbers out of range, as of `fastnn.text.sampling.Sampling`.
        """
        chosen, rng = Sampling(temperature, top_k, top_p), random.generator(seed, "generate")
        sentences, reading = self._sentences(text), self._reading
        ids = reading.begin(text, sentences)
        for _ in range(whole_number("words", words)):
            drawn = chosen.draw(reading.scores(ids), rng, self._never(may_end=bool(sentences[-1])))
            if drawn == self.vocabulary.end:
                sentences.append([])
                ids = reading.after_sentence(ids)
                drawn = chosen.draw(reading.scores(ids), rng, self._never(may_end=False))
            sentences[-1].append(self.vocabulary.words[drawn])
            ids = reading.after(ids, drawn)
        return self.tokenizer.text_of(sentences)

    def told_unknown(self, text: str) -> list[str]:
        """A line that names the words of a text that are read as `<unk>`, for people; none, if there are none.

        Args:
            text: Any text.
        """
        return self._described.told_unknown(_text(text))

    @hinted_as("LanguageModel.score")
    def score(self, text: str) -> Score:
        """The surprisal of each word of a text, and its perplexity.

        Words that have no id count as `<unk>`; a model without that predicts neither them nor those after them.
        Either makes texts with many unknown words look easy.

        Args:
            text: Any text.

        Raises:
            DataError: For a text without a word that can be predicted.
        """
        found = Score.together(
            scored(self.model, self.vocabulary, part) for part in pieces(self.tokenizer.sentences(_text(text)))
        )
        if not found.words:
            raise DataError("the text has no words")
        if not found.predicted:
            raise DataError(
                f"none of the text's {plural(found.words, 'word')} can be predicted: it takes a word of the vocabulary "
                f"after {self.context} others"
            )
        return found

    @hinted_as("LanguageModel.neighbours")
    def neighbours(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The `n` words whose vectors, less the mean of all, have the highest cosine to that of a word.

        Args:
            word: Of the vocabulary.
            n: How many words.

        Returns:
            The words and their cosines, the highest first.

        Raises:
            DataError: For a word that the vocabulary lacks; it names words that are spelt alike.
        """
        count, row = whole_number("n", n), self.vocabulary.id_of(_text(word))
        if row is None or (row == self.vocabulary.unknown and word != self.vocabulary.words[row]):
            usual = [one for one in self.vocabulary.words if one not in SPECIALS]
            raise DataError(
                f"the word {word!r:.60} is not among the {len(usual):,} of the vocabulary; {near(word.lower(), usual)}"
            )
        specials = [i for i in (self.vocabulary.unknown, self.vocabulary.start, self.vocabulary.end) if i is not None]
        return [
            (self.vocabulary.words[i], cosine) for i, cosine in nearest(directions(self.vectors), row, count, specials)
        ]

    @hinted_as("LanguageModel.export")
    def export(self, path: str | os.PathLike[str], binary: bool | None = None) -> list[str]:
        """Write the words and their vectors as word2vec does.

        Args:
            path: The file; one that is there is replaced.
            binary: None: if the name ends with .bin. Text holds all digits, the binary form float32.

        Returns:
            The words that no such file can hold: those with white space in them.

        Raises:
            DataError: If the model has no vectors.
            FileFormatError: If the path cannot be written.
        """
        as_binary = os.fspath(path).lower().endswith(BINARY_ENDING) if binary is None else binary
        return write_vectors(path, self.vocabulary.words, self.vectors, as_binary)

    def _sentences(self, text: str) -> list[list[str]]:
        """The words of each sentence of a text; one without words, if there is none."""
        return list(self.tokenizer.sentences(_text(text))) or [[]]

    @property
    def _reading(self) -> Reading:
        return reading_of(self.model, self._described)

    def _never(self, may_end: bool) -> list[int]:
        """The ids that are not written; may_end: whether a sentence may end here."""
        known = self.vocabulary
        never = [known.unknown, known.start, None if may_end and known.start is not None else known.end]
        return [i for i in never if i is not None]

    def __repr__(self) -> str:
        before = f"at most {self.context}" if self.is_recurrent else self.context
        return f"<LanguageModel of {len(self.vocabulary):,} words, each from {before} before it>"


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"expected a text, got {type(given).__name__}")
    return given
