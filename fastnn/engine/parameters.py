"""Named arrays in one flat block. Parameters, gradients and optimizer state share this layout.

So clipping and checks of finiteness are one pass over one flat array. Rows are padded to cache lines; the padding is
0, and every kernel keeps it so.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.common.user_arrays import as_array, check_numbers
from fastnn.common.validation import finite
from fastnn.engine.memory import aligned_bytes, padded, row_length


@dataclass(frozen=True, eq=False)
class ParameterView:
    """One array of a block, as layers and optimizers hand it to kernels.

    name   public, such as dense.w: the gradient and the state of a parameter have the same one
    array  with its padding: (rows, padded columns), or (padded,) for a vector
    """

    name: str
    array: np.ndarray


class NamedArrays(Mapping[str, np.ndarray]):
    """A mapping from name to array (a view without the padding), in the order of `shapes`.

    Arrays may be assigned to the names, but no name is added or taken away.

    Rows are padded as those of the dtype `padded_as` would be: a number of another dtype then has the same index.

    flat     every array and its padding, (n,)
    frozen   names of arrays that optimizers leave as they are
    buffers  name -> the array with its padding, as kernels see it: (rows, padded columns), or (padded,) for a vector
    """

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], dtype, padded_as=None, frozen: frozenset[str] = frozenset()
    ):
        self.shapes, self.frozen = dict(shapes), frozen
        self.dtype = np.dtype(dtype)
        self.padded_as = np.dtype(padded_as or dtype)
        stored = self._stored = {name: _stored_shape(shape, self.padded_as) for name, shape in self.shapes.items()}
        largest = max(stored, key=lambda name: math.prod(stored[name]), default="")
        named = f"a block of arrays ({largest} {self.shapes[largest]} and others)" if largest else "a block"
        size = sum(map(math.prod, stored.values())) * self.dtype.itemsize
        self.flat = aligned_bytes(size, named, "a net of fewer units").view(self.dtype)

    @cached_property
    def buffers(self) -> dict[str, np.ndarray]:
        found, start = {}, 0
        for name, shape in self._stored.items():
            found[name] = self.flat[start : start + math.prod(shape)].reshape(shape)
            start += math.prod(shape)
        return found

    def __getitem__(self, name: str) -> np.ndarray:
        shape = self._shape_of(name)
        buffer = self.buffers[name]
        if not shape:
            return buffer[:1].reshape(())
        return buffer.reshape(*shape[:-1], buffer.shape[-1])[..., : shape[-1]]

    def __setitem__(self, name: str, value: Any) -> None:
        """Overwrite the numbers of one array: block["dense.w"] *= 0.5 changes them in place and ends here.

        KeyError for an unknown name, ShapeError for another shape, DataError for NaN and for numbers too large.
        """
        shape = self._shape_of(name)
        value = as_array(value, name)
        if value.shape != shape:
            raise ShapeError(f"{name} has shape {value.shape}, expected {shape}")
        if self.dtype.kind == "f" and not np.may_share_memory(value, self.flat):
            value = finite(value, name, self.dtype)
        self.assign(name, value)

    def _shape_of(self, name: str) -> tuple[int, ...]:
        if name not in self.shapes:
            raise KeyError(f"no array {name!r}; {near(name, self.shapes)}")
        return self.shapes[name]

    def __call__(self, *given: Any, **keywords: Any) -> NoReturn:
        """TypeError: `model.parameters()` is a habit from PyTorch."""
        hint = 'use parameters["dense.w"], .items(), ...; fit gives them to the optimizer'
        raise TypeError(f"a mapping of arrays is not called: {hint}")

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"<{self.dtype} arrays: {arrays}>"

    def __contains__(self, name: object) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def nbytes(self) -> int:
        """The memory that it takes, with the padding."""
        return self.flat.nbytes

    def view(self, name: str) -> ParameterView:
        """One array with its padding and its name."""
        return ParameterView(name, self.buffers[name])

    @ieee
    def assign(self, name: str, value: np.ndarray) -> None:
        """Overwrite one array. Its padding becomes 0 again: training that diverged leaves NaN there (0 · ∞)."""
        if name not in self.shapes:
            raise ValueError(f"unknown array {name!r}; {near(name, self.shapes)}")
        value = as_array(value, name)
        check_numbers(value, name)
        if np.shape(value) != self.shapes[name]:
            raise ShapeError(f"{name} has shape {np.shape(value)}, expected {self.shapes[name]}")
        columns = self.shapes[name][-1] if self.shapes[name] else 1
        self.buffers[name][..., columns:] = 0
        self[name][...] = value

    def like(self, dtype=None) -> "NamedArrays":
        """A zeroed block of the same layout, of this dtype or another."""
        return NamedArrays(self.shapes, dtype or self.dtype, self.padded_as)

    def is_like(self, other: "NamedArrays") -> bool:
        """Whether a number has the same place and dtype in both."""
        return self.shapes == other.shapes and (self.dtype, self.padded_as) == (other.dtype, other.padded_as)

    def duplicate(self) -> "NamedArrays":
        """A block of its own with the same numbers."""
        other = object.__new__(NamedArrays)  # its layout is known: a step by hand makes gradients each time
        others = {name: value for name, value in self.__dict__.items() if name != "buffers"}
        flat = aligned_bytes(self.flat.nbytes, "a copy of a block of arrays").view(self.dtype)
        other.__dict__.update(others, flat=flat)
        flat[:] = self.flat
        return other

    def __reduce__(self):
        # Copied piece by piece, `flat` and the views into it would part: a copy is built and filled.
        return _filled, (self.shapes, self.dtype, self.copy(), self.padded_as, self.frozen)

    def copy(self) -> dict[str, np.ndarray]:
        return {name: self[name].copy() for name in self}


@ieee
def _filled(
    shapes: Mapping[str, tuple[int, ...]],
    dtype,
    values: Mapping[str, np.ndarray],
    padded_as=None,
    frozen: frozenset[str] = frozenset(),
) -> NamedArrays:
    block = NamedArrays(shapes, dtype, padded_as, frozen)
    for name, value in values.items():
        block[name][...] = value
    return block


def _stored_shape(shape: tuple[int, ...], dtype) -> tuple[int, ...]:
    if len(shape) <= 1:
        return (padded(math.prod(shape), dtype),)
    return (math.prod(shape[:-1]), row_length(shape[-1], dtype))
