"""Pictures as numbers for a network."""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fastnn.common import validation
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError
from fastnn.common.hints.habits import warn
from fastnn.data.dataset import Dataset, Split
from fastnn.data.preprocessing.base import Preprocessing


@dataclass(frozen=True, eq=False)
class Pixels(Preprocessing):
    """Pictures as numbers for a network: (pixels − subtract) / divide, of the model's dtype.

    Pictures may come as (N, *shape), grey ones as (N, H, W, 1), or as rows (N, pixels). With `shrink` = k the network
    takes smaller pictures: each of their pixels is the mean of a block of k × k.

    Args:
        shape: Of a picture as users have it: (H, W), or (H, W, C) with C colours.
        divide: 255 for pixels that become 0 to 1.
        subtract: None, or the mean picture, an array of `shape`; kept as float64.
        flat: Whether the network takes rows (N, pixels); False: pictures (N, H, W, C), grey ones with C = 1.
        targets: Of a network that is trained on numbers: the number for each class, such as (-1, 1). Targets that are
            whole numbers are then labels; floats stay as they are.
        shrink: How many pixels in height and in width become one; a divisor of both H and W.

    Raises:
        ValueError: For numbers that make no description.
        TypeError: For arguments of another kind.
        ShapeError: For a mean picture of another shape, or a height or width that `shrink` does not divide.

    Examples:
        >>> pixels = fn.Pixels((28, 28), divide=255, flat=True)
        >>> model = fn.Sequential([fn.Dense(10)], input_shape=784, preprocessing=pixels)
        >>> model.predict(np.zeros((10, 28, 28), np.uint8)).shape
        (10, 10)
        >>> fn.Pixels((28, 28), divide=255, flat=True, shrink=2).made_shape
        (196,)
    """

    shape: tuple[int, ...]
    divide: float = 1.0
    subtract: Any = None
    flat: bool = False
    targets: tuple[float, ...] | None = None
    shrink: int = 1
    kind: ClassVar[str] = "pixels"

    def __post_init__(self) -> None:
        shape = self.shape
        if not isinstance(shape, tuple | list) or len(shape) not in (2, 3):
            raise ShapeError(f"Pixels: shape is {shape!r}, expected that of a picture: (H, W) or (H, W, C)")
        for length in shape:
            validation.whole_number("Pixels: a length of shape", length)
        divide = validation.real_number("Pixels: divide", self.divide)
        if not divide or not math.isfinite(divide):
            raise ValueError(f"Pixels: divide is {divide}, expected a finite number other than 0")
        if not isinstance(self.flat, bool):
            raise TypeError(f"Pixels: flat is {self.flat!r}, expected True or False")
        object.__setattr__(self, "shape", tuple(shape))
        object.__setattr__(self, "divide", divide)
        object.__setattr__(self, "subtract", self._checked_mean())
        object.__setattr__(self, "targets", self._checked_targets())
        object.__setattr__(self, "shrink", validation.whole_number("Pixels: shrink", self.shrink))
        if shape[0] % self.shrink or shape[1] % self.shrink:
            raise ShapeError(f"Pixels: shrink is {self.shrink}, expected a divisor of {shape[0]} and of {shape[1]}")

    def _checked_mean(self) -> np.ndarray | None:
        if self.subtract is None:
            return None
        mean = validation.finite(self.subtract, "Pixels: subtract").astype(np.float64)
        if mean.shape != self.shape:
            raise ShapeError(f"Pixels: subtract has shape {mean.shape}, expected that of a picture, {self.shape}")
        return mean

    def _checked_targets(self) -> tuple[float, ...] | None:
        if self.targets is None:
            return None
        if isinstance(self.targets, list | tuple):
            for number in self.targets:
                validation.real_number("Pixels: a number of targets", number)
        targets = validation.finite(self.targets, "Pixels: targets").astype(np.float64)
        if targets.ndim != 1 or len(targets) < 2:
            raise ShapeError(
                f"Pixels: targets has shape {targets.shape}, expected a number for each class, such as (-1, 1)"
            )
        return tuple(targets.tolist())

    @property
    def picture(self) -> tuple[int, int, int]:
        """Height, width and colours of a picture."""
        height, width, *colours = self.shape
        return height, width, colours[0] if colours else 1

    @property
    def made_shape(self) -> tuple[int, ...]:
        """The shape of a sample as the network takes it."""
        height, width, colours = self.picture
        smaller = height // self.shrink, width // self.shrink, colours
        return (math.prod(smaller),) if self.flat else smaller

    def check(self, shape: tuple[int, ...], ids: int | None) -> None:
        if ids is not None:
            raise ValueError("Pixels makes numbers, but this model takes ids; expected fn.Words")
        if shape != self.made_shape:
            rows = (math.prod(self.made_shape),)
            other = "flat=True" if shape == rows else "the shape of its pictures"
            raise ShapeError(f"Pixels makes samples of shape {self.made_shape}, this model takes {shape}; give {other}")

    def check_shape(self, given: tuple[int, ...], what: str, shape: tuple[int, ...]) -> None:
        if given[1:] in (self.picture, (math.prod(self.shape),)) and given[0]:
            return
        validation.check_sample_shape(given, what, self.shape)

    def converted(self, x: Any, what: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        x = validation.as_array(x, what)
        self.check_shape(x.shape, what, shape)
        x = validation.finite(x, what, dtype)
        if self.divide > 1 and x.dtype.kind == "f" and 0 < x.max() <= 1:
            warn(
                f"{what} has no pixel above 1, and the model divides pixels by {self.divide:g} itself: give them as "
                "they are in their file, or set model.preprocessing = None"
            )
        return self.of_pixels(x, dtype)

    @ieee
    def of_pixels(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Pictures (N, …) as the network takes them. What is neither subtracted from nor divided keeps its dtype.

        Args:
            x: The pictures.
            dtype: Of the network.
        """
        x = x.reshape(len(x), *self.picture)
        if self.subtract is not None:
            x = np.subtract(x, self.subtract.astype(dtype).reshape(self.picture), dtype=dtype)
        x = self._sums_of_blocks(x, dtype).reshape(len(x), *self.made_shape)
        divide = self.divide * self.shrink**2
        return x if divide == 1 else np.divide(x, divide, dtype=dtype)

    def _sums_of_blocks(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """(N, H, W, C) -> (N, H/k, W/k, C), the sums of blocks of k × k pixels; x itself for blocks of one."""
        if self.shrink == 1:
            return x
        starts = range(self.shrink)
        sums = x[:, :: self.shrink, :: self.shrink].astype(dtype)
        for row, column in list(itertools.product(starts, starts))[1:]:
            sums += x[:, row :: self.shrink, column :: self.shrink]
        return sums

    def targets_of(self, y: Any, what: str) -> Any:
        if self.targets is None:
            return y
        labels = validation.as_array(y, what)
        if labels.dtype.kind not in "iub":
            return y
        numbers = " and ".join(f"{target:g}" for target in self.targets)
        meaning = f"labels of {len(self.targets)} classes; the numbers {numbers} are given as floats"
        return np.array(self.targets)[validation.whole_numbers(labels, what, len(self.targets), meaning)]

    def prepared(self, data: Dataset, dtype: str) -> Dataset:
        parts: dict[str, Any] = {
            name: Split(self.of_pixels(split.x, np.dtype(dtype)), self.targets_of(split.y, "y"))
            for name, split in data.splits().items()
        }
        return replace(data, **parts)

    def config(self) -> dict[str, Any]:
        described = {"kind": self.kind, "shape": list(self.shape), "divide": self.divide, "flat": self.flat}
        described |= {} if self.targets is None else {"targets": list(self.targets)}
        return described if self.shrink == 1 else described | {"shrink": self.shrink}

    def arrays(self) -> dict[str, np.ndarray]:
        return {} if self.subtract is None else {"subtract": self.subtract}
