"""Learning-rate schedules: functions of the step and the epoch, so that a resumed training needs no state."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from fastnn.common.errors import not_defined
from fastnn.common.hints.habits import Hinted, completed_by, missing_from
from fastnn.common.names import look_up
from fastnn.common.plain import PlainNumbers
from fastnn.common.validation import not_negative, whole_number

Per = Literal["epoch", "step"]
PER: tuple[Per, ...] = get_args(Per)
LARGEST_FACTOR = 2  # rates that rise a little each step serve a search for the best one; none doubles


@dataclass(frozen=True)
class Schedule(PlainNumbers, Hinted):
    """Base of all schedules. A call gives the rate at each of the steps `iterations` (n,), in epoch `epoch`, float64.

    Steps and epochs count from 0, and both from where the optimizer began: see `Optimizer`.

    Args:
        lr: The learning rate at the beginning, or at its highest.
    """

    lr: float
    name: ClassVar[str]

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float):
                not_negative(f"{type(self).__name__}: {field.name}", value)

    def __call__(self, iterations: np.ndarray, epoch: int) -> np.ndarray:
        raise not_defined(self, "__call__")

    def config(self) -> dict[str, Any]:
        """The description as plain data, from which `from_config` makes an equal schedule."""
        return {"name": self.name, **{field.name: getattr(self, field.name) for field in fields(self)}}

    def _time(self, per: str, iterations: np.ndarray, epoch: int) -> np.ndarray:
        """The t of the formulas: the epoch, or the step."""
        return np.full(len(iterations), float(epoch)) if per == "epoch" else iterations.astype(float)


def _check_factor(what: str, factor: float) -> None:
    """ValueError for what is a number of steps or epochs, as other libraries have in its place."""
    if factor >= LARGEST_FACTOR:
        raise ValueError(f"{what} is {factor}, expected below {LARGEST_FACTOR}: the rate is multiplied by it each time")


def _check_per(kind: str, per: str) -> None:
    if not isinstance(per, str) or per not in PER:
        raise ValueError(f"{kind}: per is {per!r}, expected 'epoch' or 'step'")


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """lr · decay^t, where t counts epochs or steps.

    Args:
        lr: The learning rate at the beginning, or at its highest.
        decay: What the rate is multiplied by each time, below 2.
        per: What t counts: "epoch" or "step".

    Raises:
        ValueError: For a negative number, a factor of 2 or more, or another `per`.

    Examples:
        >>> fn.ExponentialDecay(0.1, decay=0.5)(np.array([0, 1]), epoch=2)
        array([0.025, 0.025])
    """

    decay: float = 0.95
    per: Per = "epoch"
    name: ClassVar[str] = "exponential"

    def __post_init__(self):
        super().__post_init__()
        _check_factor("ExponentialDecay: decay", self.decay)
        _check_per("ExponentialDecay", self.per)

    def __call__(self, iterations, epoch):
        return self.lr * self.decay ** self._time(self.per, iterations, epoch)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """lr · factor^⌊t / every⌋, where t counts epochs or steps.

    Args:
        lr: The learning rate at the beginning, or at its highest.
        factor: What the rate is multiplied by each time, below 2.
        every: After how many epochs or steps.
        per: What t counts: "epoch" or "step".

    Raises:
        ValueError: For a negative number, a factor of 2 or more, or another `per`.

    Examples:
        >>> fn.StepDecay(0.1, factor=0.5, every=10, per="step")(np.array([9, 10, 20]), epoch=0)
        array([0.1  , 0.05 , 0.025])
    """

    factor: float = 0.1
    every: int = 10
    per: Per = "epoch"
    name: ClassVar[str] = "step"

    def __post_init__(self):
        super().__post_init__()
        _check_factor("StepDecay: factor", self.factor)
        whole_number("StepDecay: every", self.every)
        _check_per("StepDecay", self.per)

    def __call__(self, iterations, epoch):
        return self.lr * self.factor ** np.floor(self._time(self.per, iterations, epoch) / self.every)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """From 0 up to lr in `warmup` steps, then along half a cosine down to `end` at step `steps`, and `end` after it.

    Loshchilov and Hutter (2017), eq. 5, without restarts.

    Args:
        lr: The learning rate at the beginning, or at its highest.
        steps: The step at which `end` is reached.
        warmup: How many steps the rate rises, from 0.
        end: The last rate.

    Raises:
        ValueError: For a negative number, or a warmup that is no shorter than `steps`.

    Examples:
        >>> fn.CosineDecay(0.1, steps=100, warmup=10)(np.array([0, 5, 10, 100]), epoch=0)
        array([0.01, 0.06, 0.1 , 0.  ])
        >>> history = model.fit(x, y, optimizer=fn.Adam(fn.CosineDecay(1e-2, steps=100)))
    """

    steps: int = 1000
    warmup: int = 0
    end: float = 0.0
    name: ClassVar[str] = "cosine"

    def __post_init__(self):
        super().__post_init__()
        whole_number("CosineDecay: steps", self.steps)
        whole_number("CosineDecay: warmup", self.warmup, 0)
        if not self.warmup < self.steps:
            raise ValueError(f"CosineDecay: warmup is {self.warmup}, expected less than steps, {self.steps}")

    def __call__(self, iterations, epoch):
        t = iterations.astype(float)
        rising = self.lr * (t + 1) / max(self.warmup, 1)
        passed = np.clip((t - self.warmup) / (self.steps - self.warmup), 0, 1)
        falling = self.end + (self.lr - self.end) * (1 + np.cos(np.pi * passed)) / 2
        return np.where(t < self.warmup, rising, falling)


SCHEDULES: dict[str, type[Schedule]] = {kind.name: kind for kind in (ExponentialDecay, StepDecay, CosineDecay)}


def from_config(config: Mapping[str, Any]) -> Schedule:
    """The schedule that `Schedule.config` described.

    Args:
        config: The description.

    Raises:
        ValueError: For an unknown name.
    """
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("schedule", config.get("name"), SCHEDULES)(**arguments)


__all__ = ["CosineDecay", "ExponentialDecay", "Schedule", "StepDecay", "from_config"]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
