"""How an optimizer keeps its state: in the dtype of the parameters, or in bfloat16, rounded stochastically."""

import zlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

import fastnn_kernels as k
from fastnn.common import bfloat16, random
from fastnn.common.arithmetic import ieee
from fastnn.common.errors import ShapeError
from fastnn.common.names import near
from fastnn.common.user_arrays import as_array, check_numbers
from fastnn.engine.parameters import NamedArrays
from fastnn_kernels._jit import Kernel

BFLOAT16 = "bfloat16"
WORDS = np.dtype(np.uint16)


def checked(optimizer: str, name: str, value: Any) -> str | None:
    """`value`; ValueError if it is none of the choices."""
    if value is not None and (not isinstance(value, str) or value != BFLOAT16):
        raise ValueError(
            f"{optimizer}: {name} is {value!r}, expected None (state has the dtype of the parameters) or {BFLOAT16!r}"
        )
    return value


def rounding(kernel: Kernel) -> Kernel:
    """The same update with its state in bfloat16. TypeError if there is none."""
    twin = getattr(k, f"{kernel.name}_{BFLOAT16}", None)
    if twin is None:
        raise TypeError(f"{kernel.name} has no version with state in {BFLOAT16}; expected state_dtype=None")
    return twin


@ieee
def fitting(name: str, array: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """`array` as state of that dtype; uint16 is bfloat16, which is what it stands for.

    ShapeError for another shape, TypeError for what holds no numbers.
    """
    array = as_array(array, name)
    check_numbers(array, name)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}")
    if array.dtype == WORDS and dtype != WORDS:
        array = np.asarray(bfloat16.decoded(array))
    if dtype == WORDS and array.dtype != WORDS:
        array = bfloat16.encoded(array)
    return np.asarray(array, dtype)


def told(parameter: str, part: str) -> str:
    """The name of a state array in messages."""
    return f"optimizer state {parameter}/{part}"


def fresh(parameters: NamedArrays, dtype: np.dtype, start: float) -> NamedArrays:
    """One kind of state for all of these parameters, at its initial value."""
    block = parameters.like(dtype)
    for name in parameters if start else ():  # array by array: the padding of their rows stays 0
        block[name][...] = fitting(name, start, (), block.dtype)
    return block


def take_over(state: Mapping[str, Mapping[str, np.ndarray]], given: Mapping[str, Mapping[str, Any]]) -> None:
    """Copy the assigned arrays into those of `state`.

    ValueError for an array that has no place there; ShapeError and TypeError as `fitting` raises them.
    """
    for name, parts in given.items():
        if parts and name not in state:
            raise ValueError(
                f"optimizer state is of {name!r}, which is no parameter of this model (optimizer.state = {{}} begins "
                f"anew); {near(name, state)}"
            )
        check_kinds(name, parts, state.get(name, {}))
        for part, array in parts.items():
            target = state[name][part]
            target[...] = fitting(told(name, part), array, target.shape, target.dtype)


def check_kinds(parameter: str, parts: Collection[str], kinds: Collection[str]) -> None:
    """ValueError unless each state array of a parameter is of a kind that its optimizer keeps."""
    for part in parts:
        if part not in kinds:
            kept = f"expected {' and '.join(kinds)}" if kinds else "this optimizer keeps no state, expected none"
            raise ValueError(f"{told(parameter, part)}: there is no state array {part!r}; {kept}")


def stream_of(parameter: str) -> int:
    """The number of a parameter's own random stream."""
    return zlib.crc32(parameter.encode())


def noise_by_hand(parameter: str, epoch: int, iteration: int) -> tuple:
    """The last operands of a rounding kernel outside of a program: those of a model whose seed is 0."""
    return random.key(0, "noise", epoch, words=2), np.array([0, iteration, 0, 0]), stream_of(parameter), 1
