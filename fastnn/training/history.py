"""The record of a training: the figures of each epoch, and the loss of each step."""

from array import array
from dataclasses import dataclass, field
from typing import Any

from fastnn.common.habits import Hinted


@dataclass
class History(Hinted):
    """The record of a model's training, over all its `fit` calls.

    epochs       a dict for each: epoch, loss, accuracy, val_loss, val_accuracy, lr, seconds, samples_per_second
    steps        {"loss": one float64 a step}; with GradientNorms also "norm <parameter>" and "norm step"
    monitor      the records of a Monitor, if one watched
    stop_reason  why training ended before its last epoch, if it did
    """

    epochs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, array] = field(default_factory=lambda: {"loss": array("d")})
    stop_reason: str | None = None
    monitor: list[dict[str, Any]] = field(default_factory=list)

    def __getitem__(self, name: str) -> list[Any]:
        """One figure by epoch: history["val_loss"]. KeyError names those that there are."""
        if any(name not in epoch for epoch in self.epochs) or not self.epochs:
            known = sorted(self.epochs[0]) if self.epochs else []
            raise KeyError(f"no {name!r} in this history; it has {known}")
        return [epoch[name] for epoch in self.epochs]

    def best(self, name: str) -> dict[str, Any]:
        """The epoch at which `name` was best: highest for an accuracy, lowest for anything else."""
        choose = max if name.endswith("accuracy") else min
        return self.epochs[choose(range(len(self.epochs)), key=self[name].__getitem__)]

    def __len__(self) -> int:
        return len(self.epochs)
