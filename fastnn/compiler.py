"""From a network to plans: what is gathered, computed, recorded and updated in each step of each mode."""

import time

import numpy as np

import fastnn_kernels as k
from fastnn.network import Network
from fastnn.optimizers import Optimizer
from fastnn.plan.arena import Buffer
from fastnn.plan.block import Block
from fastnn.plan.builder import Builder, Value
from fastnn.plan.program import Program
from fastnn_kernels.batch import ROUNDS

# Signals and callbacks are looked at between compiled calls; a person notices delays from about 100 ms.
SECONDS_PER_CALL = 0.05


class Plan:
    """A program over a data set: it walks through samples in batches, the last one shorter.

    gradients  the block that each step fills, or None where nothing is differentiated
    output     the value that holds a batch's predictions, or None
    rates      what the optimizer's kernel reads each step
    """

    def __init__(self, network: Network, dtype, batch: int, shuffle: bool = False):
        self.network = network
        self.build = Builder(batch, dtype)
        self.batch = batch
        self.gradients: Block | None = None
        self.rates: np.ndarray | None = None
        self.output: Value | None = None
        self._x, self._y, self._losses, self._count = (Buffer(name, (), np.dtype(dtype)) for name in "xyln")
        self._cursor = self.build.array("cursor", (2,), np.int64)
        self._sums = self.build.array("sums", (3,), np.float64)
        self._key = self.build.array("key", (2 * ROUNDS,), np.uint64)
        self._weight = self.build.array("weight", (batch,), batched=True)
        self._indices = self.build.array("indices", (batch,), np.int64, batched=True)
        if shuffle:
            self.build.emit(k.permuted_indices, self._indices, self._cursor, self._key, self._count)
        else:
            self.build.emit(k.sequential_indices, self._indices, self._cursor)
        self.losses = np.zeros(0)
        self._seconds_per_step = SECONDS_PER_CALL
        self._weighted = 0

    def gather_x(self) -> Value:
        """Emit the gathering of a batch's inputs: word ids stay whole numbers."""
        dtype = np.int32 if self.network.takes_ids else None
        x = self.build.value("x", self.network.input_shape, dtype)
        self.build.emit(k.gather_rows, x.buffer, self._x, self._indices)
        return x

    def gather_labels(self) -> Buffer:
        labels = self.build.array("labels", (self.batch,), np.int32, batched=True)
        self.build.emit(k.gather_labels, labels, self._y, self._indices)
        return labels

    def emit_loss(self, scores: Value) -> Value:
        """Emit loss and record; returns the gradient of the scores."""
        loss, correct, dscores = self.network.loss.emit(self.build, scores, self.gather_labels(), self._weight)
        build = self.build
        build.emit(k.record_step, self._losses, self._sums, self._cursor, loss, correct, self._weight)
        return dscores

    def finish(self) -> "Plan":
        self.program = Program(self.build, (self._x, self._y, self._losses, self._count))
        return self

    def start(self, x: np.ndarray, y: np.ndarray | None = None, key: np.ndarray | None = None) -> None:
        """Begin a walk through x (N, columns) and y (N,), in the order that `key` chooses."""
        steps = -(-len(x) // self.batch)
        if len(self.losses) != steps:
            self.losses = np.zeros(steps)
        nothing = np.zeros((len(x), 0), x.dtype)
        self.program.bind({self._x: x.reshape(len(x), -1), self._y: nothing if y is None else y})
        self.program.bind({self._losses: self.losses, self._count: len(x)})
        self.program[self._cursor][:] = 0
        self.program[self._sums][:] = 0
        if key is not None:
            self.program[self._key][:] = key
        self._total = len(x)

    def release(self) -> None:
        """Let go of the arrays of the walk: a plan that is kept must not keep a user's data alive."""
        self.program.unbind()

    def prepare(self) -> None:
        """Compile, or load from disk, what the walk that was started will need."""
        for batch in {min(self.batch, self._total), self._total % self.batch} - {0}:
            self.program.prepare(batch)

    def advance(self, limit: int | None = None) -> int:
        """Run the next steps, as many as fit into 50 ms and `limit`; how many: 0 at the end of the data."""
        batch = min(self.batch, self._total - self.done)
        if batch <= 0:
            return 0
        steps = (self._total - self.done) // batch if batch == self.batch else 1
        steps = max(1, min(steps, int(SECONDS_PER_CALL / self._seconds_per_step), limit or steps))
        self._weigh(batch)
        begin = time.perf_counter()
        self.program.run(steps, batch)
        self._seconds_per_step = max((time.perf_counter() - begin) / steps, 1e-7)
        return steps

    def _weigh(self, batch: int) -> None:
        if self._weighted != batch:
            self.program[self._weight][:batch] = self.network.loss.sample_weight(batch)
            self._weighted = batch

    @property
    def done(self) -> int:
        """Samples used so far."""
        return int(self.program[self._cursor][0])

    @property
    def steps_done(self) -> int:
        return int(self.program[self._cursor][1])

    def metrics(self) -> dict[str, float]:
        """Mean loss and accuracy over the samples used so far, whatever the reduction: comparable between sets."""
        loss, correct, count = self.program[self._sums]
        return {"loss": float(loss / count), "accuracy": float(correct / count)}

    def predictions(self, batch: int) -> np.ndarray:
        """The outputs of the batch that ran last, (batch, outputs), a view."""
        assert self.output is not None
        return self.program[self.output.buffer][:batch, : self.output.width]


def compile_predict(network: Network, parameters: Block, batch: int, logits: bool) -> Plan:
    """Mode infer: scores, or what the loss calls a prediction."""
    plan = Plan(network, parameters.dtype, batch)
    scores, _ = network.forward(plan.build, plan.gather_x(), parameters)
    plan.output = scores if logits else network.loss.emit_predictions(plan.build, scores)
    plan.build.emit(k.advance_cursor, plan._cursor, plan._indices)
    return plan.finish()


def compile_evaluate(network: Network, parameters: Block, batch: int) -> Plan:
    """Mode infer, with loss and accuracy recorded."""
    plan = Plan(network, parameters.dtype, batch)
    scores, _ = network.forward(plan.build, plan.gather_x(), parameters)
    plan.emit_loss(scores)
    return plan.finish()


def compile_train(
    network: Network, parameters: Block, batch: int, optimizer: Optimizer | None = None, shuffle: bool = False
) -> Plan:
    """Mode explicit: every gradient is stored, then, with an optimizer, all parameters are updated."""
    plan = Plan(network, parameters.dtype, batch, shuffle)
    scores, backward = network.forward(plan.build, plan.gather_x(), parameters)
    dscores = plan.emit_loss(scores)
    plan.gradients = parameters.like()
    backward(dscores, plan.gradients)
    if optimizer is not None:
        optimizer.attach(parameters)
        plan.rates = np.array(optimizer.rates(), parameters.dtype)
        optimizer.emit(plan.build, parameters, plan.gradients, plan.rates)
    return plan.finish()
