"""The output layer of a large vocabulary: few weights for rare words, and exact probabilities of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.plain import plain
from fastnn.common.validation import is_whole_number, real_number, truth, whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.clusters import Rows, Tail, emit_tail, emit_tail_gradients, transposed
from fastnn.nn.layers.dense import Dense
from fastnn.nn.layers.labelled import AwaitsTargets, Transposed, no_gradient
from fastnn.nn.layers.penalties import Penalised

DEFAULT_POWERS = (2 / 3, 5 / 6)


@dataclass(frozen=True)
class AdaptiveSoftmax(Penalised, Layer):
    """Scores of many classes, such as the words of a vocabulary: the rarer a class, the fewer weights it has.

    x (N, inputs), scores (N, units). Classes are numbered by how often they occur, the most frequent first, as
    `fn.Words` and `load_text` number words. The first cutoffs[0] = K are the *head*; each further cutoff, and `units`,
    ends a *cluster* of rarer ones. With C clusters, for a class v of cluster c, whose first class is f:

        log p(v) = log softmax(x·w + b)[v]                                        for v < K
        log p(v) = log softmax(x·w + b)[K + c] + log softmax(x·pᵢ·wᵢᵀ)[v − f]      i = c + 1

    (Grave et al. 2017, "Efficient softmax approximation for GPUs", section 4; PyTorch's AdaptiveLogSoftmaxWithLoss has
    the same formula.) Scores are log p, so the probabilities are exact, and sum to 1 over all classes.

    It is an output of a network, and its loss is "softmax_cross_entropy". A training step computes the head for all
    samples, and a cluster for those samples alone whose target is in it. `predict`, `evaluate` and validation compute
    all classes, in blocks of samples. The loss that `fit` shows for training is exact. Its accuracy counts a rare class
    as right if its cluster has the head's highest score, and the class the cluster's highest; `evaluate` is exact.

    w (inputs, K + C), b (K + C,), pᵢ (inputs, widthᵢ), wᵢ (classes of the cluster, widthᵢ), widthᵢ = inputs /
    div_valueⁱ, rounded down, at least 1. Penalties count w and all pᵢ and wᵢ; max_norm must be None.

    Args:
        units: The number of classes, at least 2.
        cutoffs: Ascending, from 1 to units − 1; None: units^(2/3) and units^(5/6), rounded. If classes occur
            log-uniformly, as words nearly do, the head then has two thirds of the samples and each cluster a sixth. A
            smaller head is faster; a larger one has more weights, and fits words in the middle better.
        div_value: How much narrower each cluster is than the one before it, at least 1.
        use_bias: Whether the head has a b.
        initializer: Of w, pᵢ and, for (widthᵢ, classes), wᵢ transposed.
        bias_initializer: Of b.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Raises:
        ShapeError: In a network: for samples with more than one axis.
        ValueError: If it is no output, or has another loss; for a max_norm, or numbers out of range.
        TypeError: For arguments of another kind.

    Examples:
        >>> layers = [fn.Embedding(1_000, 8), fn.Flatten(), fn.AdaptiveSoftmax(1_000, cutoffs=[100, 400])]
        >>> model = fn.Sequential(layers, input_shape=(3,))
        >>> model.predict([[1, 2, 3]]).shape
        (1, 1000)
    """

    units: int
    cutoffs: tuple[int, ...] | None = None
    div_value: float = 4.0
    use_bias: bool = False
    initializer: InitializerName | Initializer = "glorot_uniform"
    bias_initializer: InitializerName | Initializer = "zeros"
    kind: ClassVar[str] = "adaptive_softmax"
    needs_labels: ClassVar[bool] = True

    def __post_init__(self):
        self.check_penalties("AdaptiveSoftmax")
        if self.max_norm is not None:
            raise ValueError("AdaptiveSoftmax: max_norm bounds columns, and clusters have rows; expected None")
        object.__setattr__(self, "units", whole_number("AdaptiveSoftmax: units", self.units))
        if self.units < 2:
            raise ValueError(f"AdaptiveSoftmax: units is {self.units}, expected at least 2 classes")
        object.__setattr__(self, "cutoffs", _cutoffs(self.cutoffs, self.units))
        object.__setattr__(self, "div_value", real_number("AdaptiveSoftmax: div_value", self.div_value))
        if not 1 <= self.div_value < np.inf:
            raise ValueError(f"AdaptiveSoftmax: div_value is {self.div_value}, expected a number ≥ 1")
        object.__setattr__(self, "use_bias", truth("AdaptiveSoftmax: use_bias", self.use_bias))
        initializers.get(self.initializer)
        initializers.get(self.bias_initializer)

    @property
    def weights(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the parameters that penalties count."""
        return ("w", *(name for tail in self._tails(1) for name in (tail.down, tail.up)))

    @property
    def bounds(self) -> tuple[int, ...]:
        """The cutoffs, and the number of classes."""
        assert self.cutoffs is not None
        return (*self.cutoffs, self.units)

    @property
    def head(self) -> Dense:
        """The layer that makes the scores of the frequent classes, and of the clusters."""
        size = self.bounds[0] + len(self.bounds) - 1
        return Dense(size, "identity", self.initializer, self.bias_initializer, self.use_bias)

    def _tails(self, inputs: int) -> list[Tail]:
        found = []
        for i, (first, end) in enumerate(pairwise(self.bounds)):
            found.append(Tail(i, first, end - first, max(int(inputs // self.div_value ** (i + 1)), 1)))
        return found

    def output_shape(self, shape):
        if len(shape) != 1:
            raise ShapeError(f"AdaptiveSoftmax got samples of shape {shape}, expected (inputs,): put Flatten() before")
        return (self.units,)

    def parameters(self, shape):
        found = self.head.parameters(shape)
        for tail in self._tails(shape[-1]):
            found[tail.down] = Parameter((shape[-1], tail.width), initializers.get(self.initializer))
            found[tail.up] = Parameter((tail.classes, tail.width), Transposed(self.initializer))
        return found

    def forward(self, build, x, p):
        if build.training:
            return self._forward_training(build, x, p)
        return self._all_scores(build, x, p), no_gradient

    def _all_scores(self, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> Value:
        """Emit log p of all classes. Clusters from the last to the first: the head has written its scores of the
        clusters to the columns from K on, of which that of each cluster is before, or at, its first class.
        """
        out = build.value("scores", (self.units,))
        head, _ = self.head.forward(build, x, p)
        build.emit(k.place_log_probabilities, out.buffer, head.buffer, 0, -1, head.width)
        for tail in reversed(self._tails(x.width)):
            narrow, scores = build.value("narrow", (tail.width,)), build.value("tail", (tail.classes,))
            build.emit(k.matmul, narrow.buffer, x.buffer, p[tail.down].array)
            build.emit(k.matmul, scores.buffer, narrow.buffer, transposed(build, p[tail.up], tail.width))
            place = tail.first, self.bounds[0] + tail.number, tail.classes
            build.emit(k.place_log_probabilities, out.buffer, scores.buffer, *place)
        return out

    def _forward_training(self, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> tuple[Value, Callable]:
        owner, tails = build.owner, self._tails(x.width)
        of_step: dict[str, Any] = {}
        head, head_backward = self.head.forward(build, x, p)

        def against(build: Builder, labels: Buffer) -> tuple[Value, Buffer]:
            column = build.array("column", (build.batch,), np.int32, batched=True)
            of_step.update(labels=labels, rows=Rows.emit(build, column, labels, self.bounds, x.width))
            return head, column

        def complete(build: Builder, each: Buffer, correct: Buffer, weight: Buffer) -> Callable[[], Value]:
            build.begin(owner)
            of_samples = each, correct, of_step["labels"], weight
            of_step["tails"] = [emit_tail(build, x, p, tail, of_step["rows"], of_samples) for tail in tails]
            build.begin("loss")
            return lambda: self._all_scores(build, x, p)

        def backward(dout, grads, wanted):
            dx = head_backward(dout, grads, wanted)
            for tail, kept in zip(tails, of_step["tails"], strict=True):
                emit_tail_gradients(build, dx, p, grads, tail, of_step["rows"], *kept)
            return dx

        return AwaitsTargets(x.buffer, x.shape, against, complete), backward


def _cutoffs(given: Any, units: int) -> tuple[int, ...]:
    """The cutoffs as whole numbers; None: those that the docstring names."""
    if given is None:
        chosen = (min(max(round(units**power), 1), units - 1) for power in DEFAULT_POWERS)
        return tuple(sorted(set(chosen)))
    listed = plain(given)
    if not isinstance(listed, list | tuple) or not listed or not all(map(is_whole_number, listed)):
        raise TypeError(f"AdaptiveSoftmax: cutoffs is {given!r}, expected whole numbers such as [2_000, 10_000]")
    found = tuple(int(one) for one in listed)
    if list(found) != sorted(set(found)) or not 1 <= found[0] <= found[-1] < units:
        raise ValueError(
            f"AdaptiveSoftmax: cutoffs is {list(found)}, expected ascending numbers from 1 to {units - 1}, units − 1: "
            "where the frequent classes and each cluster but the last one end"
        )
    return found
