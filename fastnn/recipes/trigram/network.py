"""The network of a language model and its settings: those of the report, and what a user's own text may need beside."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastnn.data import Dataset
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.experiment.settings import setting
from fastnn.language.network import VECTORS, log_shares, residual
from fastnn.models import Model, Sequential
from fastnn.nn.graph import Input
from fastnn.nn.initializers import Initializer, InitializerName, Normal
from fastnn.nn.layers import (
    GRU,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    SampledSoftmax,
    Sum,
)
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.layers.base import Node
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.shared.building import (
    ACTIVATION_NAMES,
    INITIALIZER_NAMES,
    OPTIMIZER_NAMES,
    cosine_of,
    initializer_of,
    optimizer_of,
)
from fastnn.recipes.trigram.text import TextSettings

Block = Callable[[Node], Node]  # what takes a value of the network to the next one, as a layer does


@dataclass(frozen=True)
class TrigramSettings(TextSettings):
    """Those of the report's network, and beside them what a user's own text may need."""

    epochs: int = setting(50, "passes over the training data, at most", least=1)
    sizes: str = setting(
        "32x256",
        "embedding width x hidden units, and x units of a linear layer before the softmax, if there is to be one; "
        "several with commas are trained side by side",
    )
    embedding: str = setting(
        "", "word vectors to start from: .npy, .npz, word2vec's text or .bin; empty: random", is_path=True
    )
    combine: str = setting("concatenate", "how the three embeddings become one vector", choices=("concatenate", "sum"))
    activation: ActivationName = setting("sigmoid", "of the hidden units", choices=ACTIVATION_NAMES)
    softmax_words: int = setting(
        0, "words that a training step draws for its softmax, at least; 0, or as many as there are: all", least=0
    )
    optimizer: str = setting("sgd", "sgd has momentum", choices=OPTIMIZER_NAMES)
    lr: float = setting(0.15, "learning rate", least=0)
    schedule: str = setting(
        "constant",
        "of the learning rate; cosine: up in a twentieth of the steps, then down to 0",
        choices=("constant", "cosine"),
    )
    momentum: float = setting(0.85, "momentum of sgd", least=0, below=1)
    batch_size: int = setting(200, "samples a step", least=1)
    patience: int = setting(5, "stop after this many epochs without a lower validation cross-entropy", least=1)
    max_gap: float = setting(0.0, "stop once validation loss exceeds training loss by this much; 0: never", least=0)
    initializer: InitializerName = setting(
        "normal", "of weights and biases; normal has deviation 0.01", choices=INITIALIZER_NAMES
    )
    l1: float = setting(0.0, "penalty l1·Σ|w|", least=0)
    l2: float = setting(0.0, "penalty ½·l2·Σw²", least=0)
    dropout: float = setting(0.0, "fraction of the hidden units that is dropped", least=0, below=1)
    blocks: int = setting(0, "residual blocks after the hidden layer, each of two layers of its size", least=0)
    input_dropout: float = setting(0.0, "fraction of the embeddings' numbers that is dropped", least=0, below=1)
    batch_norm: bool = setting(False, "normalise the hidden units by batch")


def build(settings: TrigramSettings, data: Dataset) -> tuple[Model, Optimizer]:
    words, of_text = data.meta["words"], "tokenizer" in data.meta
    start = initializer_of(settings.initializer, 0.01)
    vectors = Normal(VECTORS) if of_text else start
    layers = (_recurrent if settings.net == "gru" else _layers)(settings, len(words), vectors, start)
    model = _model(settings, layers, data.train.x.shape[1])
    model.meta = {"recipe": "trigram"}
    if of_text:  # whatever the initialiser
        *_, biases = model.parameters
        model.parameters[biases][...] = log_shares(len(words))
    if settings.embedding:
        ids, given = load_word_vectors(settings.embedding, words, _sizes(settings.sizes)[0])
        model.parameters["embedding.w"][ids] = given
    return model, _optimizer(settings, data)


def _layers(settings: TrigramSettings, words: int, vectors: Initializer, start: Initializer) -> list[Layer | Block]:
    width, hidden, *linear = _sizes(settings.sizes)
    combine: Layer = Flatten() if settings.combine == "concatenate" else Sum()
    return [
        Embedding(words, width, vectors, sparse=_is_sampled(settings, words)),
        combine,
        *([Dropout(rate=settings.input_dropout)] if settings.input_dropout else []),
        Dense(hidden, settings.activation, start, start),
        *(_residual(settings, hidden, start) for _ in range(settings.blocks)),
        *([BatchNorm()] if settings.batch_norm else []),
        *([Dropout(rate=settings.dropout)] if settings.dropout else []),
        *(Dense(units, "identity", start, start) for units in linear),
        _softmax(settings, words, start),
    ]


def _recurrent(settings: TrigramSettings, words: int, vectors: Initializer, start: Initializer) -> list[Layer | Block]:
    """The layers of a net that reads rows of words. ValueError for settings that it has not."""
    usual = TrigramSettings()
    for name in ("combine", "blocks", "batch_norm"):
        if getattr(settings, name) != getattr(usual, name):
            raise ValueError(f"--{name.replace('_', '-')} is of --net window, not of --net gru")
    width, hidden, *linear = _sizes(settings.sizes)
    return [
        Embedding(words, width, vectors, sparse=_is_sampled(settings, words)),
        *([Dropout(rate=settings.input_dropout)] if settings.input_dropout else []),
        GRU(hidden, return_sequences=True, initializer=start),
        *([Dropout(rate=settings.dropout)] if settings.dropout else []),
        *(Dense(units, "identity", start, start) for units in linear),
        _softmax(settings, words, start),
    ]


def _residual(settings: TrigramSettings, hidden: int, start: Initializer) -> Block:
    """A residual block of two layers."""
    dropped = [Dropout(rate=settings.dropout)] if settings.dropout else []
    first, second = Dense(hidden, settings.activation, start, start), Dense(hidden, "identity", start, start)
    return lambda h: residual(h, first, *dropped, second)


def _model(settings: TrigramSettings, layers: list[Layer | Block], context: int) -> Model:
    named: dict[str, Any] = {"loss": "softmax_cross_entropy", "dtype": settings.dtype, "seed": settings.seed}
    named |= {"l1": settings.l1, "l2": settings.l2}
    in_a_row = [layer for layer in layers if isinstance(layer, Layer)]
    if len(in_a_row) == len(layers):
        return Sequential(in_a_row, input_shape=(context,), **named)
    words = Input((context,))
    return Model(words, functools.reduce(lambda x, layer: layer(x), layers, words), **named)


def _is_sampled(settings: TrigramSettings, words: int) -> bool:
    return 0 < settings.softmax_words < words


def _softmax(settings: TrigramSettings, words: int, start: Initializer) -> Layer:
    if _is_sampled(settings, words):
        return SampledSoftmax(words, settings.softmax_words, initializer=start, bias_initializer=start)
    return Dense(words, "identity", start, start)


def _optimizer(settings: TrigramSettings, data: Dataset) -> Optimizer:
    found = optimizer_of(settings)
    if settings.schedule == "cosine":
        found.lr = cosine_of(settings, data)
    return found


def _sizes(text: str) -> list[int]:
    """Embedding width, hidden units and, if there is a linear layer, its units."""
    match = re.fullmatch(r"(\d+)x(\d+)(?:x(\d+))?", text)
    sizes = [int(one) for one in match.groups() if one is not None] if match else [0]
    if 0 in sizes:
        raise ValueError(f"--sizes is {text!r}, expected embedding width x hidden units, such as 32x256")
    return sizes
