"""How to train: the arguments of `fit`, checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fastnn.common.validation import whole_number
from fastnn.data.batches import BatchSource
from fastnn.data.source import Source
from fastnn.nn.optimizers import Optimizer
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.progress import shown

Verbose = bool | Literal[0, 1, 2, "auto"]


@dataclass(frozen=True)
class Settings:
    """How to train, checked: the arguments of `fit` of the same names. TypeError or ValueError for what cannot be."""

    optimizer: Optimizer
    batch_size: int | None
    epochs: int
    steps_per_epoch: int | None
    steps_per_block: int
    shuffle: bool
    callbacks: Sequence[Callback]
    verbose: Verbose

    def __post_init__(self):
        if not isinstance(self.optimizer, Optimizer):
            raise TypeError(f"optimizer is {self.optimizer!r}, expected an optimizer such as SGD(0.1)")
        for name in ("batch_size", "epochs", "steps_per_epoch", "steps_per_block"):
            if name in ("epochs", "steps_per_block") or getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(name, getattr(self, name)))
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks holds {callback!r}, expected callbacks such as EarlyStopping()")
        ordered = sorted(self.callbacks, key=lambda callback: callback.last)
        object.__setattr__(self, "callbacks", (*ordered, *shown(self.verbose)))

    def batch_of(self, source: Source) -> int:
        """The number of samples of a step."""
        return source.batch(self.batch_size)

    def passes_of(self, source: Source) -> int:
        """How many times an epoch uses all samples, a step each time. ValueError where steps are of fewer."""
        if isinstance(source, BatchSource):
            return 1  # whose steps_per_epoch are batches
        if self.steps_per_epoch is not None and not (source.in_memory and self.batch_of(source) == source.samples):
            raise ValueError(
                f"steps_per_epoch is {self.steps_per_epoch}, but a step takes {self.batch_of(source):,} of "
                f"{source.samples:,} samples; it is for steps that take all: batch_size=None"
            )
        return self.steps_per_epoch or 1


def callbacks_of(given: Any) -> tuple[Callback, ...]:
    """The argument `callbacks`, which may be any iterable. TypeError for what is none."""
    if not isinstance(given, Iterable) or isinstance(given, np.ndarray):
        raise TypeError(f"callbacks is {given!r}, expected a list, such as [fn.EarlyStopping()]")
    return tuple(given)
