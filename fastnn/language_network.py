"""A language model of a text: its network, and how it is trained."""

import os
from collections.abc import Iterable

from fastnn.common.errors import DataError
from fastnn.common.text import plural
from fastnn.data.dataset import CompleteDataset
from fastnn.data.formats.word_vectors import load_word_vectors
from fastnn.data.preprocessing import Words
from fastnn.models import Model, Sequential
from fastnn.nn.layers import Dense, Embedding, Flatten, Layer, SampledSoftmax
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.training.callbacks import Callback, EarlyStopping
from fastnn.training.history import History
from fastnn.training.loop import Verbose

# From so many words on a step takes the softmax over a sample of them. Measured (Zen 4, AVX-512, 2 threads, width 64,
# 256 units, batches of 200, Adam), words a second beside the full softmax: 3.1 times as many at 2,000 words, 4.9 at
# 3,000, 7.5 at 5,000. The full one is exact, so that it stays where it is quick enough.
LARGE_VOCABULARY = 5_000
SAMPLES = 256


def network_of(
    data: CompleteDataset, width: int, hidden: int, vectors: str | os.PathLike[str] | None, seed: int
) -> Sequential:
    """An untrained network for the words of a text. Errors as of `load_word_vectors`, if vectors are given."""
    words, order = data.meta["words"], data.train.x.shape[1] + 1
    is_large = len(words) >= LARGE_VOCABULARY
    last: Layer = SampledSoftmax(len(words), SAMPLES) if is_large else Dense(len(words))
    model = Sequential(
        [Embedding(len(words), width, sparse=is_large), Flatten(), Dense(hidden, "gelu"), last],
        input_shape=(order - 1,),
        loss="softmax_cross_entropy",
        preprocessing=Words(words, data.meta["tokenizer"]),
        seed=seed,
    )
    if vectors is not None:
        ids, found = load_word_vectors(vectors, words, width)
        model.parameters["embedding.w"][ids] = found
    return model


def trained(
    model: Model,
    data: CompleteDataset,
    optimizer: OptimizerName | Optimizer,
    epochs: int,
    batch_size: int,
    patience: int | None,
    callbacks: Iterable[Callback],
    verbose: Verbose,
) -> History:
    """Train on a text, validated after each epoch. Errors as of `fit`; DataError for samples of another length."""
    expected, found = model.network.input_shape[0], data.train.x.shape[1]
    if found != expected:
        raise DataError(
            f"the text was cut into {plural(found + 1, 'word')}, expected {expected + 1}: order={expected + 1}"
        )
    stopping = [] if patience is None else [EarlyStopping("val_loss", patience, restore_best=True)]
    return model.fit(
        data.train.x,
        data.train.y,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        validation_data=(data.val.x, data.val.y),
        callbacks=[*stopping, *callbacks],
        verbose=verbose,
    )
