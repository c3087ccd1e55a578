"""A neural language model: the fourth word from the three before it, over 250 words.

The network of the report: an embedding of width D for each word, P sigmoid units, a softmax over the
vocabulary, trained by stochastic gradient descent with momentum and stopped on the validation
cross-entropy. Nothing is ever one-hot: rows are gathered on the way in and their gradients summed by
row on the way back.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastnn import random
from fastnn.data import Dataset, Split, load_trigram
from fastnn.initializers import INITIALIZERS, Normal, get
from fastnn.language import top_words
from fastnn.layers import Dense, Embedding, Flatten, Layer, Sum
from fastnn.model import Sequential
from fastnn.optimizers import SGD
from fastnn.recipes.base import Recipe, Settings, setting

EXAMPLES = 5
QUICK_SAMPLES = 40_000


@dataclass(frozen=True)
class TrigramSettings(Settings):
    epochs: int = setting(50, "passes over the training data, at most", least=1)
    sizes: str = setting("32x256", "embedding width x hidden units")
    combine: str = setting("concatenate", "what becomes of the three embeddings", choices=("concatenate", "sum"))
    lr: float = setting(0.15, "learning rate", least=0)
    momentum: float = setting(0.85, "momentum, below 1", least=0)
    batch_size: int = setting(200, "samples a step", least=1)
    patience: int = setting(5, "stop after so many epochs without a lower validation cross-entropy", least=1)
    initializer: str = setting(
        "normal", "of weights and biases; normal has deviation .01", choices=tuple(sorted(INITIALIZERS))
    )


def load(path: Path | None, quick: bool) -> Dataset:
    data = load_trigram(path)
    if not quick:
        return data
    parts: dict[str, Any] = {name: _first(split, QUICK_SAMPLES) for name, split in data.splits().items()}
    return replace(data, **parts)


def _first(split: Split, count: int) -> Split:
    return Split(split.x[:count], split.y[:count])


def build(settings: TrigramSettings, data: Dataset) -> tuple[Sequential, SGD]:
    width, hidden = _sizes(settings.sizes)
    words = data.meta["words"]
    start = Normal(0.01) if settings.initializer == "normal" else get(settings.initializer)
    combine: Layer = Flatten() if settings.combine == "concatenate" else Sum()
    model = Sequential(
        [
            Embedding(len(words), width, start),
            combine,
            Dense(hidden, "sigmoid", start, start),
            Dense(len(words), "identity", start, start),
        ],
        input_shape=(data.train.x.shape[1],),
        loss="softmax_cross_entropy",
        dtype=settings.dtype,
        seed=settings.seed,
    )
    model.meta = {"recipe": "trigram", "words": list(words)}
    return model, SGD(settings.lr, momentum=settings.momentum)


def _sizes(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or "0" in match.groups():
        raise ValueError(f"--sizes is {text!r}, expected embedding width x hidden units, such as 32x256")
    return int(match[1]), int(match[2])


def closing(model: Sequential, data: Dataset, settings: TrigramSettings) -> tuple[str, list[str]]:
    """For five test trigrams the true next word and the ten that the model finds most likely."""
    words = data.meta["words"]
    test = data.splits()["test"]
    chosen = random.stream(settings.seed, "examples").choice(len(test), min(EXAMPLES, len(test)), replace=False)
    lines = []
    for row, label, ranked in zip(test.x[chosen], test.y[chosen], top_words(model, test.x[chosen]), strict=True):
        guesses = ", ".join(f"{word} {100 * probability:.0f} %" for word, probability in ranked)
        lines.append(f"{' '.join(words[i] for i in row)} [{words[label]}]: {guesses}")
    return "next words of five test trigrams, the true one in brackets", lines


RECIPE = Recipe(
    id="trigram",
    title="neural language model: the fourth word from three, vocabulary 250, no one-hot tensor",
    settings=TrigramSettings(),
    quick={"epochs": 8, "batch_size": 50},
    seed_figures={"train_accuracy": 0.37, "val_accuracy": 0.34, "test_accuracy": 0.3339},
    load=load,
    build=build,
    closing=closing,
)
