"""Writes docs/a-step.md: one step of the trigram net, operation by operation, as the running code schedules it.

python -m bench.a_step > docs/a-step.md
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastnn as fn
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Columns, Listed, Offset, Op, Slice, array_of
from fastnn.engine.schedule import Chain, Task
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.step import Step

BATCH, THREADS = 200, 2

INTRODUCTION = f"""\
# A step of the trigram net

This page is made by `python -m bench.a_step` from the running code: one training step of the language model
(250 words, embeddings of 32 numbers, 256 hidden units), {BATCH} samples, SGD with momentum, {THREADS} threads.

A layer *emits operations* on a builder: an operation is a kernel and its operands, and says along which axis it may be
cut. The scheduler puts operations into *phases* and cuts each phase among threads; between two phases is a barrier.
Operations along one axis form a *chain*: a thread takes a slice of the axis through all of them while it is in its
cache. The result is a *table* of addresses. One compiled loop, `run_phases` of `fastnn_kernels/_run/driver.py`, runs it
many steps a call, and a *runner* gives it data and reads losses and accuracies.

How to read the tables: `[i]` marks an operand of which a slice takes its own rows, `[:, i]` its own columns; others
are used whole. A buffer bears the name of the layer that writes it where another one reads it. `dense.w` is a
parameter, `∇ dense.w` its gradient, `dense.w/velocity` the optimizer's state. Gradients that only one chain touches
are never stored whole: each thread keeps its slice in memory of its own, marked `(own)`. What a phase reads before it
is written is from the step before.
"""


def trigram_step() -> tuple[Step, dict[int, str]]:
    """The step that `fastnn train trigram` runs, compiled; and the names of its arrays by address."""
    layers = [fn.Embedding(250, 32), fn.Flatten(), fn.Dense(256, "sigmoid"), fn.Dense(250)]
    network = fn.Sequential(layers, input_shape=(3,)).network
    optimizer = fn.SGD(0.15, momentum=0.85)
    state = network.initial_state(np.float32, 0)
    step = compile_train(network, state, BATCH, optimizer, shuffle=True, fused=True)
    arrays = {name: state.parameters[name] for name in state.parameters}
    arrays |= {f"∇ {name}": step.gradients[name] for name in step.gradients or ()}
    arrays |= {f"{name}/{part}": a for name, parts in optimizer.state.items() for part, a in parts.items()}
    return step, {array.ctypes.data: name for name, array in arrays.items()}


class Page:
    """The phases of a step in Markdown."""

    def __init__(self, step: Step, names: dict[int, str]):
        self.program, self.names = step.program, names
        self.data = {id(buffer) for buffer in (*step.inputs.x, *step.inputs.y, step.inputs.weights)}
        # Only the shapes of the data count here: enough samples for a batch.
        x, y = np.zeros((BATCH, 3), np.int64), np.zeros(BATCH, np.int64)
        self.program.bind({step.inputs.x[0]: x, step.inputs.y[0]: y, step.inputs.count: BATCH})
        figures = {step.inputs.losses: np.zeros(1), step.inputs.sums: np.zeros((1, 4))}
        self.program.bind(figures | {step.inputs.weights: np.zeros(0)})
        self.writers: dict[int, str] = {}  # id of a buffer -> the layer that writes it first
        for op in self.program.ops:
            for output in op.operands[: op.kernel.outputs]:
                self.writers.setdefault(id(array_of(output)), op.owner)
        self.own = {id(a) for entry in self._entries() for a in entry}

    def _entries(self) -> Iterator[list[np.ndarray]]:
        """The transient arrays of which workers keep slices."""
        for phase in self.program.plan.entries(BATCH, THREADS):
            for entries in phase:
                for entry in entries:
                    slices = [one.array for one in entry.op.operands if isinstance(one, Slice)]
                    yield [array for array in slices if (id(array), _length(entry.task)) in entry.own]

    def text(self) -> str:
        phases = list(self.program.plan.tasks(BATCH, THREADS))
        parts = [INTRODUCTION]
        for number, (tasks, self_parallel) in enumerate(phases, 1):
            active = sum(map(bool, tasks))
            who = "its kernel uses all threads itself" if self_parallel else f"{active} thread{'s' * (active > 1)}"
            parts.append(f"## Phase {number} of {len(phases)}: {who}\n")
            chains = {id(task.chain): task.chain for of_worker in tasks for task in of_worker}
            parts += [self._chain(chain, tasks) for chain in chains.values()]
        return "\n".join(parts)

    def _chain(self, chain: Chain, tasks: list[list[Task]]) -> str:
        lines = [f"{_axis(chain)}\n", "| | layer | kernel | writes | reads |", "|---|---|---|---|---|"]
        for number, op in enumerate(chain.ops, 1):
            outputs = op.kernel.outputs
            writes = ", ".join(self._operand(one, op) for one in op.operands[:outputs])
            reads = ", ".join(self._operand(one, op) for one in op.operands[outputs:])
            lines.append(f"| {number} | {op.owner} | `{op.kernel.name}` | {writes} | {reads} |")
        for worker, of_worker in enumerate(tasks):
            own = [task for task in of_worker if task.chain is chain]
            if own:
                what = "everything" if chain.axis is None else ", ".join(f"{t.first}–{t.last - 1}" for t in own)
                lines.append(f"\nThread {worker}: {what}.")
        return "\n".join([*lines, ""])

    def _operand(self, operand: Any, op: Op) -> str:
        if isinstance(operand, Offset):
            return "offset"
        if isinstance(operand, int):
            return str(operand)
        array = array_of(operand)
        name = self._name(array, op)
        if isinstance(operand, Columns):
            return f"{name} [:, i]"
        if isinstance(operand, Listed):
            return f"{name} [listed]"
        if isinstance(operand, Slice):
            return f"{name} [i]{' (own)' if id(array) in self.own else ''}"
        along_samples = op.axis is not None and op.axis.size is None and isinstance(array, Buffer) and array.batched
        return f"{name} [i]" if along_samples else name

    def _name(self, array: Any, op: Op) -> str:
        if not isinstance(array, Buffer):
            return self.names.get(array.ctypes.data, "constants")
        if id(array) in self.data:
            return f"data: {array.name}"
        writer = self.writers.get(id(array), op.owner)
        return array.name if writer == op.owner else f"{array.name} of {writer}"


def _length(task: Task | None) -> int:
    return task.last - task.first if task is not None else -1


def _axis(chain: Chain) -> str:
    if chain.axis is None:
        return "Not cut, in this order:"
    what = "the samples" if chain.axis.size is None else f"the {chain.axis.size} rows or elements of a parameter"
    return f"Along {what}, in slices of at most {chain.axis.grain}:"


if __name__ == "__main__":
    print(Page(*trigram_step()).text(), end="")
