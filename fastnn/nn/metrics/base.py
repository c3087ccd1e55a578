"""The bases of all metrics, and a batch that a loss has judged, as their operations see it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import not_defined
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import TimeSteps, Value
from fastnn.nn.losses import Loss, SoftmaxCrossEntropy
from fastnn_kernels._jit import Kernel


@dataclass(eq=False)
class Scored:
    """A batch that a loss has judged. What several metrics read is emitted once.

    emit_rows  emits the scores in rows, (B, outputs), where they are not yet, and returns them
    target     (B,) labels or (B, outputs) numbers
    weight     (B,) loss weights
    each       (B,) the loss of each sample
    correct    (B,) how much of each sample's prediction is right, as the loss's kernel finds it
    """

    build: Builder
    loss: Loss
    emit_rows: Callable[[], Value]
    target: Buffer
    weight: Buffer
    each: Buffer
    correct: Buffer
    _made: dict[tuple[Any, ...], Buffer] = field(default_factory=dict, repr=False)

    @cached_property
    def scores(self) -> Value:
        return self.emit_rows()

    @cached_property
    def predictions(self) -> Value:
        """What `predict` returns."""
        return self.loss.emit_predictions(self.build, self.scores)

    @cached_property
    def plain_cross_entropy(self) -> Buffer:
        """(B,) the cross-entropy of each label, without smoothing."""
        return SoftmaxCrossEntropy().emit_value(self.build, self.scores, self.target, self.weight)[0]

    def by_kernel(self, kernel: Kernel, *numbers: int) -> Buffer:
        """(B,) float64: what a kernel with operands (each, x, target, …, n) finds for each sample.

        x are the scores where targets are labels, else the predictions.
        """
        key = (kernel, *numbers)
        if key not in self._made:
            self._made[key] = self._emit_kernel(kernel, numbers)
        return self._made[key]

    def _emit_kernel(self, kernel: Kernel, numbers: tuple[int, ...]) -> Buffer:
        x = self.scores if self.loss.takes_labels else self.predictions
        each = self.build.array(kernel.name, (self.build.batch,), np.float64, batched=True)
        self.build.emit(kernel, each, x.buffer, self.target, *numbers, x.width)
        return each


@dataclass(eq=False)
class ScoredSteps(Scored):
    """A batch of sequences, which a loss has judged at every step: a sample's numbers are means over its steps.

    steps   the same batch as one of steps
    count   how many steps a sequence has
    none    what stands for no label in `target`, (B, count)
    """

    steps: Scored = field(kw_only=True)
    count: int = field(kw_only=True)
    none: int = field(kw_only=True)

    @classmethod
    def of(cls, steps: Scored, target: Buffer, count: int, none: int) -> "ScoredSteps":
        """Emit the means of what is known of each step."""
        build = steps.build
        loss, correct = (mean_of_steps(build, one, target, none) for one in (steps.each, steps.correct))
        given = build, steps.loss, steps.emit_rows, target, steps.weight, loss, correct
        return cls(*given, steps=steps, count=count, none=none)

    @cached_property
    def predictions(self) -> Value:
        with self.build.at_time_steps(self.count):
            rows = self.steps.predictions
        return TimeSteps(rows.buffer, (self.count, *rows.shape))

    @cached_property
    def plain_cross_entropy(self) -> Buffer:
        with self.build.at_time_steps(self.count):
            each = self.steps.plain_cross_entropy
        return mean_of_steps(self.build, each, self.target, self.none)

    def _emit_kernel(self, kernel: Kernel, numbers: tuple[int, ...]) -> Buffer:
        with self.build.at_time_steps(self.count):
            each = self.steps.by_kernel(kernel, *numbers)
        return mean_of_steps(self.build, each, self.target, self.none)


def mean_of_steps(build: Builder, each: Buffer, target: Buffer, none: int) -> Buffer:
    """Emit the mean of a number over the labelled steps of each sample, (B,)."""
    mean = build.array(each.name, (build.batch,), each.dtype, batched=True)
    build.emit(k.mean_of_steps, mean, each, target, none)
    return mean


@dataclass(frozen=True)
class Metric:
    """Base of all metrics: one figure beside the loss.

    name     of the figure
    loss     whose predictions it judges
    outputs  how many numbers a prediction has
    output   the output of the network that it judges, if there are several: then its name begins the figure's
    kind     what `metrics=[...]` calls it; "" for what cannot be called by a name
    """

    name: str
    loss: Loss
    outputs: int
    output: str = field(default="", kw_only=True)
    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """ValueError if it says nothing of predictions of this loss."""

    def check_targets(self, y: np.ndarray, name: str) -> None:
        """DataError if targets that the loss takes say nothing to this metric."""

    @property
    def own_name(self) -> str:
        """Its name without that of the output."""
        return self.name.removeprefix(f"{self.output}_") if self.output else self.name

    def of_output(self, output: str) -> "Metric":
        """The same for an output of a network that has several."""
        return replace(self, name=f"{output}_{self.name}", output=output)

    def _refuse(self, reason: str, instead: str) -> None:
        raise ValueError(f"metric {self.name!r}: {reason}; use {instead}")

    def _needs_numbers(self) -> None:
        if self.loss.takes_labels:
            self._refuse(f"{self.loss.name} takes labels, and it compares numbers", "'accuracy', 'top_5', 'perplexity'")


class MeanMetric(Metric):
    """A metric that is made of a mean over the samples, by their weights."""

    def of_each(self, scored: Scored) -> Buffer:
        """Emit what the mean is taken of: (B,), a number for each sample."""
        raise not_defined(self, "of_each")

    def figure(self, mean: float) -> float:
        """What is reported."""
        return mean


class WholeMetric(Metric):
    """A metric that needs all predictions at once."""

    def of_all(self, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray | None) -> float:
        """The figure of y_true, (N,) labels or (N, outputs), and y_pred (N, outputs), what `predict` returns.

        weights : (N,) of the samples; None if all count alike
        """
        raise not_defined(self, "of_all")
