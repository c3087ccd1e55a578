"""Which columns a net uses: how much worse it gets when one is shuffled (Breiman, Random Forests, 2001, section 10)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastnn.common import random
from fastnn.data import Split
from fastnn.data.preprocessing import Table
from fastnn.data.preprocessing.table import NumberColumn
from fastnn.models import Model

TIMES = 5  # that each column is shuffled
MOST_ROWS = 2_000
# Deviations that a rise must exceed to count. If a net does not need a column, the rows as they are differ from the
# shuffled ones by chance alone. Then rise / (deviation · √(1 + 1/TIMES)) follows Student's t of TIMES − 1 degrees of
# freedom, and is that large once in 38 times; more than one deviation it would be once in 5 times.
NOISE = 3


class Importance(NamedTuple):
    """How much a figure rises when a column is shuffled: mean and deviation (n − 1) over TIMES."""

    name: str
    rise: float
    deviation: float

    @property
    def is_clear(self) -> bool:
        """Whether the rise is more than the chance of the shuffles explains."""
        return self.rise > NOISE * self.deviation

    @property
    def misleads(self) -> bool:
        """Whether predictions get better by shuffling, by more than its chance explains."""
        return -self.rise > NOISE * self.deviation


def made_columns(table: Table) -> dict[str, list[int]]:
    """The columns of the made rows (N, D) that each of the table's columns becomes."""
    with_flag = [column for column in table.numbers if column.missing]
    found: dict[str, list[int]] = {}
    for column in table.columns:
        if isinstance(column, NumberColumn):
            places = [table.numbers.index(column)]
            places += [len(table.numbers) + with_flag.index(column)] if column.missing else []
        else:
            places = [len(table.numbers) + len(with_flag) + table.categories.index(column)]
        found[str(column.name)] = places
    return found


def importances(model: Model, table: Table, split: Split, figure: Callable[[Model, Split], float]) -> list[Importance]:
    """Each column's importance on the split's first rows, prepared for the net, the greatest first.

    figure : (model, split) -> what rises as predictions get worse, such as the loss
    """
    split = split.part(0, MOST_ROWS)
    whole = figure(model, split)
    found = []
    for name, places in made_columns(table).items():
        rises = [figure(model, _shuffled(split, places, name, time)) - whole for time in range(TIMES)]
        found.append(Importance(name, float(np.mean(rises)), float(np.std(rises, ddof=1))))
    return sorted(found, key=lambda one: -one.rise)


def _shuffled(split: Split, places: list[int], name: str, time: int) -> Split:
    """The split with these columns in another order of the rows, the same for all of them."""
    order = np.argsort(random.generator(time, "importance", name).random(len(split)), kind="stable")
    x = split.x.copy()
    x[:, places] = split.x[order][:, places]
    return Split(x, split.y)
