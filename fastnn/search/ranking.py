"""Which settings are best: by the mean of a figure over their seeds."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from fastnn.search.job import Row

Figure = Callable[[Row], float | None]  # of a row; None: it has none


@dataclass(frozen=True)
class Standing:
    """How settings did.

    number     of the settings, in the order in which they were given
    mean       of the figure over the seeds that have one; NaN: none has
    deviation  their standard deviation (n − 1); NaN for fewer than two
    loss       the mean of the loss, by which ties are broken
    known      how many seeds have the figure
    missing    how many have not
    """

    number: int
    mean: float
    deviation: float
    loss: float
    known: int
    missing: int


def standing(number: int, rows: Sequence[Row], figure: Figure) -> Standing:
    """How the settings did of which these are the rows, one a seed."""
    values = [value for row in rows if (value := figure(row)) is not None and not math.isnan(value)]
    losses = _numbers(rows, "val_loss") or _numbers(rows, "loss")
    mean, loss = (fmean(found) if found else math.nan for found in (values, losses))
    deviation = stdev(values) if len(values) > 1 else math.nan
    return Standing(number, mean, deviation, loss, len(values), len(rows) - len(values))


def _numbers(rows: Sequence[Row], name: str) -> list[float]:
    return [row[name] for row in rows if is_number(row.get(name))]


def ranked(standings: Iterable[Standing], *, higher: bool) -> list[Standing]:
    """The best first: those of whose seeds fewest failed, then by the mean, ties by the loss, then as given."""

    def order(one: Standing) -> tuple[Any, ...]:
        loss = math.inf if math.isnan(one.loss) else one.loss
        return one.missing, -one.mean if higher else one.mean, loss, one.number

    return sorted((one for one in standings if one.known), key=order)


def is_number(value: Any) -> bool:
    """Whether it is a number, as a row of the table may hold one."""
    return isinstance(value, int | float) and not isinstance(value, bool)
