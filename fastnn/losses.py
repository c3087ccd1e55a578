"""Losses: what a batch of scores costs, its gradient, and what a prediction is."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.checks import as_array, whole_numbers
from fastnn.errors import ShapeError
from fastnn.naming import look_up
from fastnn.plan.arena import Buffer
from fastnn.plan.builder import Builder, Value

REDUCTIONS = {"mean": True, "sum": False}


@dataclass(frozen=True)
class Loss:
    """Base of all losses. The loss of a batch is Σ wᵢ·ℓᵢ, divided by Σ wᵢ if `reduction` is "mean".

    `emit` writes the rows that compute ℓ, whether each sample is classified correctly, and the
    gradient by the scores of Σ weightᵢ·ℓᵢ; `weight` already holds the division.
    """

    reduction: str = "mean"
    name: ClassVar[str]

    def __post_init__(self):
        look_up("reduction", self.reduction, REDUCTIONS)

    def sample_weight(self, batch: int) -> float:
        """The weight of each of `batch` samples that count alike."""
        return 1.0 / batch if self.reduction == "mean" else 1.0

    def emit(self, build: Builder, scores: Value, target: Buffer, weight: Buffer) -> tuple[Buffer, Buffer, Value]:
        raise NotImplementedError

    def emit_predictions(self, build: Builder, scores: Value) -> Value:
        """Emit what `predict` returns; the scores themselves unless a loss knows better."""
        return scores

    def checked_targets(self, y: np.ndarray, name: str, outputs: int) -> np.ndarray:
        """y as the loss's kernel takes it, (N,); ShapeError or DataError says what is wrong."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """ℓ = log Σⱼ exp(sⱼ) − s[label], in nats, for labels that are whole numbers from 0."""

    name: ClassVar[str] = "softmax_cross_entropy"

    def emit(self, build, scores, target, weight):
        loss = build.array("loss", (build.batch,), batched=True)
        correct = build.array("correct", (build.batch,), batched=True)
        dscores = build.value("dscores", scores.shape)
        build.emit(k.softmax_cross_entropy, loss, correct, dscores.buffer, scores.buffer, target, weight, scores.width)
        return loss, correct, dscores

    def emit_predictions(self, build, scores):
        out = build.value("probabilities", scores.shape)
        build.emit(k.softmax_forward, out.buffer, scores.buffer, scores.width)
        return out

    def checked_targets(self, y, name, outputs):
        y = as_array(y, name)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ShapeError(f"{name} has shape {y.shape}, expected one label per sample: (N,) or (N, 1)")
        return whole_numbers(y, name, outputs, f"labels of {outputs} classes")


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (SoftmaxCrossEntropy,)}


def get(spec: str | Loss) -> Loss:
    """The loss called `spec`, or `spec` itself if it is one already."""
    return spec if isinstance(spec, Loss) else look_up("loss", spec, LOSSES)()


def from_config(config: dict[str, Any]) -> Loss:
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("loss", config.get("name"), LOSSES)(**arguments)
