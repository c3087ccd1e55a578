"""Many small models at once: `fn.fit_many` against `fit`, one model after the other on all threads.

    python -m bench.many                  64 moons nets
    python -m bench.many --models 8 --rounds 3

Both train the same nets from the same seeds, in turns, each first in every other round; the ratio is the median of the
rounds' ratios. Before that their parameters are compared bit for bit.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import fastnn as fn
from fastnn.engine.threads import usable_threads
from fastnn.recipes import RECIPES

MOONS = RECIPES["moons"]


@dataclass(frozen=True)
class Row:
    """How the nets are trained: the arguments of `fit` that differ."""

    name: str
    arguments: dict[str, Any]


ROWS = (
    Row("as the recipe: 20 epochs of 1,000 steps", {"batch_size": None, "steps_per_epoch": 1_000, "epochs": 20}),
    Row("1 epoch of 1,000 steps", {"batch_size": None, "steps_per_epoch": 1_000, "epochs": 1}),
    Row("500 epochs of a step", {"batch_size": None, "epochs": 500}),
    Row("20 epochs of 7 steps, 32 samples each", {"batch_size": 32, "epochs": 20}),
)


class Nets:
    """Moons nets of the seeds 0, 1, …, new for each training."""

    def __init__(self, count: int, dtype: str):
        self._settings = replace(MOONS.settings, dtype=dtype)
        self._data = MOONS.prepare(MOONS.find(None, quick=False)[0], dtype)
        self.count, self.x, self.y = count, self._data.train.x, self._data.train.y

    def make(self) -> tuple[list[fn.Sequential], list[fn.SGD]]:
        made = [MOONS.build(replace(self._settings, seed=seed), self._data) for seed in range(self.count)]
        return [model for model, _ in made], [optimizer for _, optimizer in made]

    def in_turn(self, models: list[fn.Sequential], optimizers: list[fn.SGD], arguments: dict[str, Any]) -> None:
        for model, optimizer in zip(models, optimizers, strict=True):
            model.fit(self.x, self.y, optimizer=optimizer, verbose=False, **arguments)

    def at_once(self, models: list[fn.Sequential], optimizers: list[fn.SGD], arguments: dict[str, Any]) -> None:
        fn.fit_many(models, self.x, self.y, optimizer=optimizers, **arguments)

    def check(self, row: Row) -> None:
        """AssertionError unless both give the same bits; compiles what is not compiled yet."""
        both = [self.make() for _ in range(2)]
        self.in_turn(*both[0], row.arguments)
        self.at_once(*both[1], row.arguments)
        for one, other in zip(both[0][0], both[1][0], strict=True):
            assert one.parameters.flat.tobytes() == other.parameters.flat.tobytes(), row.name

    def seconds(self, train: Callable[..., None], row: Row) -> float:
        made = self.make()
        begin = time.perf_counter()
        train(*made, row.arguments)
        return time.perf_counter() - begin


def measured(nets: Nets, row: Row, rounds: int) -> str:
    """The row's line: seconds of both, and how many times as fast the second one is."""
    nets.check(row)
    pairs = []
    for number in range(rounds):
        order = [nets.in_turn, nets.at_once][:: 1 if number % 2 == 0 else -1]
        times = {train: nets.seconds(train, row) for train in order}
        pairs.append((times[nets.in_turn], times[nets.at_once]))
    ratio = statistics.median(one / other for one, other in pairs)
    one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    return f"{row.name:42}  {one:7.3f} s  {other:7.3f} s  {ratio:6.2f} ×"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", default=MOONS.settings.dtype, choices=("float32", "float64"))
    parser.add_argument("--row", type=int, choices=range(len(ROWS)), help="only this one, from 0")
    given = parser.parse_args()
    nets = Nets(given.models, given.dtype)
    print(f"{given.models} nets, {given.dtype}, {usable_threads()} threads: one after the other, fit_many, ratio")
    for row in ROWS if given.row is None else [ROWS[given.row]]:
        print(measured(nets, row, given.rounds), flush=True)


if __name__ == "__main__":
    main()
