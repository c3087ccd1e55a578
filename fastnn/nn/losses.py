"""Losses: the cost of a batch of scores, its gradient, and the predictions that belong to it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.hints.habits import Hinted, missing_from
from fastnn.common.labels import class_labels, is_plus_minus_one, refuse_words
from fastnn.common.names import look_up
from fastnn.common.plain import PlainNumbers
from fastnn.common.validation import finite
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Value
from fastnn_kernels._jit import Kernel, of_user

REDUCTIONS = {"mean": True, "sum": False}
# From so many scores on no gradient is computed where nobody needs it. Fewer take less than 2 MB in an evaluation.
WIDE = 1_024
Reduction = Literal["mean", "sum"]
LossName = Literal["softmax_cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "poisson"]


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
    applies: ClassVar[str] = ""  # the activation that it applies to the scores, to make probabilities of them

    def __post_init__(self):
        if not isinstance(self.reduction, str):  # such as Huber(1.5)
            others = [f"{one.name}=" for one in fields(self) if one.init and one.name != "reduction"]
            hint = f"; {' and '.join(others)} by name" if others else ""
            raise TypeError(f"{type(self).__name__}: reduction is {self.reduction!r}, expected 'mean' or 'sum'{hint}")
        look_up("reduction", self.reduction, REDUCTIONS)

    def sample_weight(self, batch: int) -> float:
        """The weight of each of `batch` samples that count alike.

        Args:
            batch: The number of samples.
        """
        return 1.0 / batch if self.reduction == "mean" else 1.0

    def settings(self) -> tuple[float, ...]:
        """The numbers by which its kernel is set."""
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
        raise NotImplementedError

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
        y = finite(y, name)
        if y.ndim == 1 and outputs == 1:
            y = y[:, None]
        if y.ndim != 2 or y.shape[1] != outputs:
            raise ShapeError(f"{name} has shape {y.shape}, expected (N, {outputs}): a number for each output")
        return y

    def config(self) -> dict[str, Any]:
        """The description as plain data, from which `from_config` makes an equal loss."""
        return {"name": self.name, **{item.name: getattr(self, item.name) for item in fields(self)}}


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """ℓ = log Σⱼ exp(sⱼ) − Σⱼ tⱼ·sⱼ, in nats, for labels that are whole numbers from 0.

    t is 1 at the label and 0 elsewhere; `label_smoothing` ε makes it (1 − ε) there, plus ε / classes everywhere.
    Predictions are the probabilities, exp(sⱼ) / Σ exp(s).

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        label_smoothing: ε, from 0 to 1.

    Raises:
        ValueError: For a number out of range or an unknown reduction.

    Examples:
        >>> loss = fn.SoftmaxCrossEntropy(label_smoothing=0.1)
        >>> history = fn.Sequential([fn.Dense(3)], input_shape=4, loss=loss).fit(x, y)
    """

    label_smoothing: float = 0.0
    name: ClassVar[str] = "softmax_cross_entropy"
    applies: ClassVar[str] = "softmax"
    takes_labels: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.label_smoothing <= 1:
            raise ValueError(f"SoftmaxCrossEntropy: label_smoothing is {self.label_smoothing}, expected 0 to 1")

    def emit(self, build, scores, target, weight):
        if self.label_smoothing:
            constant = build.constant([self.label_smoothing])
            return _emit(build, k.softmax_cross_entropy_smooth, scores, target, weight, constant)
        return _emit(build, k.softmax_cross_entropy, scores, target, weight)

    def emit_value(self, build, scores, target, weight):
        if self.label_smoothing or scores.width < WIDE:
            return super().emit_value(build, scores, target, weight)
        loss, correct = _of_samples(build)
        build.emit(k.softmax_cross_entropy_value, loss, correct, scores.buffer, target, scores.width)
        return loss, correct

    def emit_predictions(self, build, scores):
        return _emit_output(build, k.softmax_forward, scores)

    def checked_targets(self, y, name, outputs):
        return class_labels(y, name, outputs)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """ℓ = mean over outputs of log(1 + exp(s)) − t·s: each score s is the logit of a probability, t in [0, 1].

    Predictions are the probabilities, 1 / (1 + exp(−s)).

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.

    Raises:
        ValueError: For an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.BinaryCrossEntropy())
        >>> history = model.fit(x, y == 0)
    """

    name: ClassVar[str] = "binary_cross_entropy"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)
    applies: ClassVar[str] = "sigmoid"

    def emit(self, build, scores, target, weight):
        return _emit(build, k.binary_cross_entropy, scores, target, weight)

    def emit_predictions(self, build, scores):
        return _emit_output(build, k.sigmoid_forward, scores)

    def checked_targets(self, y, name, outputs):
        y = super().checked_targets(y, name, outputs)
        if len(y) and not 0 <= y.min() <= y.max() <= 1:
            hint = ": give (y + 1) / 2" if is_plus_minus_one(y) else ": give y - 1" if np.isin(y, (1, 2)).all() else ""
            raise DataError(f"{name} holds values from {y.min()} to {y.max()}, expected probabilities, 0 to 1{hint}")
        return y


@dataclass(frozen=True)
class MSE(Loss):
    """ℓ = scale · mean over outputs of (s − t)²; scale=.5 is the half-squared form.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        scale: What the mean is multiplied by.

    Raises:
        ValueError: For a scale that is not above 0 or an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.MSE(scale=0.5), metrics=["r2"])
        >>> history = model.fit(x, x.sum(axis=1))
    """

    scale: float = 1.0
    name: ClassVar[str] = "mse"

    def __post_init__(self):
        super().__post_init__()
        _above_zero("MSE", "scale", self.scale)

    def settings(self):
        return (self.scale,)

    def emit(self, build, scores, target, weight):
        return _emit(build, k.mse, scores, target, weight, build.constant(self.settings()))


@dataclass(frozen=True)
class MAE(Loss):
    """ℓ = mean over outputs of |s − t|.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.

    Raises:
        ValueError: For an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.MAE())
        >>> history = model.fit(x, x.sum(axis=1))
    """

    name: ClassVar[str] = "mae"

    def emit(self, build, scores, target, weight):
        return _emit(build, k.mae, scores, target, weight)


@dataclass(frozen=True)
class Huber(Loss):
    """ℓ = mean over outputs of ½·d² where |d| ≤ delta, delta·(|d| − ½·delta) elsewhere, d = s − t.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        delta: The difference from which on the loss grows linearly.

    Raises:
        ValueError: For a delta that is not above 0 or an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.Huber(delta=2.0))
        >>> history = model.fit(x, x.sum(axis=1))
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def __post_init__(self):
        super().__post_init__()
        _above_zero("Huber", "delta", self.delta)

    def settings(self):
        return (self.delta,)

    def emit(self, build, scores, target, weight):
        return _emit(build, k.huber, scores, target, weight, build.constant(self.settings()))


