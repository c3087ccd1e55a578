"""The record of a training: the figures of each epoch, and the loss of each step."""

from array import array
from dataclasses import dataclass, field
from typing import Any

from fastnn.common.figures import Mode, higher_is_better
from fastnn.common.hints.habits import Hinted


@dataclass
class History(Hinted):
    """The record of a model's training, over all its `fit` calls.

    Args:
        epochs: A dict for each: epoch, loss, the model's metrics such as accuracy, lr, seconds, samples_per_second;
            with validation data also val_loss and each metric as val_…: val_accuracy, val_r2.
        steps: {"loss": one float64 a step}; with GradientNorms also "norm <parameter>" and "norm step".
        stop_reason: Why training ended before its last epoch, if it did.
        monitor: The records of a Monitor, if one watched.

    Examples:
        >>> history = model.fit(x, y, epochs=2)
        >>> len(history), len(history["loss"])
        (2, 2)
    """

    epochs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, array] = field(default_factory=lambda: {"loss": array("d")})
    stop_reason: str | None = None
    monitor: list[dict[str, Any]] = field(default_factory=list)

    def __getitem__(self, name: str) -> list[Any]:
        """One figure by epoch: history["val_loss"].

        Args:
            name: Of the figure.

        Returns:
            A list of one value an epoch.

        Raises:
            KeyError: If there is no such figure; it names those that there are.
        """
        if any(name not in epoch for epoch in self.epochs) or not self.epochs:
            known = sorted(self.epochs[0]) if self.epochs else []
            raise KeyError(f"no {name!r} in this history; it has {known}")
        return [epoch[name] for epoch in self.epochs]

    def best(self, name: str, mode: Mode = "auto") -> dict[str, Any]:
        """The epoch at which `name` was best, the first of equal ones; never one where it is NaN.

        Args:
            name: Of the figure.
            mode: "max" or "min", whether more or less is better; "auto": by the name, as accuracies, r2, top_5 and
                scores are better when higher, losses, errors and perplexity when lower.

        Returns:
            The figures of that epoch by name.

        Raises:
            KeyError: If there is no such figure.
            ValueError: If all are NaN or the name does not tell what is better.

        Examples:
            >>> history = model.fit(x, y, epochs=3)
            >>> history.best("loss")["epoch"]
            3
        """
        values = self[name]
        higher = higher_is_better(name, mode, "history.best: ")
        known = [number for number, value in enumerate(values) if value == value]
        if not known:
            raise ValueError(f"history.best: {name!r} is NaN in all {len(values)} epochs")
        return self.epochs[(max if higher else min)(known, key=values.__getitem__)]

    def __len__(self) -> int:
        return len(self.epochs)
