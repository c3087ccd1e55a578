"""From a network to plans: what is gathered, computed, recorded and updated in each step of each mode."""

import time
from collections.abc import Callable

import numpy as np

import fastnn_kernels as k
from fastnn.network import Network, State
from fastnn.optimizers import Optimizer
from fastnn.plan.arena import Buffer
from fastnn.plan.block import Block
from fastnn.plan.builder import Builder, Value
from fastnn.plan.program import Program
from fastnn_kernels._sums import chunks
from fastnn_kernels.batch import ROUNDS

# Signals and callbacks are looked at between compiled calls; a person notices delays from about 100 ms.
SECONDS_PER_CALL = 0.05
STEPS_PER_CALL = 1024

PENALTIES = (k.penalty_l1, k.penalty_l2)
PENALTY_GRADIENTS = (k.add_l1, k.add_l2)


class Plan:
    """A program over a data set: it walks through samples in batches, the last one shorter.

    gradients  the block that each step fills, or None where nothing is differentiated
    output     the value that holds a batch's predictions, or None
    losses     of each step of the walk so far, penalties included, float64
    """

    def __init__(self, network: Network, dtype, batch: int, *, training=False, shuffle=False, weighted=False):
        self.network = network
        self.build = Builder(batch, dtype, training)
        self.batch = batch
        self.weighted = weighted
        self.gradients: Block | None = None
        self.output: Value | None = None
        self.losses = np.zeros(0)
        self._seconds_per_step = SECONDS_PER_CALL
        self._weighted_for = 0
        self._last_batch = 0
        self._names: dict[int, str] = {}
        self._outside = {name: Buffer(name, (), np.dtype(dtype)) for name in ("x", "y", "weights", "losses", "count")}
        self._declare()
        self._emit_indices(shuffle)

    def _declare(self) -> None:
        build = self.build
        self._sums = build.array("sums", (4,), np.float64)
        self._key = build.array("key", (2 * ROUNDS,), np.uint64)
        self._indices = build.array("indices", (self.batch,), np.int64, batched=True)
        self._importance = build.array("importance", (self.batch,), batched=True)
        self._weight = build.array("weight", (self.batch,), batched=True)
        self._rates_table: Buffer | None = None

    def _emit_indices(self, shuffle: bool) -> None:
        if shuffle:
            operands = (self._indices, self.build.cursor, self._key, self._outside["count"])
            self.build.emit(k.permuted_indices, *operands)
        else:
            self.build.emit(k.sequential_indices, self._indices, self.build.cursor)

    def gather_x(self) -> Value:
        """Emit the gathering of a batch's inputs: word ids stay whole numbers."""
        dtype = np.int32 if self.network.takes_ids else None
        self._x_value = self._gather_rows("x", self.network.input_shape, dtype)
        return self._x_value

    def _gather_rows(self, name: str, shape: tuple[int, ...], dtype) -> Value:
        value = self.build.value(name, shape, dtype)
        self.build.emit(k.gather_rows, value.buffer, self._outside[name], self._indices)
        return value

    def _gather_values(self, name: str, buffer: Buffer) -> Buffer:
        self.build.emit(k.gather_values, buffer, self._outside[name], self._indices)
        return buffer

    def name(self, block: Block, prefix: str = "") -> None:
        """Say what the arrays of a block are called, for messages."""
        self._names |= {id(array): prefix + name for name, array in block.buffers.items()}

    def _target(self, scores: Value) -> Buffer:
        if self.network.loss.takes_labels:
            return self._gather_values("y", self.build.array("labels", (self.batch,), np.int32, batched=True))
        return self._gather_rows("y", scores.shape, None).buffer

    def emit_penalties(self, parameters: Block) -> None:
        """Emit what large weights cost, and its gradient where gradients are."""
        for name, strengths in self.network.penalties().items():
            w = parameters.buffers[name].reshape(-1)
            for strength, value, gradient in zip(strengths, PENALTIES, PENALTY_GRADIENTS, strict=True):
                if strength:
                    rates = self.build.constant([strength])
                    partial = self.build.array("partial sums", (chunks(w.size),), np.float64)
                    self.build.emit(value, self._outside["losses"], partial, self.build.cursor, w, rates)
                    if self.gradients is not None:
                        self.build.emit(gradient, self.gradients.buffers[name].reshape(-1), w, rates)

    def emit_loss(self, scores: Value) -> Value:
        """Emit the loss of the batch; returns the gradient of the scores."""
        self.build.begin(0, "loss")
        if self.weighted:
            self._gather_values("weights", self._importance)
            if self.network.loss.reduction == "mean":
                self.build.emit(k.normalise_weights, self._weight, self._importance)
            else:
                self._weight = self._importance
        loss, correct, dscores = self.network.loss.emit(self.build, scores, self._target(scores), self._weight)
        self._recorded = (loss, correct)
        return dscores

    def emit_record(self) -> None:
        """Emit the end of a step: loss and accuracy recorded, the cursor moved on."""
        sums = (self._outside["losses"], self._sums, self.build.cursor)
        self.build.emit(k.record_step, *sums, *self._recorded, self._importance, self._weight)

    def emit_update(self, optimizer: Optimizer, parameters: Block) -> None:
        """Emit the optimizer's update by this plan's gradients, at the rates that `advance` is given."""
        assert self.gradients is not None
        optimizer.attach(parameters)
        width = optimizer.rates(np.zeros(1)).shape[1]
        self._rates_table = self.build.array("rates of a call", (STEPS_PER_CALL, width))
        rates = self.build.array("rates", (width,))
        self.build.emit(k.select_rates, rates, self._rates_table, self.build.cursor)
        optimizer.emit(self.build, parameters, self.gradients, rates)
        for name, bound in self.network.max_norms().items():
            self.build.emit(k.max_norm_columns, parameters.buffers[name], self.build.constant([bound]))

    def finish(self) -> "Plan":
        self.program = Program(self.build, tuple(self._outside.values()))
        return self

    def start(
        self,
        x: np.ndarray,
        y: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        *,
        key: np.ndarray | None = None,
        noise: np.ndarray | None = None,
    ) -> None:
        """Begin a walk through x (N, columns) with targets y and sample weights (N,).

        `key` chooses the order of the samples, `noise` the random numbers of this walk.
        """
        steps = -(-len(x) // self.batch)
        if len(self.losses) != steps:
            self.losses = np.zeros(steps)
        self.losses[:] = 0
        nothing = np.zeros(0, x.dtype)
        arrays = {"x": x.reshape(len(x), -1), "y": nothing if y is None else y}
        arrays |= {"weights": nothing if weights is None else weights, "losses": self.losses}
        self.program.bind({self._outside[name]: array for name, array in arrays.items()})
        self.program.bind({self._outside["count"]: len(x)})
        for buffer, values in ((self.build.cursor, 0), (self._sums, 0), (self._key, key), (self.build.noise, noise)):
            if values is not None:
                self.program[buffer][:] = values
        self._total = len(x)

    def release(self) -> None:
        """Let go of the arrays of the walk: a plan that is kept must not keep a user's data alive."""
        self.program.unbind()

    def prepare(self) -> None:
        """Compile, or load from disk, what the walk that was started will need."""
        for batch in {min(self.batch, self._total), self._total % self.batch} - {0}:
            self.program.prepare(batch)

    def advance(self, limit: int | None = None, rates: Callable[[int], np.ndarray] | None = None) -> int:
        """Run the next steps, as many as fit into 50 ms and `limit`; how many: 0 at the end of the data.

        `rates(steps)` gives what the optimizer's kernel reads in each of the steps, (steps, r).
        """
        batch = min(self.batch, self._total - self.done)
        if batch <= 0:
            return 0
        steps = (self._total - self.done) // batch if batch == self.batch else 1
        steps = max(1, min(steps, int(SECONDS_PER_CALL / self._seconds_per_step), limit or steps, STEPS_PER_CALL))
        if rates is not None and self._rates_table is not None:
            self.program[self._rates_table][:steps] = rates(steps)
        self.program[self.build.cursor][2] = 0
        self._weigh(batch)
        self._last_batch = batch
        begin = time.perf_counter()
        self.program.run(steps, batch)
        self._seconds_per_step = max((time.perf_counter() - begin) / steps, 1e-7)
        return steps

    def _weigh(self, batch: int) -> None:
        """Set the weights of samples that count alike."""
        if not self.weighted and self._weighted_for != batch:
            self.program[self._importance][:] = 1
            self.program[self._weight][:] = self.network.loss.sample_weight(batch)
            self._weighted_for = batch

    @property
    def done(self) -> int:
        """Samples used so far."""
        return int(self.program[self.build.cursor][0])

    @property
    def steps_done(self) -> int:
        return int(self.program[self.build.cursor][1])

    def metrics(self) -> dict[str, float]:
        """Loss and accuracy, means over the samples used so far by their weights, whatever the reduction.

        The loss includes the penalties, as a mean over steps.
        """
        loss, correct, count, penalties = self.program[self._sums].tolist()
        count = count or 1.0  # so far all weights may have been 0
        return {"loss": loss / count + penalties / self.steps_done, "accuracy": correct / count}

    def position(self) -> list[np.ndarray]:
        """The arrays that say where the walk is and what it has recorded."""
        return [self.program[self.build.cursor], self.program[self._sums], self.losses]

    def first_not_finite(self, rates: np.ndarray) -> str:
        """Run the next step row by row; the array, and its layer, in which the first NaN or infinity appears."""
        batch = min(self.batch, self._total - self.done)
        if self._rates_table is not None:
            self.program[self._rates_table][0] = rates
        self.program[self.build.cursor][2] = 0
        self._weigh(batch)
        for row, operand, array in self.program.trace(batch):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                what = operand.name if isinstance(operand, Buffer) else self._names.get(id(operand), "parameters")
                return f"in {row.owner}: {what}, written by {row.kernel.name}"
        return "nowhere"

    def layer_outputs(self) -> dict[str, np.ndarray]:
        """What came out of each layer for the batch that ran last, by layer name, and its inputs as "input": views."""
        batch = self._last_batch
        values = {"input": self._x_value, **self.build.outputs}
        return {name: self.program[v.buffer][:batch, : v.width].reshape(batch, *v.shape) for name, v in values.items()}

    def predictions(self, batch: int) -> np.ndarray:
        """The outputs of the batch that ran last, (batch, outputs), a view."""
        assert self.output is not None
        return self.program[self.output.buffer][:batch, : self.output.width]


def compile_predict(network: Network, state: State, batch: int, logits: bool) -> Plan:
    """Mode infer: scores, or what the loss calls a prediction."""
    plan = Plan(network, state.parameters.dtype, batch)
    scores, _ = network.forward(plan.build, plan.gather_x(), state)
    plan.output = scores if logits else network.loss.emit_predictions(plan.build, scores)
    plan.build.emit(k.advance_cursor, plan.build.cursor, plan._indices)
    return plan.finish()


def compile_evaluate(network: Network, state: State, batch: int, *, weighted=False, training=False) -> Plan:
    """Mode infer, with loss and accuracy recorded; with `training`, layers behave as in training."""
    plan = Plan(network, state.parameters.dtype, batch, weighted=weighted, training=training)
    scores, _ = network.forward(plan.build, plan.gather_x(), state)
    plan.emit_loss(scores)
    plan.emit_penalties(state.parameters)
    plan.emit_record()
    return plan.finish()


def compile_train(
    network: Network, state: State, batch: int, optimizer: Optimizer | None = None, *, shuffle=False, weighted=False
) -> Plan:
    """Mode explicit: every gradient is stored, then, with an optimizer, all parameters are updated."""
    plan = Plan(network, state.parameters.dtype, batch, training=True, shuffle=shuffle, weighted=weighted)
    scores, backward = network.forward(plan.build, plan.gather_x(), state)
    dscores = plan.emit_loss(scores)
    plan.gradients = state.parameters.like()
    plan.name(state.parameters)
    plan.name(plan.gradients, "gradient of ")
    backward(dscores, plan.gradients)
    plan.build.begin(0, "update")
    plan.emit_penalties(state.parameters)
    if optimizer is not None:
        plan.emit_update(optimizer, state.parameters)
    plan.emit_record()
    return plan.finish()