@dataclass(frozen=True)
class Poisson(Loss):
    """ℓ = mean over outputs of exp(s) − t + t·(log t − s), half the Poisson deviance: targets are counts, t ≥ 0.

    Each score s is the logarithm of a mean; predictions are the means, exp(s).

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.

    Raises:
        ValueError: For an unknown reduction.

    Examples:
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=fn.Poisson())
        >>> history = model.fit(x, y)
    """

    name: ClassVar[str] = "poisson"

    def emit(self, build, scores, target, weight):
        return _emit(build, k.poisson, scores, target, weight)

    def emit_predictions(self, build, scores):
        return _emit_output(build, k.exp_forward, scores)

    def checked_targets(self, y, name, outputs):
        y = super().checked_targets(y, name, outputs)
        if len(y) and y.min() < 0:
            raise DataError(f"{name} holds values from {y.min()} on, expected counts or other numbers ≥ 0")
        return y


_own_losses = itertools.count()


@dataclass(frozen=True)
class ElementwiseLoss(Loss):
    """A loss of your own: ℓ = mean over outputs of value(s, t); gradient(s, t) is its derivative by the score s.

    Both are functions of two numbers that Numba can compile: arithmetic, `math`, conditions. A model with such a loss
    is saved without it: give it again in `load(path, loss=...)`.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        value: The loss of a score and a target.
        gradient: Its derivative by the score.

    Raises:
        TypeError: For what is no such function, or cannot be compiled.
        ValueError: For an unknown reduction.

    Examples:
        >>> loss = fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3)
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=loss)
    """

    value: Callable[[float, float], float] | None = None
    gradient: Callable[[float, float], float] | None = None
    _kernel: Kernel = field(init=False, repr=False, compare=False)
    name: ClassVar[str] = "elementwise"

    def __post_init__(self):
        super().__post_init__()
        for part in ("value", "gradient"):
            function = getattr(self, part)
            if not callable(function):
                raise TypeError(f"ElementwiseLoss: {part} is {function!r}, expected a function of score and target")
            try:
                number = of_user(function)(0.5, 0.25)
            except Exception as error:  # whatever Numba raises for code that it cannot compile
                reason = str(error).strip().splitlines()[0]
                raise TypeError(f"ElementwiseLoss: {part} cannot be compiled: {reason}") from None
            if not isinstance(number, int | float):
                raise TypeError(f"ElementwiseLoss: {part}(0.5, 0.25) is {number!r}, expected a number")
        kernel = k.losses.elementwise_loss(self.value, self.gradient, f"elementwise_loss_{next(_own_losses)}")
        object.__setattr__(self, "_kernel", kernel)

    def emit(self, build, scores, target, weight):
        return _emit(build, self._kernel, scores, target, weight)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}


