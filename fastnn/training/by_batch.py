"""One step of training at a time, for a loop of a user's own."""

import math

import numpy as np

from fastnn.common import random
from fastnn.common.errors import NonFiniteError
from fastnn.data.chunk import Chunk
from fastnn.engine.builder import DROPOUT_KEY_WORDS
from fastnn.nn.optimizers import Optimizer
from fastnn.training.models.model import Predictor
from fastnn.training.models.statistics import warn_without_statistics
from fastnn.training.passes.kept import KeptRunner, KeptSteps
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.step import Step


def take_step(model: Predictor, kept: KeptSteps, optimizer: Optimizer, batch: Chunk) -> dict[str, float]:
    """Update the parameters by the gradients of this batch. Returns its figures, from before the update.

    NonFiniteError if the loss is not finite: the parameters may no longer be, either.
    """
    model.network.check_batch(len(batch))
    optimizer.attach(model.parameters)
    runner = _runner(model, kept, optimizer, batch)
    # The random numbers of dropout: those of this step, whatever batches came before.
    key = random.key(model.seed, "step", optimizer.iteration, words=DROPOUT_KEY_WORDS)
    runner.take(batch, key, optimizer.checked_scalars(np.array([optimizer.iteration])))
    optimizer.iteration += 1
    figures = runner.metrics()
    if not math.isfinite(runner.losses[0]):
        raise NonFiniteError(
            f"the loss of this batch is {runner.losses[0]}, and its update is made: weights may not be finite; a "
            f"smaller learning rate than {optimizer.current_lr:g} may help"
        )
    return figures


def _runner(model: Predictor, kept: KeptSteps, optimizer: Optimizer, batch: Chunk) -> KeptRunner:
    """The compiled step, kept as long as the optimizer's settings and the memory of its state stay the same."""
    weighted = batch.sample_weight is not None

    def compiled(samples: int) -> Step:
        warn_without_statistics(model)
        return compile_train(model.network, model.state, samples, optimizer, weighted=weighted, fused=True)

    settings = optimizer.kernel, optimizer.clip_norm, optimizer.clip_value, optimizer.state_dtype
    key = "train", id(optimizer), weighted, settings
    return kept.batch(key, len(batch), compiled, (optimizer, *optimizer.flat_state()))
