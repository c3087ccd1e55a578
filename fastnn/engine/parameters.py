"""Named arrays in one flat block: parameters, gradients and optimizer state share this layout.

Because all of them are laid out alike, an optimizer updates a whole model in one pass over flat
arrays. Rows are padded to cache lines; the padding is 0 and every kernel keeps it so.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from fastnn.engine.memory import aligned_bytes, padded, row_length


class Block(Mapping[str, np.ndarray]):
    """A mapping from name to array (a view without the padding), in the order of `shapes`.

    flat     every array and its padding, (n,)
    buffers  name -> padded array as kernels see it: (rows, padded columns), or (padded,) for a vector
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype):
        self.shapes = dict(shapes)
        self.dtype = np.dtype(dtype)
        stored = {name: _stored_shape(shape, self.dtype) for name, shape in self.shapes.items()}
        self.flat = aligned_bytes(sum(map(math.prod, stored.values())) * self.dtype.itemsize).view(self.dtype)
        self.buffers: dict[str, np.ndarray] = {}
        start = 0
        for name, shape in stored.items():
            self.buffers[name] = self.flat[start : start + math.prod(shape)].reshape(shape)
            start += math.prod(shape)

    def __getitem__(self, name: str) -> np.ndarray:
        shape = self.shapes[name]
        buffer = self.buffers[name]
        if not shape:
            return buffer[:1].reshape(())
        return buffer.reshape(*shape[:-1], buffer.shape[-1])[..., : shape[-1]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def assign(self, name: str, value: np.ndarray) -> None:
        """Overwrite one array. Its padding becomes 0 again: training that diverged leaves NaN there (0 · ∞)."""
        columns = self.shapes[name][-1] if self.shapes[name] else 1
        self.buffers[name][..., columns:] = 0
        self[name][...] = value

    def like(self) -> "Block":
        """A zeroed block of the same layout."""
        return Block(self.shapes, self.dtype)

    def __reduce__(self):
        # Copied piece by piece, `flat` and the views into it would part: a copy is built and filled.
        return _filled, (self.shapes, self.dtype, self.copy())

    def copy(self) -> dict[str, np.ndarray]:
        return {name: self[name].copy() for name in self}


def _filled(shapes: Mapping[str, tuple[int, ...]], dtype, values: Mapping[str, np.ndarray]) -> Block:
    block = Block(shapes, dtype)
    for name, value in values.items():
        block[name][...] = value
    return block


def _stored_shape(shape: tuple[int, ...], dtype) -> tuple[int, ...]:
    if len(shape) <= 1:
        return (padded(math.prod(shape), dtype),)
    return (math.prod(shape[:-1]), row_length(shape[-1], dtype))
