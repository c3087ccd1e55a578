"""What a network expects of data, and the checks of them: the data room's `Expected`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import DataError
from fastnn.common.labels import labels_of_steps
from fastnn.nn.graph import Call, Graph
from fastnn.nn.outputs import Output


class ExpectsData:
    """Base of a network: the inputs and outputs of a graph, as a user's data fill them.

    calls    of the graph, whose layers check the inputs that they read
    outputs  whose losses and metrics check their targets
    dtype    of the model's arithmetic: inputs and targets have no number that it cannot hold
    """

    graph: Graph
    calls: tuple[Call, ...]
    outputs: tuple[Output, ...]
    dtype = validation.DOUBLE

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of a sample of each input."""
        return tuple(self.graph.inputs.values())

    @property
    def classes(self) -> int | None:
        """The number of classes, if the targets of a single output are labels, or 0 and 1 of one score."""
        if len(self.outputs) > 1 or self.outputs[0].steps:
            return None
        (output,) = self.outputs
        if output.loss.takes_labels:
            return output.width
        return 2 if output.loss.applies == "sigmoid" and output.width == 1 else None

    @property
    def takes_classes(self) -> bool:
        """Whether the targets of a single output are labels, or 0 and 1: its loss makes probabilities of scores."""
        return len(self.outputs) == 1 and self.outputs[0].loss.makes_probabilities

    def is_ids(self, name: str) -> bool:
        """Whether an input is word ids, not numbers."""
        return self.id_count(name) is not None

    def id_count(self, name: str) -> int | None:
        """How many ids there are, from 0, where an input is word ids; None where it is numbers."""
        readers = (call.layer for call in self.calls if name in call.inputs)
        return min((layer.id_count() for layer in readers if layer.takes_ids), default=None)

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]:
        """A user's data for each input, under the name that messages call it. DataError if one is missing."""
        return _by_name(x, list(self.graph.inputs), what, "inputs")

    def targets_in(self, y: Any, what: str) -> dict[str, Any]:
        """A user's targets of each output, under the name that messages call them. DataError if some are missing."""
        return _by_name(y, [output.name for output in self.outputs], what, "outputs")

    def check_shape(self, number: int, given: tuple[int, ...], what: str) -> None:
        """ShapeError unless data of the shape `given` hold samples of an input, DataError if there are none."""
        validation.check_sample_shape(given, what, self.input_shapes[number])

    def checked_input(self, number: int, x: Any, what: str) -> np.ndarray:
        """The data of an input as kernels take them. ShapeError, TypeError or DataError if they cannot be that."""
        name, shape = list(self.graph.inputs.items())[number]
        given = validation.samples(x, what, shape)
        readers = [call for call in self.calls if name in call.inputs]
        found = [call.layer.checked_input(given, what, call.owner) for call in readers][-1]
        return validation.representable(found, what, self.dtype)

    def checked_target(self, number: int, y: Any, what: str) -> np.ndarray:
        """The targets of an output as its loss and its metrics take them. Errors as of `checked_input`."""
        output = self.outputs[number]
        if output.steps:
            return labels_of_steps(y, what, output.steps, output.width)
        y = validation.representable(output.loss.checked_targets(y, what, output.width), what, self.dtype)
        for metric in output.metrics:
            metric.check_targets(y, what)
        return y


def _by_name(given: Any, names: list[str], what: str, kind: str) -> dict[str, Any]:
    """`given` for each of `names`, under the name that messages call it."""
    if isinstance(given, Mapping) and not hasattr(given, "nnz"):  # SciPy has sparse matrices that are mappings
        if set(given) != set(names):
            raise DataError(f"{what} has the keys {sorted(given)}, expected the {kind} {sorted(names)}")
        return {f"{what}[{name!r}]": given[name] for name in names}
    if len(names) == 1:
        return {what: given}
    if not isinstance(given, tuple | list) or len(given) != len(names):
        told = f"a {type(given).__name__} of {len(given)}" if isinstance(given, tuple | list) else type(given).__name__
        raise DataError(f"{what} is {told}, expected a dict with an array for each of {names}, or all of them in order")
    return {f"{what}[{name!r}]": one for name, one in zip(names, given, strict=True)}
