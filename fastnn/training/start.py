"""The beginning of a training: on this process alone, or together with the other ranks."""

from dataclasses import replace

from fastnn.data.source import Source
from fastnn.ranks.group import current
from fastnn.training.fit.joined import JoinedLoop
from fastnn.training.fit.settings import Settings
from fastnn.training.history import History
from fastnn.training.models.model import Predictor
from fastnn.training.ranks.checks import check
from fastnn.training.ranks.loop import RankLoop


def train(model: Predictor, settings: Settings, source: Source, validation: Source | None) -> History:
    """As a `JoinedLoop` does; within `fastnn.distributed`, together with the other ranks."""
    group = current()
    if group is None:
        return JoinedLoop(model, settings, source, validation).train()
    check(group, model, settings, source)
    if group.rank:
        everywhere = [callback for callback in settings.callbacks if callback.everywhere]
        settings = replace(settings, callbacks=everywhere, verbose=False)
    return RankLoop(group, model, settings, source, validation).train()
