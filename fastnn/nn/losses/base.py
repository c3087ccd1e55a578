"""The base of all losses, and how they emit the kernels that compute them."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np

from fastnn.common.errors import ShapeError, not_defined
from fastnn.common.hints.habits import Hinted
from fastnn.common.labels import refuse_words
from fastnn.common.names import look_up
from fastnn.common.plain import PlainNumbers
from fastnn.common.validation import finite
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Value
from fastnn_kernels._jit import Kernel

MISSING = "; leave out rows whose target is missing"
MISSING_SOME = "; leave out rows whose targets are missing; where some are, an fn.ElementwiseLoss may pass over these"
REDUCTIONS = {"mean": True, "sum": False}
Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class Loss(PlainNumbers, Hinted):
    """Base of all losses. The loss of a batch is Σ wᵢ·ℓᵢ, divided by Σ wᵢ if `reduction` is "mean".

    `emit` emits the operations that compute ℓ, whether each sample is classified correctly, and the gradient by the
    scores of Σ weightᵢ·ℓᵢ. The operand `weight` already holds the division.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
    """

    reduction: Reduction = "mean"
    name: ClassVar[str]
    takes_labels: ClassVar[bool] = False  # whether targets are class numbers (N,), not rows of numbers
    metrics: ClassVar[tuple[str, ...]] = ()  # what a model with this loss reports beside it, unasked
    applies: ClassVar[str] = (
        ""  # what makes predictions of scores: "softmax", "sigmoid", "exp"; "": they are the scores
    )

    def __post_init__(self):
        if not isinstance(self.reduction, str):  # such as Huber(1.5)
            others = [f"{one.name}=" for one in fields(self) if one.init and one.name != "reduction"]
            hint = f"; {' and '.join(others)} by name" if others else ""
            raise TypeError(f"{type(self).__name__}: reduction is {self.reduction!r}, expected 'mean' or 'sum'{hint}")
        look_up("reduction", self.reduction, REDUCTIONS)

    @property
    def makes_probabilities(self) -> bool:
        """Whether predictions are probabilities of classes."""
        return self.applies in ("softmax", "sigmoid")

    def sample_weight(self, batch: int) -> float:
        """The weight of each of `batch` samples that count alike.

        Args:
            batch: The number of samples.
        """
        return 1.0 / batch if self.reduction == "mean" else 1.0

    def kernel(self) -> Kernel:
        """The kernel that computes it: all have the same outputs and the same order of operands."""
        raise not_defined(self, "kernel")

    def settings(self) -> tuple[float, ...]:
        """The numbers by which its kernel is set: an operand of it, where there are any."""
        return ()

    def emit(self, build: Builder, scores: Value, target: Buffer, weight: Buffer) -> tuple[Buffer, Buffer, Value]:
        """Emit the operations that compute each sample's loss, whether it is right, and the gradient by the scores.

        Args:
            build: What collects the operations.
            scores: Of the network, (N, outputs).
            target: The targets as `checked_targets` makes them.
            weight: The loss weight of each sample, (N,).

        Returns:
            The loss of each sample without its weight (N,), how much of it is right (N,), and the gradient (N,
                outputs).
        """
        settings = self.settings()
        constants = [build.constant(settings)] if settings else []
        loss, correct = of_samples(build)
        dscores = build.value("dscores", scores.shape)
        operands = (loss, correct, dscores.buffer, scores.buffer, target, weight, *constants)
        build.emit(self.kernel(), *operands, scores.width)
        return loss, correct, dscores

    def emit_value(self, build: Builder, scores: Value, target: Buffer, weight: Buffer) -> tuple[Buffer, Buffer]:
        """As `emit`, where nobody needs the gradient: the same bits.

        Args:
            build: What collects the operations.
            scores: Of the network, (N, outputs).
            target: The targets as `checked_targets` makes them.
            weight: The loss weight of each sample, (N,).

        Returns:
            The loss of each sample without its weight (N,), and how much of it is right (N,).
        """
        loss, correct, _ = self.emit(build, scores, target, weight)
        return loss, correct

    def emit_predictions(self, build: Builder, scores: Value) -> Value:
        """Emit the predictions: the scores themselves, unless a loss overrides this.

        Args:
            build: What collects the operations.
            scores: Of the network, (N, outputs).
        """
        return scores

    def checked_targets(self, y: Any, name: str, outputs: int) -> np.ndarray:
        """y as the loss's kernel takes it: labels (N,), or here numbers (N, outputs).

        Args:
            y: A user's targets.
            name: What messages call them.
            outputs: How many numbers a prediction has.

        Raises:
            ShapeError: For another shape.
            DataError: For values that the loss cannot take.
        """
        refuse_words(y, name)
        y = finite(y, name, missing=MISSING_SOME if outputs > 1 else MISSING)
        if y.ndim == 1 and outputs == 1:
            y = y[:, None]
        if y.ndim != 2 or y.shape[1] != outputs:
            raise ShapeError(f"{name} has shape {y.shape}, expected (N, {outputs}): a number for each output")
        return y

    def config(self) -> dict[str, Any]:
        """The description as plain data, from which `from_config` makes an equal loss."""
        return {"name": self.name, **{item.name: getattr(self, item.name) for item in fields(self)}}


def of_samples(build: Builder) -> tuple[Buffer, Buffer]:
    """Room for the loss of each sample, and for how much of it is right."""
    loss, correct = (build.array(name, (build.batch,), batched=True) for name in ("loss", "correct"))
    return loss, correct


def emit_output(build: Builder, kernel: Kernel, scores: Value) -> Value:
    out = build.value("output", scores.shape)
    build.emit(kernel, out.buffer, scores.buffer, scores.width)
    return out
