"""From a network to plans: what is computed, recorded and updated in each step of each mode."""

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import FastnnError
from fastnn.engine.builder import Rows, Value
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import Block
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training.runner import Walk
from fastnn_kernels._jit import Kernel
from fastnn_kernels._sums import chunks

PENALTIES = (k.penalty_l1, k.penalty_l2)
PENALTY_GRADIENTS = (k.add_l1, k.add_l2)


class Plan(Walk):
    """A walk through data in which each step runs a network.

    is_fused   whether gradients are used where they arise and not kept
    output     the value that holds a batch's predictions, or None
    """

    def __init__(self, network: Network, dtype, batch: int, **options: bool):
        super().__init__(network.loss, dtype, batch, **options)
        self.network = network
        self._gradients: Block | None = None
        self.is_fused = False
        self.output: Value | None = None
        self._names: dict[int, str] = {}

    @property
    def gradients(self) -> Block:
        """The gradients of the last step, by name. FastnnError from a plan that has none, or does not keep them."""
        if self._gradients is None:
            raise FastnnError("this plan computes no gradients")
        if self.is_fused:
            raise FastnnError("gradients are used where they arise and not kept: set reads_gradients on the callback")
        return self._gradients

    def differentiate(self, parameters: Block) -> None:
        """Make room for the gradients of `parameters`, which `emit_penalties` and `emit_update` then use."""
        self._gradients = parameters.like()
        self.name(self._gradients, "gradient of ")

    def gather_x(self) -> Value:
        """Emit the gathering of a batch's inputs: word ids stay whole numbers."""
        dtype = np.int32 if self.network.takes_ids else None
        self._x_value = self._gather_rows("x", self.network.input_shape, dtype)
        return self._x_value

    def name(self, block: Block, prefix: str = "") -> None:
        """Say what the arrays of a block are called, for messages."""
        self._names |= {id(array): prefix + name for name, array in block.buffers.items()}

    def _target(self, scores: Value) -> Buffer:
        if self.loss.takes_labels:
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
                    if self._gradients is not None:
                        self._emit_penalty_gradient(gradient, name, parameters, rates)

    def _emit_penalty_gradient(self, kernel: Kernel, name: str, parameters: Block, rates: np.ndarray) -> None:
        dw, w = self.gradients.buffers[name], parameters.buffers[name]
        if name in self.build.axes:
            operands = (Rows(dw, flat=True), Rows(w, flat=True), rates)
            self.build.emit_along(self.build.axes[name], kernel, *operands)
        else:
            self.build.emit(kernel, dw.reshape(-1), w.reshape(-1), rates)

    def emit_loss(self, scores: Value) -> Value:
        """Emit the loss of the batch; returns the gradient of the scores."""
        self.build.begin("loss")
        self.emit_weights()
        loss, correct, dscores = self.loss.emit(self.build, scores, self._target(scores), self._weight)
        self.recorded = (loss, correct)
        return dscores

    def emit_update(self, optimizer: Optimizer, parameters: Block) -> None:
        """Emit the optimizer's update by this plan's gradients, at the rates that `advance` is given."""
        optimizer.attach(parameters)
        rates = self.emit_rates(optimizer.rates(np.zeros(1)).shape[1])
        optimizer.emit(self.build, parameters, self.gradients, rates)
        for name, bound in self.network.max_norms().items():
            self.build.emit(k.max_norm_columns, parameters.buffers[name], self.build.constant([bound]))

    def first_not_finite(self, rates: np.ndarray) -> str:
        """Run the next step row by row; the array, and its layer, in which the first NaN or infinity appears."""
        self._set_up_call(self.next_batch, rates[None])
        for row, operand, array in self.program.trace(self.next_batch):
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
    plan.emit_end()
    plan.finish()
    return plan


def compile_evaluate(network: Network, state: State, batch: int, *, weighted=False, training=False) -> Plan:
    """Mode infer, with loss and accuracy recorded; with `training`, layers behave as in training."""
    plan = Plan(network, state.parameters.dtype, batch, weighted=weighted, training=training)
    scores, _ = network.forward(plan.build, plan.gather_x(), state)
    plan.emit_loss(scores)
    plan.emit_penalties(state.parameters)
    plan.emit_record(*plan.recorded)
    plan.finish()
    return plan


def compile_train(
    network: Network,
    state: State,
    batch: int,
    optimizer: Optimizer | None = None,
    *,
    shuffle: bool = False,
    weighted: bool = False,
    fused: bool = False,
    whole: bool = False,
) -> Plan:
    """A plan that computes gradients and, with an optimizer, updates all parameters by them.

    Mode explicit: every gradient is stored. With `fused` they are used where they arise, share by share, and
    are never in memory as a whole; the bits are the same. With `whole` each step takes the whole data set.
    """
    options = {"training": True, "shuffle": shuffle, "weighted": weighted, "whole": whole}
    plan = Plan(network, state.parameters.dtype, batch, **options)
    scores, backward = network.forward(plan.build, plan.gather_x(), state)
    dscores = plan.emit_loss(scores)
    plan.differentiate(state.parameters)
    plan.build.penalised = set(network.penalties())
    plan.name(state.parameters)
    backward(dscores, plan.gradients)
    plan.build.begin("update")
    plan.emit_penalties(state.parameters)
    if optimizer is not None:
        plan.emit_update(optimizer, state.parameters)
    plan.emit_record(*plan.recorded)
    plan.finish(list(plan.gradients.buffers.values()) if fused else ())
    plan.is_fused = fused
    return plan
