"""The figures of a step: which columns of its sums metrics are made of, and the operations that fill these."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.nn.metrics import MeanMetric, Metric, Scored

LOSS, CORRECT, WEIGHT, PENALTIES = range(4)  # the columns that the kernel record_step writes


@dataclass(frozen=True)
class Figures:
    """The metrics of a step and their columns.

    columns  metric -> the column of `sums` that holds Σ weight · what the metric averages
    own      what fills the columns beside those of record_step: (B,) each, the first in column 4
    """

    columns: dict[MeanMetric, int] = field(default_factory=dict)
    own: tuple[Buffer, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns of the sums."""
        return PENALTIES + 1 + len(self.own)

    def values(self, means: list[float]) -> dict[str, float]:
        """The figures by name, of the means of all columns."""
        return {metric.name: metric.figure(means[column]) for metric, column in self.columns.items()}


def emit(measured: Iterable[tuple[Metric, Scored]], loss: Buffer, correct: Buffer) -> Figures:
    """Emit what metrics measure of each sample; one buffer that several of them average has one column.

    loss, correct : what record_step records
    """
    own: list[Buffer] = []
    columns = {}
    for metric, scored in measured:
        if isinstance(metric, MeanMetric):
            scored.build.begin(metric.name)
            buffer = metric.of_each(scored)
            known = [loss, correct, *own]
            place = next((i for i, other in enumerate(known) if other is buffer), len(known))
            if place == len(known):
                own.append(buffer)
            columns[metric] = place if place <= CORRECT else place - CORRECT + PENALTIES
    return Figures(columns, tuple(own))


def emit_record(build: Builder, sums: Buffer, sample_weight: Buffer, figures: Figures) -> None:
    """Emit the sums of a step over the columns that record_step does not write; before record_step."""
    for column, each in enumerate(figures.own, PENALTIES + 1):
        build.emit(k.record_figure, sums, build.cursor, each, sample_weight, column)