def _above_zero(loss: str, name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{loss}: {name} is {value}, expected above 0")


def _emit(build: Builder, kernel: Kernel, scores: Value, target: Buffer, weight: Buffer, *constants: np.ndarray):
    """Emit a fused loss kernel: all have the same outputs and the same order of operands."""
    loss, correct = _of_samples(build)
    dscores = build.value("dscores", scores.shape)
    operands = (loss, correct, dscores.buffer, scores.buffer, target, weight, *constants)
    build.emit(kernel, *operands, scores.width)
    return loss, correct, dscores


def _of_samples(build: Builder) -> tuple[Buffer, Buffer]:
    """Room for the loss of each sample, and for how much of it is right."""
    loss, correct = (build.array(name, (build.batch,), batched=True) for name in ("loss", "correct"))
    return loss, correct


def _emit_output(build: Builder, kernel: Kernel, scores: Value) -> Value:
    out = build.value("output", scores.shape)
    build.emit(kernel, out.buffer, scores.buffer, scores.width)
    return out


KINDS = (SoftmaxCrossEntropy, BinaryCrossEntropy, MSE, MAE, Huber, Poisson)  # those that can be given by name
LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in KINDS}


def get(spec: LossName | Loss) -> Loss:
    """The loss called `spec`, or `spec` itself if it is one already.

    Args:
        spec: A name, such as "mse", or a loss.

    Raises:
        ValueError: For an unknown name.
        TypeError: For what is neither.
    """
    if isinstance(spec, Loss):
        return spec
    if callable(spec):
        hint = "fn.MSE() or another of its objects" if isinstance(spec, type) else "fn.ElementwiseLoss(value, gradient)"
        raise TypeError(f'loss is {getattr(spec, "__name__", spec)}, expected a name such as "mse", or {hint}')
    return look_up("loss", spec, LOSSES)()


def from_config(config: dict[str, Any]) -> Loss:
    """The loss that `Loss.config` described.

    Args:
        config: The description.

    Raises:
        ValueError: For a loss of your own, which is in no file, or an unknown name.
    """
    if config.get("name") == ElementwiseLoss.name:
        raise ValueError("the model was trained with a loss of your own: say which, load(path, loss=...)")
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("loss", config.get("name"), LOSSES)(**arguments)


if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, (kind.__name__ for kind in (*KINDS, ElementwiseLoss)))
