"""What a training step is asked to do, and in which way it takes the layers: decided before anything is emitted."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.values import Value
from fastnn.nn import emission, narrow, narrow_sgd
from fastnn.nn.emission import EmitBackward
from fastnn.nn.layers.blocked import AheadDense, BlockedDense, emit_block_update
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import Optimizer
from fastnn.training.steps import blocks


@dataclass(frozen=True, eq=False)
class Request:
    """A training step that is to be compiled: the arguments of `compile_train`, by the same names."""

    network: Network
    state: State
    batch: int
    optimizer: Optimizer | None
    shuffle: bool
    weighted: bool
    fused: bool
    full_batch: bool
    block: int
    layered: bool

    @property
    def may_join_steps(self) -> bool:
        """Whether a run may take several steps unasked: of one sample each, whose gradients nobody reads."""
        plain = not (self.layered or self.weighted or self.full_batch)
        return self.batch == self.block == 1 and self.fused and plain

    @property
    def is_one_kernel(self) -> bool:
        """Whether one kernel takes many steps, from the inputs to the update: see `sample_steps`."""
        return self.may_join_steps and narrow_sgd.fits(self.network, self.optimizer)


@dataclass(frozen=True, eq=False)
class Way:
    """How the layers of a training step are emitted.

    network    as it is emitted: its first `Dense` may be one that takes a block of steps at once
    steps      how many steps a run of the program takes
    layout     of a narrow net, of which one kernel takes all layers; None: layer by layer
    divisible  whether a run may end after any of its steps, because they have the bits of steps by themselves
    """

    network: Network
    steps: int = 1
    layout: narrow.Layout | None = None
    divisible: bool = False

    @property
    def hides_layers(self) -> bool:
        """Whether a NaN cannot be traced to a layer of a step, so that this takes a step layer by layer."""
        return self.layout is not None or self.divisible

    def forward(
        self, build: Builder, xs: Sequence[Value], indices: Buffer, state: State
    ) -> tuple[list[Value], EmitBackward]:
        """Emit all layers, as `emission.forward`. `indices` : of the samples of the batch."""
        if self.layout is None:
            return emission.forward(build, self.network, xs, state)
        return narrow.forward(build, xs, indices, self.network, self.layout, state)

    def end(self, build: Builder, parameters: NamedArrays) -> None:
        """Emit the end of a run of several steps: what the first weight has not taken yet."""
        if self.steps > 1:
            build.end_one_by_one()
            for name in build.kept_steps:
                emit_block_update(build, parameters.view(name))


def way_of(request: Request) -> Way:
    """The quickest way that does what is asked, but for that of `Request.is_one_kernel`."""
    network = request.network
    if request.block > 1:
        return Way(network.with_first(BlockedDense), request.block)
    if request.layered:
        return Way(network)
    if narrow.is_narrow(network):
        return Way(network, layout=narrow.layout_of(network, request.state.parameters))
    ahead = blocks.steps_ahead(network, request.optimizer) if request.may_join_steps else 1
    return Way(network.with_first(AheadDense), ahead, divisible=True) if ahead > 1 else Way(network)
