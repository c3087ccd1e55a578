"""One of many trainings, and which of them one kernel takes together."""

from collections.abc import Hashable
from dataclasses import dataclass

from fastnn.data.source import Source
from fastnn.nn.narrow_many import kind_of
from fastnn.training.fit.joined import JoinedLoop
from fastnn.training.fit.settings import Settings
from fastnn.training.many.worker_threads import Ended
from fastnn.training.models.model import Predictor
from fastnn.training.models.statistics import fit_statistics

MOST_SAMPLES = 1 << 14  # with more of them the memory of a training is looked at, by its own loop


@dataclass(frozen=True)
class Training:
    """One model, how it is trained, on what, and validated on what."""

    number: int
    model: Predictor
    settings: Settings
    source: Source
    validation: Source | None

    def alone(self, ended: Ended) -> None:
        """Train it by a loop of its own."""
        fit_statistics(self.model, self.source)
        JoinedLoop(self.model, self.settings, self.source, self.validation, ended).train()

    def kind(self) -> Hashable | None:
        """What trainings that one kernel takes together have in common; None: this one goes alone."""
        source, network = self.source, self.model.network
        whole = source.in_memory and self.settings.batch_of(source) == source.samples <= MOST_SAMPLES
        if not whole or source.weighted or self.validation is not None or self.settings.callbacks:
            return None
        kind = kind_of(network, self.settings.optimizer)
        return None if kind is None else (kind, id(source))
