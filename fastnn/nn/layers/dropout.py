"""Dropout: in training some inputs become 0 and the others larger, so that the mean stays the same."""

from dataclasses import dataclass, field
from typing import ClassVar

import fastnn_kernels as k
from fastnn.engine.ops import OFFSET
from fastnn.nn.layers.base import Layer, backward_by


@dataclass(frozen=True)
class Dropout(Layer):
    """x / keep with probability keep, else 0, while training; x itself at prediction (inverted dropout).

    Give either `rate` or `keep=`. The inputs that are dropped depend only on the seed, the layer's name, the epoch, the
    step and the position in the batch. Srivastava et al. (2014).

    Args:
        rate: The probability that an input is dropped.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        keep: The probability that an input stays.

    Raises:
        TypeError: If both or none are given.
        ValueError: For a number that is no such probability.

    Examples:
        >>> layers = [fn.Dense(8, "relu"), fn.Dropout(0.2), fn.Dense(3)]
        >>> history = fn.Sequential(layers, input_shape=4).fit(x, y)
    """

    rate: float | None = None
    keep: float | None = field(default=None, kw_only=True)
    kind: ClassVar[str] = "dropout"

    def __post_init__(self):
        if (self.rate is None) == (self.keep is None):
            raise TypeError(f"Dropout: rate {self.rate}, keep {self.keep}; expected exactly one of the two")
        if not 0 < self.kept <= 1:
            given = f"rate is {self.rate}, expected 0 ≤ rate < 1" if self.keep is None else f"keep is {self.keep}"
            raise ValueError(f"Dropout: {given}" + ("" if self.keep is None else ", expected 0 < keep ≤ 1"))

    @property
    def kept(self) -> float:
        """The probability that an input stays, from whichever was given."""
        return 1 - self.rate if self.rate is not None else self.keep  # type: ignore[return-value]

    def forward(self, build, x, p):
        if not build.training or self.kept == 1:
            return x, lambda dout, grads, wanted: dout
        out, mask = build.value("dropout", x.shape), build.value("mask", x.shape)
        where = (build.dropout_key, build.cursor, build.stream_id, x.width)
        build.emit(k.dropout_forward, out.buffer, mask.buffer, x.buffer, *where, build.constant([self.kept]), OFFSET)
        return out, backward_by(build, x, k.dropout_backward, mask.buffer, x.width)
