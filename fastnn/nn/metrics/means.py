"""Metrics that are means over the samples: operations of a step add them up."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError
from fastnn.nn.losses import BinaryCrossEntropy, SoftmaxCrossEntropy
from fastnn.nn.metrics.base import MeanMetric


class OutputLoss(MeanMetric):
    """The loss of one of several outputs, without its weight and without penalties."""

    def of_each(self, scored):
        return scored.each


class Accuracy(MeanMetric):
    """The fraction of right answers.

    Cross-entropies say themselves what is right: the label has the highest score; an output's probability is above ½
    as its target is. With other losses: the one of several outputs that should be 1 is the highest; or a single output
    is above ½ where its target is 1, below where it is 0.
    """

    kind: ClassVar[str] = "accuracy"

    def of_each(self, scored):
        own = self.kind in self.loss.metrics or self.outputs > 1
        return scored.correct if own else scored.by_kernel(k.same_sides)

    def check_targets(self, y, name):
        if self.kind in self.loss.metrics:
            return
        bad = ~_one_of_several(y) if self.outputs > 1 else (y[:, 0] != 0) & (y[:, 0] != 1)
        if bad.any():
            row = int(np.argmax(bad))
            wanted = "one 1 in each row, the others 0 or −1" if self.outputs > 1 else "0 or 1"
            raise DataError(
                f"metric {self.name!r}: {name}[{row}] is {y[row].tolist()}, expected {wanted}; use 'sign_accuracy' for "
                "targets −1 and 1, 'mae', 'rmse' or 'r2' for other numbers"
            )


def _one_of_several(y: np.ndarray) -> np.ndarray:
    """Which rows hold one 1, the others all 0 or all −1."""
    others = y.shape[1] - 1
    is_other = np.maximum((y == 0).sum(axis=1), (y == -1).sum(axis=1)) == others
    return np.asarray(is_other & ((y == 1).sum(axis=1) == 1))


class SignAccuracy(MeanMetric):
    """The fraction of the outputs that have the sign of their target: for targets −1 and 1. 0 has neither sign."""

    kind: ClassVar[str] = "sign_accuracy"

    def __post_init__(self):
        if self.loss.takes_labels or isinstance(self.loss, BinaryCrossEntropy):
            self._refuse(f"targets of {self.loss.name} have no signs", "'accuracy'")

    def of_each(self, scored):
        # For one output the loss has found that out already.
        return scored.correct if self.outputs == 1 else scored.by_kernel(k.same_signs)


@dataclass(frozen=True)
class TopK(MeanMetric):
    """The fraction of the samples whose label has one of the k highest scores; of equal scores lower classes go first.

    It is called top_5 for k = 5.
    """

    top: int

    @property
    def kind(self) -> str:  # type: ignore[override]
        return f"top_{self.top}"

    def __post_init__(self):
        if not self.loss.takes_labels:
            self._refuse(f"targets of {self.loss.name} are numbers, and it looks for labels", "softmax_cross_entropy")
        if not 1 <= self.top < self.outputs:
            self._refuse(f"of {self.outputs} classes", f"a k from 1 to {self.outputs - 1}")

    def of_each(self, scored):
        return scored.by_kernel(k.top_k_correct, self.top)


class MeanAbsoluteError(MeanMetric):
    """The mean over samples and outputs of |prediction − target|."""

    kind: ClassVar[str] = "mae"

    def __post_init__(self):
        self._needs_numbers()

    def of_each(self, scored):
        return scored.by_kernel(k.absolute_errors)


class MeanSquaredError(MeanMetric):
    """The mean over samples and outputs of (prediction − target)², whatever the loss's own scale."""

    kind: ClassVar[str] = "mse"

    def __post_init__(self):
        self._needs_numbers()

    def of_each(self, scored):
        return scored.by_kernel(k.squared_errors)


class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean squared error over all samples and outputs."""

    kind: ClassVar[str] = "rmse"

    def figure(self, mean):
        return math.sqrt(mean)


class Perplexity(MeanMetric):
    """exp of the mean cross-entropy, without penalties and without label smoothing."""

    kind: ClassVar[str] = "perplexity"

    def __post_init__(self):
        if not isinstance(self.loss, SoftmaxCrossEntropy):
            self._refuse(f"{self.loss.name} is no cross-entropy of labels", "it with softmax_cross_entropy")

    def of_each(self, scored):
        return scored.plain_cross_entropy if getattr(self.loss, "label_smoothing", 0) else scored.each

    @ieee
    def figure(self, mean):
        return float(np.exp(mean))
