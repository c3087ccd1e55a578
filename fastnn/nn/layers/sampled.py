"""The output layer of a large vocabulary: softmax over a sample of the classes while training, over all otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.names import look_up
from fastnn.common.validation import finite, real_number, whole_number
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Axis, Columns, Listed, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName
from fastnn.nn.layers.base import Layer, Parameter
from fastnn.nn.layers.draws import DISTRIBUTIONS, Drawn, Proposal
from fastnn.nn.layers.labelled import AwaitsTargets, Transposed, no_gradient
from fastnn.nn.layers.penalties import Penalised, check_tie
from fastnn.nn.row_list import RowList

LINE = 16  # numbers of a cache line of float32: no two threads write to one line of the gradient of the biases


@dataclass(frozen=True)
class SampledSoftmax(Penalised, Layer):
    """Scores x·wᵀ + b of many classes, such as the words of a vocabulary, of which a training step computes few.

    x (N, inputs), w (units, inputs), b (units,), scores (N, units); of sequences (N, T, inputs) each step is a sample,
    with a target of its own. It is an output of a network, and its loss is "softmax_cross_entropy". `predict`,
    `evaluate` and validation take the softmax over all classes, in blocks of samples. A training step draws `samples`
    classes, the same ones for all samples of its batch, and takes the softmax over these and the target. One that is
    drawn several times is computed once, and counts as often:

        ℓ = log(exp(s_y) + Σ_c exp(s_c) / (samples · q[c])) − s_y      over the drawn classes c ≠ y

    The second argument of the logarithm's sum is, on average over all draws, the sum over all other classes (importance
    sampling: Bengio and Senécal 2003; Jean et al. 2015). Its logarithm, and so ℓ, is on average too small, and the
    gradient's error on average shrinks like 1/samples. The loss and the accuracy that `fit` shows for training are
    those of the sample; those of validation are exact.

    A training step reads and changes those rows of w and b alone whose class is drawn or a target: its time does not
    grow with `units`. What this means for optimizers: SGD without momentum, and AdaGrad, do what they always do. SGD
    with momentum, RMSProp, Adam and AdamW are *lazy* here (TensorFlow's LazyAdam, PyTorch's SparseAdam): a row that is
    neither drawn nor a target keeps its weights and its state, so its velocity and its means neither decay nor move it,
    and it does not decay; Adam's correction for the start counts all steps. With state_dtype="bfloat16" and where l1 or
    l2 apply to w, all rows are updated, as elsewhere, and so is w of a layer that is used twice. `clip_norm` looks at
    all rows, too, and takes time for them.

    Args:
        units: The number of classes.
        samples: How many classes a step draws, with replacement. The classes depend only on the seed, the layer's name,
            the epoch and the step.
        distribution: q: "log_uniform", q[v] ∝ log((v + 2) / (v + 1)), for classes in the order of their frequency, the
            most frequent first; or "unigram", q[v] ∝ counts[v]^power. A saved model has "stored", the q of its file.
        power: For "unigram"; .75 draws rare classes more often than they occur (Mikolov et al. 2013).
        counts: (units,) how often each class occurs, for "unigram"; 0 counts as 1. They are saved as q alone.
        initializer: Of w, which it takes for (inputs, units) transposed.
        bias_initializer: Of b.
        tied_to: The name of an embedding whose table this layer has for w, instead of one of its own: words then have
            the same vector as inputs and as outputs. The layer before must have as many units as the table is wide.
            Gradients of both uses are added, in one order. Beside Embedding(sparse=True) a step still looks at the rows
            alone that it uses; beside another one, at all. Penalties are the embedding's.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.

    Raises:
        ShapeError: In a network: for samples with more than one axis; for counts of another shape.
        ValueError: If it is no output, or has another loss; for a max_norm, which would look at all rows; for numbers
            out of range, or counts without "unigram".

    Examples:
        >>> layers = [fn.Embedding(1_000, 8), fn.Flatten(), fn.SampledSoftmax(1_000, samples=64)]
        >>> model = fn.Sequential(layers, input_shape=(3,))
        >>> model.predict([[1, 2, 3]]).shape
        (1, 1000)
    """

    units: int
    samples: int = 256
    distribution: Literal["log_uniform", "unigram", "stored"] = "log_uniform"
    power: float = 0.75
    counts: tuple[float, ...] | None = field(default=None, repr=False)
    initializer: InitializerName | Initializer = "glorot_uniform"
    bias_initializer: InitializerName | Initializer = "zeros"
    tied_to: str | None = None
    kind: ClassVar[str] = "sampled_softmax"
    needs_labels: ClassVar[bool] = True
    per_time_step: ClassVar[bool] = True

    def __post_init__(self):
        self.check_penalties("SampledSoftmax")
        if self.max_norm is not None:
            raise ValueError("SampledSoftmax: max_norm would look at all rows of w in each step; expected None")
        for name in ("units", "samples"):
            object.__setattr__(self, name, whole_number(f"SampledSoftmax: {name}", getattr(self, name)))
        object.__setattr__(self, "power", real_number("SampledSoftmax: power", self.power))
        look_up("distribution", self.distribution, dict.fromkeys(DISTRIBUTIONS))
        if (self.counts is not None) != (self.distribution == "unigram"):
            given = "no counts" if self.counts is None else "counts"
            raise ValueError(
                f"SampledSoftmax: {given} with distribution={self.distribution!r}, expected counts (units,) with "
                'distribution="unigram" and with no other'
            )
        if self.counts is not None:
            object.__setattr__(self, "counts", _counts(self.counts, self.units))
        initializers.get(self.initializer)
        initializers.get(self.bias_initializer)
        check_tie("SampledSoftmax", self.tied_to, self)

    def output_shape(self, shape):
        if len(shape) not in (1, 2):
            raise ShapeError(
                f"SampledSoftmax got samples of shape {shape}, expected (inputs,), or sequences (T, inputs): put "
                "Flatten() before"
            )
        return (*shape[:-1], self.units)

    def parameters(self, shape):
        bias = {"b": Parameter((self.units,), initializers.get(self.bias_initializer))}
        if self.tied_to is not None:
            return bias
        return {"w": Parameter((self.units, shape[-1]), Transposed(self.initializer))} | bias

    def borrowed(self, shape):
        return {} if self.tied_to is None else {"w": (f"{self.tied_to}.w", (self.units, shape[-1]))}

    def buffers(self, shape):
        return {"q": Parameter((self.units,), Proposal(self.distribution, self.power, self.counts))}

    def config(self) -> dict[str, Any]:
        found = super().config()
        return found if self.counts is None else found | {"counts": None, "distribution": "stored"}

    def forward(self, build, x, p):
        if build.training:
            return self._forward_sampled(build, x, p)
        return self._all_scores(build, x, p), no_gradient

    def _all_scores(self, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> Value:
        """Emit the scores of all classes: scoresᵀ = w · xᵀ, so that w need not be transposed."""
        classes = build.axis_of(p["w"])
        x_t, scores_t = build.scratch("xᵀ", x.width, build.batch), build.passing_matrix(self.units, build.batch)
        scores = build.value("scores", (self.units,))
        build.emit(k.transpose, x_t, x.buffer, 0)
        build.emit_along(classes, k.matmul, Slice(scores_t), Slice(p["w"].array), x_t)
        build.emit_along(classes, k.transpose, Columns(scores.buffer), Slice(scores_t), OFFSET)
        build.emit(k.bias_forward, scores.buffer, p["b"].array)
        return scores

    def _forward_sampled(self, build: Builder, x: Value, p: Mapping[str, ParameterView]) -> tuple[Value, Callable]:
        w, b, q, S = p["w"].array, p["b"].array, p["q"].array[: self.units], self.samples
        drawn, owner, of_step = Drawn.emit(build, S, x.width, w, b, q), build.owner, {}

        def against(build: Builder, labels: Buffer) -> tuple[Value, Buffer]:
            build.begin(owner)
            scores = build.value("scores", (S + 1,))
            column = build.array("column", (build.batch,), np.int32, batched=True)
            found = drawn.columns, w, b, drawn.shifts, drawn.classes, drawn.used
            build.emit(k.sampled_scores, scores.buffer, column, x.buffer, *found, labels, x.width)
            build.begin("loss")
            of_step["labels"] = labels
            return scores, column

        def backward(dout, grads, wanted):
            labels = of_step["labels"]
            self._emit_gradients(build, x, dout, grads, drawn, labels)
            if not wanted:
                return None
            dx = build.value("dx", x.shape)
            build.emit(k.sampled_matmul, dx.buffer, dout.buffer, drawn.rows, drawn.used)
            build.emit(k.add_target_rows, dx.buffer, dout.buffer, w, labels, S, x.width)
            return dx

        return AwaitsTargets(x.buffer, x.shape, against), backward

    def _emit_gradients(self, build: Builder, x: Value, dout: Value, grads, drawn: Drawn, labels: Buffer) -> None:
        """Emit the gradients of the rows and biases that this step used."""
        rows = RowList.of(build, self.samples + build.batch, True, grads["w"], grads["b"])
        of_w = rows.with_lookups(build, grads["w"])
        dw, db = of_w.emit_cleared(build, grads["w"]), rows.emit_cleared(build, grads["b"])
        rows.emit(build, drawn.ids, labels, self.units)
        if of_w is not rows:
            of_w.emit(build, rows.ids, build.lookups[grads["w"].name], self.units + 1)
        drows, dshifts = build.scratch("drows", self.samples, x.width), build.array("dshifts", (self.samples,))
        given = dout.buffer, x.buffer, drawn.used
        build.emit_along(drawn.axis, k.sampled_matmul_xt, Listed(drows), *given, *drawn.shares)
        build.emit_along(Axis(self.samples, LINE, self.samples), k.bias_backward, Slice(dshifts), dout.buffer, OFFSET)
        found = Slice(rows.heads), Slice(rows.places), rows.ids, rows.positions, drawn.firsts
        operands = (Listed(dw), Listed(db), drows, dshifts, dout.buffer, x.buffer, *found)
        build.emit_along(rows.axis, k.sampled_backward_listed, *operands, x.width, int(rows.is_short), OFFSET)


def _counts(given: Any, units: int) -> tuple[float, ...]:
    counts = finite(np.asarray(given), "SampledSoftmax: counts")
    if counts.shape != (units,):
        raise ShapeError(f"SampledSoftmax: counts has shape {counts.shape}, expected ({units},): one for each class")
    if counts.min() < 0:
        raise ValueError(f"SampledSoftmax: counts has {counts.min()}, expected numbers ≥ 0")
    return tuple(map(float, counts))
