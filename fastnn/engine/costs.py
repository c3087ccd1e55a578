"""How long an operation takes, about: by that it is decided whether threads share it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnn.engine.memory import Buffer
from fastnn.engine.ops import Op
from fastnn_kernels._tuning import SERIAL_ELEMENT

# Arrays of more bytes than a third cache has come from memory: nanoseconds a byte of one core (40 GB/s, Zen 5). By the
# kernels' own estimates, of arrays in a cache, a thread of notmnist-mlp waited 3 ms for the other one.
CACHED_BYTES, MEMORY_BYTE = 32 << 20, 0.025


def cost_of(op: Op, operands: tuple, is_input: Callable[[Any], bool]) -> float:
    """Estimated nanoseconds of an operation on one core.

    Without an estimate of the kernel's own: by the largest of its outputs and of the batch's arrays. Arrays from
    outside do not count: of a record of all steps it writes one, of a data set it reads a batch.

    operands : what its kernel takes for the whole batch
    is_input : whether an operand as emitted stands for an array from outside
    """
    if op.kernel.work is not None:
        return max(op.kernel.work(*operands), _cost_of_memory(op, operands))
    sizes = [
        array.size
        for i, (operand, array) in enumerate(zip(op.operands, operands, strict=True))
        if isinstance(array, np.ndarray) and array.dtype.kind != "u" and not is_input(operand)
        if i < op.kernel.outputs or (isinstance(operand, Buffer) and operand.batched)
    ]
    return SERIAL_ELEMENT * max(sizes, default=1)


def _cost_of_memory(op: Op, operands: tuple) -> float:
    """Estimated nanoseconds in which the batch's arrays come from memory; 0 if they fit into a cache."""
    pairs = zip(op.operands, operands, strict=True)
    size = sum(array.nbytes for one, array in pairs if isinstance(one, Buffer) and one.batched)
    return MEMORY_BYTE * size if size > CACHED_BYTES else 0.0
