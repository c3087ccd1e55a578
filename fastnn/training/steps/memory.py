"""What a training takes of memory: known before it begins, and refused where it is more than there is."""

import copy
import re
import textwrap
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastnn.common.errors import OutOfMemoryError
from fastnn.common.stash import Stash
from fastnn.common.text import bytes_text
from fastnn.common.validation import SOURCES, whole_number
from fastnn.engine.available_memory import check_available
from fastnn.engine.footprint import bytes_of_transients
from fastnn.engine.threads import usable_threads
from fastnn.nn import optimizers
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.step import Step

# What takes less, by the part that takes most.
ADVICE = {
    "data": "a stream such as fn.H5Stream, or an array of a dtype and layout that need no copy,",
    "step": "a smaller batch_size",
    "evaluation": "a smaller validation set",
    "record": "a larger batch_size, or fewer epochs,",
}
OF_UNITS = "a net of fewer units"

UNIT = re.compile(r"(?<=\d) (?=[MG]B)")


@dataclass(frozen=True)
class Memory:
    """What a training takes of memory, in bytes.

    parameters  of the model, and running statistics
    data        copies of the user's data, where kernels cannot take them as they are; a chunk of a stream or of batches
    gradients   of all parameters, or the slices that threads keep of them
    optimizer   the state of the optimizer
    step        values of a batch, forward and backward
    evaluation  validation after each epoch
    copies      of all that a step changes, to go back to where numbers are no longer finite, unless they are in a file
    callbacks   what callbacks keep, such as the best parameters
    record      losses and figures of each step of an epoch, and the history
    present     how much of all this is there already when the training begins
    """

    parameters: int = 0
    data: int = 0
    gradients: int = 0
    optimizer: int = 0
    step: int = 0
    evaluation: int = 0
    copies: int = 0
    callbacks: int = 0
    record: int = 0
    present: int = 0

    @property
    def parts(self) -> dict[str, int]:
        return {name: size for name, size in vars(self).items() if name != "present"}

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.parts.values())

    @property
    def coming(self) -> int:
        """What is not there yet."""
        return self.total - self.present

    def __str__(self) -> str:
        return f"{bytes_text(self.total)}: {self.told}"

    @property
    def told(self) -> str:
        """The parts that matter, the largest first."""
        total = self.total
        large = sorted((-size, name) for name, size in self.parts.items() if size > 0.01 * total)
        return ", ".join(f"{name} {bytes_text(-size)}" for size, name in large)

    def check(self) -> None:
        """OutOfMemoryError, in one line, if what is to come is more than this process may take."""
        parts = self.parts
        largest = max(parts, key=lambda name: parts[name])
        check_available(self.coming, f"this training ({self.told})", ADVICE.get(largest, OF_UNITS))


def check_copies(*given: Any) -> None:
    """OutOfMemoryError if a user's arrays are to be copied, as kernels cannot take them, and that is too much."""
    arrays = [one for one in given if isinstance(one, np.ndarray) and one.dtype.kind in "biuf"]
    sizes = [
        one.size * (one.itemsize if one.dtype in SOURCES else 8)
        for one in arrays
        if one.dtype not in (*SOURCES, np.dtype(bool)) or not one.flags.c_contiguous
    ]
    check_available(sum(sizes), "a copy of x and y", ADVICE["data"])


def summary(network: Network, state: State, predicting: int, batch: int, given: OptimizerName | Optimizer) -> str:
    """The memory to predict, in bytes, and to train in such batches by such an optimizer: lines for people."""
    found = given if isinstance(given, Optimizer) else optimizers.from_config({"name": given})
    optimizer = copy.copy(found)  # whose state stays with the model that it trains
    optimizer.state = {}
    told = (
        f"memory beside data: {bytes_text(predicting)} to predict; to train in batches of {batch} by {optimizer.name} "
    )
    try:
        told += str(of_training(network, state, whole_number("batch_size", batch), optimizer))
    except OutOfMemoryError as error:
        told += f"more than there is: {error}"
    told = UNIT.sub("\N{NO-BREAK SPACE}", told)  # a number and its unit stay on one line
    return textwrap.fill(told, width=79, subsequent_indent="  ").replace("\N{NO-BREAK SPACE}", " ")


def of_training(network: Network, state: State, batch: int, optimizer: Optimizer) -> Memory:
    """What a training takes that nobody has compiled yet, beside its data and callbacks."""
    step = compile_train(network, state, batch, optimizer, shuffle=True, fused=True)
    found = {"parameters": state.nbytes, "optimizer": sum(array.nbytes for array in optimizer.flat_state())}
    copies = Stash().memory_of(sum(found.values()))
    return replace(of_step(network, step), **found, copies=copies, present=state.nbytes)


def of_step(network: Network, step: Step, samples: int = 0) -> Memory:
    """What the runs of a training step take. samples : those of a pass; 0: their number is not known"""
    most = step.batch * step.block
    sizes = {min(most, samples), samples % most} - {0} if samples else {most}
    stands_in = not step.program.is_bound
    if stands_in:
        _bind_stand_ins(network, step)
    transients = bytes_of_transients(step.program, sizes, usable_threads())
    if stands_in:
        step.program.unbind()
    assert step.gradients is not None, "a training step"
    return Memory(gradients=transients if step.fused else step.gradients.nbytes, step=step.program.arena.nbytes)


def at_most(step: Step) -> Memory:
    """What `of_step` cannot exceed: slices of all gradients, for two sizes of batches on one thread and on all."""
    assert step.gradients is not None, "a training step"
    return Memory(gradients=5 * step.gradients.nbytes, step=step.program.arena.nbytes)


def _bind_stand_ins(network: Network, step: Step) -> None:
    """Bind one row of each input and target: the estimates of kernels' work look at the widths of arrays."""
    inputs = step.inputs
    shapes = [*network.input_shapes, *(output.shape for output in network.outputs)]
    widths = [int(np.prod(shape)) for shape in shapes]
    rows = [np.zeros((1, width), network.dtype) for width in widths]
    nothing = np.zeros(0, network.dtype)
    step.program.bind(dict(zip((*inputs.x, *inputs.y), rows, strict=True)) | {inputs.weights: nothing, inputs.count: 1})


def of_record(step: Step, steps: int, epochs: int) -> int:
    """The bytes of what is recorded: losses and figures of the steps of an epoch, and each loss in the history."""
    return 8 * steps * (1 + step.figures.width + epochs)
