"""The state of one model's parameters, of which kernels take each kind as one flat array."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnn.engine.parameters import NamedArrays
from fastnn.nn.optimizers.state import fresh, take_over


@dataclass(frozen=True, eq=False)
class LaidOut:
    """State that lies as the parameters of its owner do.

    owner   the parameters; None: no model's yet
    blocks  kind of state -> the arrays of all parameters
    made    name of a parameter -> its arrays by kind, as they were handed out: users may have put others in their place
    """

    owner: NamedArrays | None = None
    blocks: Mapping[str, NamedArrays] = field(default_factory=dict)
    made: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parameters: NamedArrays,
        dtype: np.dtype,
        kinds: Sequence[str],
        start: float,
        given: Mapping[str, Mapping[str, Any]],
    ) -> "LaidOut":
        """State for these parameters: the arrays that were given for their names, else `start`.

        ValueError, ShapeError or TypeError for a given array that does not fit, as `take_over` raises them.
        """
        blocks = {kind: fresh(parameters, dtype, start) for kind in kinds}
        made = {name: {kind: block[name] for kind, block in blocks.items()} for name in parameters}
        take_over(made, given)
        return cls(parameters, blocks, made)

    def by_name(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays by parameter and kind, in dicts that may be changed."""
        return {name: dict(parts) for name, parts in self.made.items()}

    def is_of(self, parameters: NamedArrays, dtype: np.dtype) -> bool:
        """Whether it is state of these parameters, and of that dtype."""
        return self.owner is parameters and all(block.dtype == dtype for block in self.blocks.values())

    def is_untouched(self, state: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether `state` consists of the very arrays that were handed out. Quick, and True nearly always."""
        return state.keys() == self.made.keys() and all(
            state[name].keys() == parts.keys() and all(state[name][kind] is array for kind, array in parts.items())
            for name, parts in self.made.items()
        )

    def holds(self, name: str, parts: Mapping[str, Any]) -> bool:
        """Whether the state arrays of a parameter are those in the blocks, whatever objects they are."""
        return parts.keys() == self.blocks.keys() and all(
            name in block and _is_view(parts[kind], block[name]) for kind, block in self.blocks.items()
        )


def _is_view(array: Any, expected: np.ndarray) -> bool:
    """Whether `array` is the same memory as `expected`, seen in the same way."""
    if not isinstance(array, np.ndarray):
        return False
    return (array.ctypes.data, array.shape, array.strides) == (expected.ctypes.data, expected.shape, expected.strides)
