"""A network as a description: layers with their names, shapes and parameters, but no arrays."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fastnn.common import random
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError
from fastnn.common.names import near
from fastnn.common.validation import not_negative
from fastnn.engine.parameters import NamedArrays
from fastnn.nn import layer_checks
from fastnn.nn.expected_data import ExpectsData
from fastnn.nn.graph import Call, Graph
from fastnn.nn.initializers import Zeros
from fastnn.nn.layers import Embedding, Layer, Parameter, SampledSoftmax
from fastnn.nn.layers.base import as_kind
from fastnn.nn.layers.penalties import Penalised
from fastnn.nn.losses import Loss
from fastnn.nn.metrics import Metric
from fastnn.nn.outputs import Losses, Metrics, outputs_of


class State(NamedTuple):
    """The arrays of a model: the parameters, which gradients change, and the buffers, such as running means."""

    parameters: NamedArrays
    buffers: NamedArrays

    @property
    def nbytes(self) -> int:
        return self.parameters.nbytes + self.buffers.nbytes


class Network(ExpectsData):
    """Layers between inputs and outputs, with a loss for each output.

    names    of all uses of layers: layers are counted up by kind (dense, dense_1); a second use is dense@2
    shapes   of one sample: of the inputs, then after each use of a layer
    outputs  with their losses
    """

    def __init__(
        self,
        graph: Graph,
        loss: Losses,
        l1: float = 0.0,
        l2: float = 0.0,
        loss_weights: Mapping[str, float] | None = None,
        metrics: Metrics = (),
    ):
        self.graph, self.calls = graph, graph.calls
        self.layers = tuple(call.layer for call in self.calls)
        self.names = [call.name for call in self.calls]
        self.shapes = [*graph.inputs.values(), *(call.shape for call in self.calls)]
        self.l1, self.l2 = not_negative("the network: l1", l1), not_negative("the network: l2", l2)
        layer_checks.check_data(graph)
        layer_checks.check_borrowed(self.calls, self.parameter_specs)
        self.outputs = outputs_of(graph, loss, {} if loss_weights is None else loss_weights, metrics)
        layer_checks.check_labels(self.calls, self.outputs)

    def of_dtype(self, dtype: np.dtype) -> "Network":
        """This network for a model of that dtype."""
        other = copy.copy(self)
        other.dtype = dtype
        return other

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a sample of the first input."""
        return self.shapes[0]

    @property
    def loss(self) -> Loss:
        """The loss of the first output."""
        return self.outputs[0].loss

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of all outputs."""
        return tuple(metric for output in self.outputs for metric in output.metrics)

    @property
    def output_width(self) -> int:
        """The number of scores of the first output."""
        return self.outputs[0].width

    @cached_property
    def parameter_specs(self) -> dict[str, Parameter]:
        """The parameters of all layers by their public names, such as dense.w."""
        return {name: spec for call in self.calls for name, spec in self.parameters_of(call).items()}

    def parameters_of(self, call: Call) -> dict[str, Parameter]:
        """Parameters of one layer by their public names."""
        return {f"{call.owner}.{short}": spec for short, spec in call.layer.parameters(*call.input_shapes[:1]).items()}

    def buffers_of(self, call: Call) -> dict[str, Parameter]:
        """Running statistics of one layer by their public names, such as batch_norm.mean."""
        return {f"{call.owner}.{short}": spec for short, spec in call.layer.buffers(*call.input_shapes[:1]).items()}

    def borrowed_by(self, call: Call) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The parameters of other layers that a layer uses, by short name: public name and expected shape."""
        return call.layer.borrowed(call.input_shapes[0])

    def uses_of(self, call: Call) -> dict[str, str]:
        """The parameters that a layer uses: short name -> public name. Those of other layers, too."""
        own = {name.rpartition(".")[2]: name for name in self.parameters_of(call)}
        return own | {short: name for short, (name, _) in self.borrowed_by(call).items()}

    @cached_property
    def has_usual_check(self) -> bool:
        """Whether there is one input, which may hold any finite numbers, or any ids in range."""
        readers = [call.layer for call in self.calls if set(call.inputs) & set(self.graph.inputs)]
        alike = len(self.graph.inputs) == len({layer.takes_ids for layer in readers}) == 1
        return alike and all(layer.has_usual_check for layer in readers)

    @cached_property
    def owners(self) -> dict[str, Layer]:
        """The layers by name, each once."""
        return {call.owner: call.layer for call in self.calls}

    @cached_property
    def frozen(self) -> frozenset[str]:
        """The public names of the parameters that training leaves as they are."""
        frozen = (self.parameters_of(call) for call in self.calls if call.layer.freeze)
        return frozenset(name for specs in frozen for name in specs)

    @cached_property
    def shared(self) -> frozenset[str]:
        """The public names of the parameters that are used more than once."""
        uses = Counter(name for call in self.calls for name in self.uses_of(call).values())
        return frozenset(name for name, count in uses.items() if count > 1)

    @cached_property
    def joined(self) -> frozenset[str]:
        """The tables that a sparse embedding looks up and a later sampled softmax has for its weight, and none else.

        Both say which rows they use, so that their gradients can be added row by row.
        """
        uses: dict[str, list[Layer]] = {}
        for call in self.calls:
            for name in self.uses_of(call).values():
                uses.setdefault(name, []).append(call.layer)
        kinds = {name: tuple(map(type, layers)) for name, layers in uses.items()}
        pairs = [name for name, pair in kinds.items() if pair == (Embedding, SampledSoftmax)]
        return frozenset(name for name in pairs if getattr(uses[name][0], "sparse", False))

    def penalties(self) -> dict[str, tuple[float, float]]:
        """The λ of Σ|w| and of ½·Σw² of each weight that has one: the layer's own and the whole network's."""
        penalised = self._penalised(lambda layer: layer.penalised())
        sums = {name: (layer.l1 + self.l1, layer.l2 + self.l2) for name, layer in penalised}
        return {name: strengths for name, strengths in sums.items() if any(strengths)}

    def max_norms(self) -> dict[str, float]:
        """The bound on the norm of each unit's weights, for the weights that have one."""
        bounded = self._penalised(lambda layer: layer.weights)
        return {name: layer.max_norm for name, layer in bounded if layer.max_norm is not None}

    def _penalised(self, which: Callable[[Penalised], Iterable[str]]) -> Iterator[tuple[str, Penalised]]:
        """The public name of each parameter that a penalty or a bound may apply to, and its layer.

        which : gives the names of such parameters of a layer
        """
        trained = self.parameter_specs.keys() - self.frozen
        for call in self.calls:
            if isinstance(call.layer, Penalised):
                names = (f"{call.owner}.{weight}" for weight in which(call.layer))
                yield from ((name, call.layer) for name in names if name in trained)

    def check_batch(self, samples: int, advice: str = "") -> None:
        """DataError, which ends with `advice`, if a layer cannot train on a batch of `samples` samples."""
        for call in self.calls:
            if samples < (least := call.layer.least_samples(call.input_shapes[0])):
                raise DataError(f"{call.name} needs batches of at least {least} samples, one has {samples}{advice}")

    def initial_state(self, dtype, seed: int) -> State:
        """Initial parameters and running statistics. The numbers of an array depend only on the seed and its name."""
        frozen = self.frozen
        return State(_drawn(self.parameter_specs, dtype, seed, frozen), _drawn(self._buffer_specs, dtype, seed))

    def shapes_of_arrays(self) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        """The shapes of the parameters and of the running statistics that `initial_state` makes."""
        parameters, buffers = self.parameter_specs, self._buffer_specs
        return {name: spec.shape for name, spec in parameters.items()}, {n: spec.shape for n, spec in buffers.items()}

    @property
    def _buffer_specs(self) -> dict[str, Parameter]:
        return {name: spec for call in self.calls for name, spec in self.buffers_of(call).items()}

    def with_frozen(self, names: Collection[str], frozen: bool) -> "Network":
        """This network, the layers of these names frozen or not. ValueError for an unknown name, TypeError for none."""
        if wrong := [name for name in names if not isinstance(name, str)]:
            raise TypeError(
                f"got {wrong[0]!r:.60}, expected names of layers one by one, such as freeze('dense', 'conv')"
            )
        if unknown := next((name for name in names if name not in self.owners), None):
            raise ValueError(f"unknown layer {unknown!r}; {near(unknown, self.owners)}")
        changed = {name: replace(self.owners[name], freeze=frozen) for name in names}
        calls = tuple(call._replace(layer=changed.get(call.owner, call.layer)) for call in self.calls)
        other = copy.copy(self)
        for name in ("frozen", "owners"):  # found anew
            other.__dict__.pop(name, None)
        other.graph, other.calls = replace(self.graph, calls=calls), calls
        other.layers = tuple(call.layer for call in calls)
        return other

    def with_first(self, kind: type[Layer]) -> "Network":
        """This network, its first layer as one of `kind`, a class with the same fields."""
        other = copy.copy(self)
        first, *others = self.calls
        other.calls = (first._replace(layer=as_kind(kind, first.layer)), *others)
        return other


@ieee  # float32 rounds some numbers to 0
def _drawn(specs: Mapping[str, Parameter], dtype, seed: int, frozen: frozenset[str] = frozenset()) -> NamedArrays:
    block = NamedArrays({name: spec.shape for name, spec in specs.items()}, dtype, frozen=frozen)
    for name, spec in specs.items():
        if not isinstance(spec.initializer, Zeros):  # as a block is made
            spec.initializer.fill(random.generator(seed, "initial", name), block[name])
    return block
