"""A training step up to its gradients: the same in one process, and on each of several ranks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer, take_small_pages
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.program import Program
from fastnn.engine.values import Value
from fastnn.training.history.figures import Figures
from fastnn.training.steps import batch as batches
from fastnn.training.steps import scoring
from fastnn.training.steps.step import Inputs, Step, names_of, values_of
from fastnn.training.steps.ways import Request, Way


@dataclass(frozen=True, eq=False)
class Differentiated:
    """A training step whose gradients are emitted, and nothing yet that uses them.

    request    what was asked for
    build      on which it is emitted, as all that follows
    inputs     the buffers of the step, with the loss weights of its samples
    xs         the inputs of the network
    judged     the losses of the batch
    figures    the metrics that are measured of it
    gradients  by parameter
    scale      (1,) what a sample weight is multiplied with to be a loss weight, where only all ranks together know it
    """

    request: Request
    build: Builder
    inputs: Inputs
    xs: Sequence[Value]
    judged: scoring.Judged
    figures: Figures
    gradients: NamedArrays
    scale: Buffer | None

    def emit_record(self) -> None:
        """Emit the end of the step: loss and metrics recorded, the cursor moved on."""
        scoring.emit_record(self.build, self.inputs, self.judged, self.figures)

    def step(self, program: Program, inputs: Inputs, **others: Any) -> Step:
        """The step that this program runs. inputs : with the optimizer's scalars; others : as of a `Step`"""
        request = self.request
        return Step(
            program,
            inputs,
            request.batch,
            request.network.loss,
            trains=True,
            shuffles=request.shuffle,
            weighted=request.weighted,
            full_batch=request.full_batch,
            values=values_of(self.build, request.network, self.xs),
            gradients=self.gradients,
            figures=self.figures,
            names=names_of(request.state.parameters, self.gradients),
            **others,
        )


def differentiate(request: Request, way: Way, batch: int, is_part: bool = False) -> Differentiated:
    """Emit a training step from the order of its samples to its gradients.

    batch   : how many samples a run of the program takes
    is_part : whether these are a part of a batch, of which other ranks take the rest
    """
    network, state, full_batch = request.network, request.state, request.full_batch
    build, inputs = batches.begin(network, state, batch, training=True)
    batches.emit_order(build, inputs, request.shuffle, full_batch)
    xs = batches.gather_inputs(build, inputs, network, full_batch, way.layout)
    scores, backward = way.forward(build, xs, inputs.indices, state)
    scale = _scale(build, request) if is_part else None
    inputs = scoring.emit_weights(build, inputs, network, request.weighted, full_batch, scale)
    judged = scoring.emit_loss(build, inputs, network, scores, full_batch, way.layout, scale)
    figures = judged.measure(network)
    gradients = _gradients(build, request, joins=not is_part)
    backward(judged.dscores, gradients)
    return Differentiated(request, build, inputs, xs, judged, figures, gradients, scale)


def _scale(build: Builder, request: Request) -> Buffer | None:
    """Where the runner writes 1 / Σ weights of a whole batch; None: samples have no weights, or losses are sums."""
    network = request.network
    counts = request.weighted or network.outputs[0].steps  # a sample counts by its labelled steps
    return build.array("scale of weights", (1,)) if counts and network.loss.reduction != "sum" else None


def _gradients(build: Builder, request: Request, joins: bool) -> NamedArrays:
    """A block for the gradients; the builder knows from here on which of them must be stored, and how much of each."""
    network, optimizer = request.network, request.optimizer
    gradients, penalised = request.state.parameters.like(), set(network.penalties())
    if request.fused and not penalised:  # but for those of weights that are used twice, none is stored whole
        take_small_pages(gradients.flat)
    build.frozen = network.frozen
    if joins:  # lists of rows: ranks exchange each by itself
        build.joined = network.joined - network.frozen - penalised
    build.whole = (network.shared - build.joined).union(penalised)
    if request.fused and optimizer is not None:
        build.may_shorten = optimizer.reads_lists_alone
        if request.batch == 1 and optimizer.takes_outer_products:
            build.unstored = set(request.state.parameters) - build.whole - build.frozen
    return gradients
