"""A language model of a text: its network, and how it is trained.

`docs/language-models.md` has the measurements by which both were chosen.
"""

import os
from collections.abc import Iterable

import numpy as np

from fastnn.common.errors import DataError
from fastnn.common.text import plural
from fastnn.common.validation import whole_number
from fastnn.data.dataset import CompleteDataset, Dataset
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.data.preprocessing import Words
from fastnn.models import Model
from fastnn.nn.graph import Input
from fastnn.nn.initializers import Normal
from fastnn.nn.layers import GRU, Add, Dense, Dropout, Embedding, Flatten, Layer, LayerNorm, SampledSoftmax
from fastnn.nn.layers.base import Node
from fastnn.nn.optimizers import Adam, Optimizer, OptimizerName
from fastnn.nn.schedules import CosineDecay
from fastnn.training.callbacks import Callback, EarlyStopping
from fastnn.training.fit.settings import Verbose
from fastnn.training.history import History

LENGTH = 64  # words of a row that a recurrent network reads
GRAMS = 4  # words of the n-grams that are counted beside it
# From here on a step takes the softmax over a sample of them. Measured (Zen 4, AVX-512, 2 threads, width 64,
# 256 units, batches of 200, Adam), words a second beside the full softmax: 3.1 times as many at 2,000 words, 4.9 at
# 3,000, 7.5 at 5,000. The full one is exact, so that it stays where it is quick enough.
LARGE_VOCABULARY = 5_000
SAMPLES = 512
VECTORS = 0.1  # the deviation of the words' vectors before training
INPUT_DROPOUT, DROPOUT, RECURRENT_DROPOUT = 0.2, 0.3, 0.4
RATE, RECURRENT_RATE = 0.002, 0.008
SAMPLES_A_STEP, ROWS_A_STEP = 200, 16
FEWEST_ROWS, FEWEST_STEPS = 2, 40  # of a step; of an epoch
WARMUP = 20  # the rate rises in the first of so many parts of the steps


def network_of(
    data: CompleteDataset, width: int, hidden: int, vectors: str | os.PathLike[str] | None, seed: int
) -> Model:
    """An untrained network for the words of a text: a recurrent one, if these are in spans.

    Errors as of `load_word_vectors`, if vectors are given.
    """
    words, context = data.meta["words"], data.train.x.shape[1]
    count, is_large = len(words), len(words) >= LARGE_VOCABULARY
    inputs = Input((context,))
    vectors_of_words = Embedding(count, width, Normal(VECTORS), sparse=is_large)(inputs)
    h = (_recurrent if in_steps(data) else _forward)(vectors_of_words, hidden)
    last: Layer = SampledSoftmax(count, SAMPLES) if is_large else Dense(count)
    described = Words(words, data.meta["tokenizer"])
    model = Model(inputs, last(h), loss="softmax_cross_entropy", preprocessing=described, seed=seed)
    *_, biases = model.parameters
    model.parameters[biases][...] = log_shares(count)
    if vectors is not None:
        ids, found = load_word_vectors(vectors, words, width)
        model.parameters["embedding.w"][ids] = found
    return model


def in_steps(data: Dataset) -> bool:
    """Whether samples are rows of words, each with a target: those of a recurrent network."""
    return len(data.train.y.shape) == 2


def _recurrent(vectors: Node, hidden: int) -> Node:
    h = GRU(hidden, return_sequences=True)(Dropout(rate=INPUT_DROPOUT)(vectors))
    return Dropout(rate=RECURRENT_DROPOUT)(h)


def _forward(vectors: Node, hidden: int) -> Node:
    h = Dense(hidden, "silu")(Dropout(rate=INPUT_DROPOUT)(Flatten()(vectors)))
    return Dropout(rate=DROPOUT)(residual(h, Dense(hidden, "silu"), Dropout(rate=DROPOUT), Dense(hidden)))


def residual(h: Node, *layers: Layer) -> Node:
    """h + what some layers make of h, normalised by sample (He et al. 2016; the order of Xiong et al. 2020)."""
    made = LayerNorm()(h)
    for layer in layers:
        made = layer(made)
    return Add()(h, made)


def log_shares(words: int) -> np.ndarray:
    """The logarithm of each word's share, by id, if words had the shares that Zipf's law gives them.

    Words obey it nearly: q ∝ log((v + 2) / (v + 1)) for the word with id v, as ids go by falling frequency.
    """
    share = np.log1p(1 / (np.arange(words) + 1.0))
    return np.log(share / share.sum())


def trained(
    model: Model,
    data: CompleteDataset,
    optimizer: OptimizerName | Optimizer | None,
    epochs: int,
    batch_size: int | None,
    patience: int | None,
    callbacks: Iterable[Callback],
    verbose: Verbose,
) -> History:
    """Train on a text, validated after each epoch. Errors as of `fit`; DataError for samples of another length."""
    expected, found = model.network.input_shape[0], data.train.x.shape[1]
    if batch_size is None:
        batch_size = _rows_a_step(len(data.train)) if in_steps(data) else SAMPLES_A_STEP
    if found != expected:
        raise DataError(
            f"the text was cut into {plural(found + 1, 'word')}, expected {expected + 1}: order={expected + 1}"
        )
    steps = whole_number("epochs", epochs) * -(-len(data.train) // whole_number("batch_size", batch_size))
    stopping = [] if patience is None else [EarlyStopping("val_loss", patience, restore_best=True)]
    return model.fit(
        data.train.x,
        data.train.y,
        optimizer=_usual(steps, in_steps(data)) if optimizer is None else optimizer,
        epochs=epochs,
        batch_size=batch_size,
        validation_data=(data.val.x, data.val.y),
        callbacks=[*stopping, *callbacks],
        verbose=verbose,
    )


def _rows_a_step(rows: int) -> int:
    """How many of `rows` rows a step takes: few of a short text, so that an epoch has some steps."""
    return max(FEWEST_ROWS, min(ROWS_A_STEP, rows // FEWEST_STEPS))


def _usual(steps: int, recurrent: bool) -> Adam:
    """Adam, whose rate rises in the first steps, and then falls to 0 along half a cosine."""
    return Adam(CosineDecay(RECURRENT_RATE if recurrent else RATE, steps, warmup=steps // WARMUP))
