"""A compiled step: what a compile function returns and a runner takes through data. Nothing here changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.program import Program
from fastnn.engine.values import Value
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network
from fastnn.training.history.figures import Figures

BOUND = ("weights", "count", "losses", "sums")


@dataclass(frozen=True, eq=False)
class Inputs:
    """The buffers through which a runner hands a step its data and reads what it recorded.

    Bound to arrays from outside:
    x, y, weights        samples, targets and sample weights that are in memory: x of each input, y of each output
    count                how many samples these are
    losses, sums         the rows that the kernels record_step and record_figure write, one for each step

    Written by the runner, in the program's arena:
    cursor, dropout_key  see `Builder`
    order_key            chooses the order of the samples
    indices              of the batch's samples, which the step itself writes
    sample_weight, loss_weight  of the batch's samples: how much each counts, and the same divided as the loss asks;
                         the step itself writes them where samples have weights of their own
    wrong                of each x and y that holds ids or labels: 1 for each sample of a batch with one out of range
    scalars              of each step of a call: what the optimizer's kernel reads, (steps, s); None without optimizer
    """

    x: tuple[Buffer, ...]
    y: tuple[Buffer, ...]
    weights: Buffer
    count: Buffer
    losses: Buffer
    sums: Buffer
    cursor: Buffer
    dropout_key: Buffer
    order_key: Buffer
    indices: Buffer
    sample_weight: Buffer
    loss_weight: Buffer
    wrong: Mapping[Buffer, Buffer]
    scalars: Buffer | None = None

    @property
    def written(self) -> tuple[Buffer, ...]:
        """The buffers that the runner writes."""
        names = ("cursor", "dropout_key", "order_key", "indices", "sample_weight", "loss_weight", "scalars")
        return tuple(buffer for name in names if (buffer := getattr(self, name)) is not None)

    @property
    def bound(self) -> tuple[Buffer, ...]:
        """The buffers that stand for arrays from outside."""
        return *self.x, *self.y, *(getattr(self, name) for name in BOUND)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a training, an evaluation or a prediction, compiled for batches of at most `batch` samples.

    loss       whose reduction says how figures are averaged
    trains     whether layers behave as in training, and figures are those of a training
    shuffles   whether each epoch has its own order of samples
    weighted   whether samples have weights of their own
    full_batch whether every step takes all samples: they are gathered once, in their own order
    block      how many steps a run of the program takes: above 1, the program's batch holds the samples of all of them
    divisible  whether a block may end anywhere, because its steps have the bits of steps by themselves
    outputs    the predictions of a batch; none where the step records figures alone
    figures    the metrics that it records
    values     the inputs and the output of each layer, by name
    gradients  by parameter, if they are computed
    fused      whether gradients are used where they arise, slice by slice, and never stored whole
    names      id of an array -> its name in messages
    layered    where one kernel takes all layers: compiles the same step layer by layer, to say where a NaN appears
    """

    program: Program
    inputs: Inputs
    batch: int
    loss: Loss
    trains: bool = False
    shuffles: bool = False
    weighted: bool = False
    full_batch: bool = False
    block: int = 1
    divisible: bool = False
    outputs: tuple[Value, ...] = ()
    figures: Figures = field(default_factory=Figures)
    values: dict[str, Value] = field(default_factory=dict)
    gradients: NamedArrays | None = None
    fused: bool = False
    names: dict[int, str] = field(default_factory=dict)
    layered: "Callable[[], Step] | None" = None

    def array(self, value: Value, batch: int) -> np.ndarray:
        """The numbers of a value for the batch that ran last: (batch, *shape). Of a block: its last step's."""
        first = batch - self.batch if self.block > 1 and value.buffer.batched else 0
        return value.of_batch(self.program[value.buffer], batch)[first:]


def values_of(build: Builder, network: Network, xs: Sequence[Value]) -> dict[str, Value]:
    """The inputs and the output of each layer, by name."""
    return {**dict(zip(network.graph.inputs, xs, strict=True)), **build.outputs}


def names_of(parameters: NamedArrays, gradients: NamedArrays) -> dict[int, str]:
    """The names of both in messages, by the id of the array."""
    named = (("", parameters), ("gradient of ", gradients))
    return {id(array): prefix + name for prefix, block in named for name, array in block.buffers.items()}
