"""What several ranks can train together."""

from fastnn.common.errors import DataError
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.ranks.group import Group
from fastnn.training.fit.settings import Settings
from fastnn.training.models.model import Predictor


def check(group: Group, model: Predictor, settings: Settings, source: Source) -> None:
    """ValueError for what several ranks cannot train."""
    if isinstance(source, BatchSource):
        raise ValueError("fn.distributed() shares arrays and streams among ranks, not batches that a user makes")
    if settings.steps_per_block > 1:
        raise ValueError(f"steps_per_block is {settings.steps_per_block}; within fn.distributed() it must be 1")
    _check_parts(group, model, settings.batch_of(source), source.samples)
    if group.sync_every == 1:
        return
    if model.network.loss.reduction == "sum":
        raise ValueError('sync_every takes means of losses, but the loss has reduction="sum"')
    if settings.optimizer.state_dtype is not None:
        raise ValueError("sync_every takes means of the optimizer's state, which state_dtype='bfloat16' would round")
    for callback in settings.callbacks:
        if callback.every % group.sync_every:
            raise ValueError(
                f"{type(callback).__name__} looks every {callback.every} steps, when ranks have different parameters; "
                f"expected a multiple of sync_every, {group.sync_every}"
            )


def _check_parts(group: Group, model: Predictor, batch: int, samples: int) -> None:
    """DataError if a rank's part of a batch is too small for a layer, such as one that needs a variance."""
    for size in {min(batch, samples), samples % batch} - {0}:
        try:
            model.network.check_batch(max(size // group.size, 1))
        except DataError as error:
            raise DataError(f"{error}: its part of {size} on {group.size} ranks") from None
