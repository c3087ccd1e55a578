"""The beginning of a training: on this process alone, or together with the other ranks."""

from dataclasses import replace

from fastnn.common.errors import DataError
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.ranks.group import Group, current
from fastnn.training.fit.joined import JoinedLoop
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.models.model import Predictor
from fastnn.training.ranks.loop import RankLoop


def train(model: Predictor, settings: Settings, source: Source, validation: Source | None) -> History:
    """As a `JoinedLoop` does; within `fastnn.distributed`, together with the other ranks."""
    group = current()
    if group is None:
        return JoinedLoop(model, settings, source, validation).train()
    _check(group, model, settings, source)
    if group.rank:
        everywhere = [callback for callback in settings.callbacks if callback.everywhere]
        settings = replace(settings, callbacks=everywhere, verbose=False)
    return RankLoop(group, model, settings, source, validation).train()


def _check(group: Group, model: Predictor, settings: Settings, source: Source) -> None:
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
