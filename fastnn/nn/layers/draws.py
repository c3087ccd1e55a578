"""The classes that a step of a sampled softmax draws: with which probabilities, each once, and their rows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Axis, Listed, Slice
from fastnn.engine.threads import call
from fastnn.nn.initializers import Initializer

# "stored": as a saved model has it in its buffer q
DISTRIBUTIONS = ("log_uniform", "unigram", "stored")
GRAIN = 48  # the most rows of distinct classes that a thread takes at a time: a cache holds them


@dataclass(frozen=True)
class Proposal(Initializer):
    """The probability of each class to be drawn: not random."""

    distribution: str
    power: float
    counts: tuple[float, ...] | None

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        if self.distribution == "log_uniform":
            weights = np.log1p(1 / (np.arange(*shape) + 1.0))
        elif self.counts is None:
            weights = np.ones(shape)
        else:
            weights = np.maximum(self.counts, 1.0) ** self.power
        return weights / weights.sum()


class Drawn(NamedTuple):
    """The classes that a step draws, each once, and their rows: as many as `used` says, with room for all draws.

    ids, firsts    of each draw the class, and its place among the distinct ones, where it is the first draw of it
    classes, times the distinct ones, and how often each was drawn
    columns        the rows, transposed
    shifts         what is added to their scores
    axis, shares   along which threads share the distinct ones, as many as are likely, and which parts are whose
    """

    ids: Buffer
    firsts: Buffer
    classes: Buffer
    times: Buffer
    used: Buffer
    rows: Buffer
    columns: Buffer
    shifts: Buffer
    axis: Axis
    shares: tuple[Slice, int]

    @classmethod
    def emit(cls, build: Builder, draws: int, width: int, w: np.ndarray, b: np.ndarray, q: np.ndarray) -> "Drawn":
        """Emit `draws` draws of a class with probabilities q, and the gathering of their rows of w and b.

        width : of the layer's inputs
        """
        drawn = cls._of_a_step(build, draws, width, _likely_to_be_distinct(q, draws))
        drawn._emit_classes(build, q)
        written = Listed(drawn.rows), Listed(drawn.columns), Listed(drawn.shifts)
        given = w, b, q, drawn.classes, drawn.times, drawn.used, draws
        build.emit_along(drawn.axis, k.sampled_rows, *written, *given, *drawn.shares)
        return drawn

    @classmethod
    def _of_a_step(cls, build: Builder, draws: int, width: int, likely: int) -> "Drawn":
        ids, firsts, classes, times = (
            build.array(name, (draws,), np.int32) for name in ("drawn", "firsts", "classes", "times")
        )
        return cls(
            ids,
            firsts,
            classes,
            times,
            build.array("used", (1,), np.int64),
            build.scratch("rows", draws, width),
            build.scratch("rowsᵀ", width, draws),
            build.array("shifts", (draws,)),
            Axis(likely, 1, GRAIN),
            (Slice(np.arange(likely)), likely),
        )

    def _emit_classes(self, build: Builder, q: np.ndarray) -> None:
        thresholds, (aliases, pending) = np.empty(q.size), np.empty((2, q.size), np.int32)
        call(k.alias_table, thresholds, aliases, pending, q)  # once for all steps: q stays as it is
        build.emit(k.draw_classes, self.ids, thresholds, aliases, build.dropout_key, build.cursor, build.stream_id, 0)
        distinct = self.classes, self.times, self.firsts, self.used
        build.emit(k.distinct_classes, *distinct, build.array("slots", q.shape, np.uint32), self.ids)


def _likely_to_be_distinct(q: np.ndarray, draws: int) -> int:
    """How many different classes that many draws have on average: each is among them unless all draws miss it."""
    return max(1, round(float((1 - (1 - q.astype(np.float64)) ** draws).sum())))
