"""Which token comes next: a draw from a model's distribution, made sharper, flatter or shorter."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastnn.common.errors import DataError
from fastnn.common.validation import real_number, whole_number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """How the next id is drawn.

    temperature  p becomes p^(1 / temperature), divided by its sum: below 1 likely ids become likelier, above 1 rare
                 ones. 0: always the likeliest id, of equal ones the lowest
    top_k        only the k likeliest ids are drawn; None: all
    top_p        only the likeliest ids whose probabilities together reach this, and always one (A. Holtzman et al.,
                 "The curious case of neural text degeneration", 2020). It looks at what temperature and top_k leave

    TypeError or ValueError for numbers outside 0 ≤ temperature < ∞, top_k ≥ 1, 0 < top_p ≤ 1.

    >>> Sampling(temperature=0).draw(np.log([0.2, 0.5, 0.3]), rng)
    1
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        temperature, top_p = real_number("temperature", self.temperature), real_number("top_p", self.top_p)
        if not 0 <= temperature < math.inf:
            raise ValueError(
                f"temperature is {temperature}, expected a finite number: 0, which takes the likeliest word, or more"
            )
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p is {top_p}, expected a number above 0 and at most 1, which allows all words")
        object.__setattr__(self, "temperature", temperature)
        object.__setattr__(self, "top_p", top_p)
        if self.top_k is not None:
            object.__setattr__(self, "top_k", whole_number("top_k", self.top_k))

    def distribution(self, scores: ArrayLike, never: Collection[int] = ()) -> Floats:
        """The probability of each id to be drawn, (V,) float64.

        scores  (V,) logarithms of the model's probabilities, also with any constant added: logits
        never   ids that are not drawn

        DataError if no id is left, or for scores with NaN.
        """
        found = np.array(scores, np.float64)
        found[list(never)] = -np.inf
        highest = found.max(initial=-np.inf)
        if not math.isfinite(highest):
            raise DataError(f"no id can be drawn: the highest of {len(found)} scores is {highest}")
        order = np.argsort(-found, kind="stable")[: 1 if self.temperature == 0 else self.top_k]
        p = np.exp((found[order] - highest) / (self.temperature or 1))
        p /= p.sum()
        # Sums of floats may end below 1, so the last id is kept where they do not reach top_p.
        count = len(p) if self.top_p == 1 else int(np.searchsorted(np.cumsum(p), self.top_p)) + 1
        result = np.zeros(len(found))
        result[order[:count]] = p[:count] / p[:count].sum()
        return result

    def draw(self, scores: ArrayLike, rng: np.random.Generator, never: Collection[int] = ()) -> int:
        """One id, by one random number of `rng`; arguments and errors as of `distribution`."""
        until = np.cumsum(self.distribution(scores, never))
        return int(np.searchsorted(until, rng.random() * until[-1], side="right"))
