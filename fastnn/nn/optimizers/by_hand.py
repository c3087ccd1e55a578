"""The arrays of `Optimizer.step`: those of any dict, checked, and laid out as the kernels take them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.user_arrays import as_array, check_numbers, check_unmasked
from fastnn.engine.parameters import NamedArrays
from fastnn.engine.threads import call
from fastnn_kernels._jit import Kernel
from fastnn_kernels._lanes.sums import chunks


def blocks_of(arrays: Mapping[str, np.ndarray]) -> list[NamedArrays]:
    """Copies of the arrays, laid out as a model's gradients are; a block for each dtype."""
    blocks = []
    for dtype in {array.dtype: None for array in arrays.values()}:
        own = {name: array for name, array in arrays.items() if array.dtype == dtype}
        blocks.append(NamedArrays({name: array.shape for name, array in own.items()}, dtype))
        for name, array in own.items():
            blocks[-1].assign(name, array)
    return blocks


def gathered(parameters: NamedArrays, gradients: Mapping[str, Any]) -> NamedArrays:
    """The gradients laid out as the parameters are: themselves, if they are; 0 for frozen ones.

    KeyError for a gradient that is missing, ShapeError for one of another shape.
    """
    if isinstance(gradients, NamedArrays) and gradients.is_like(parameters):
        return gradients
    block = parameters.like()
    for name, w in trained(parameters).items():
        block[name][...] = gradient_of(name, gradients, w)
    return block


def gradient_of(name: str, gradients: Mapping[str, Any], w: np.ndarray) -> np.ndarray:
    """The gradient of one parameter. KeyError if it is missing, ShapeError if it has another shape."""
    if name not in gradients:
        raise KeyError(f"the gradients have none of {name!r}, expected one for each parameter that is not frozen")
    return fitting(f"gradient of {name}", gradients[name], w)


def trained(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays to update: all but those that a model keeps frozen."""
    frozen = parameters.frozen if isinstance(parameters, NamedArrays) else ()
    return {name: w for name, w in parameters.items() if name not in frozen}


def sum_of_squares(flat: np.ndarray) -> np.ndarray:
    out = np.zeros(1)
    call(k.sum_of_squares, out, np.zeros(chunks(flat.size)), flat)
    return out


def fitting(name: str, array: Any, w: np.ndarray) -> np.ndarray:
    """`array` in the dtype of w; ShapeError if its shape is another."""
    given = as_array(array, name)
    check_numbers(given, name)
    if given.shape != w.shape:
        raise ShapeError(f"{name} has shape {given.shape}, expected {w.shape}")
    return np.asarray(given, w.dtype)


def updatable(name: str, w: Any) -> np.ndarray:
    if not isinstance(w, np.ndarray):
        raise TypeError(f"{name} is a {type(w).__name__}, expected an array: it is updated in place")
    if w.dtype not in (np.float32, np.float64) or not w.flags.writeable:
        kind = "" if w.flags.writeable else "read-only "
        raise TypeError(f"{name} is a {kind}{w.dtype} array, expected a writable one of float32 or float64")
    check_unmasked(w, name)  # all numbers are updated, masked ones too
    return w


def clipped(
    gradients: dict[str, np.ndarray], clip_norm: float | None, clip_value: float | None
) -> dict[str, np.ndarray]:
    """The gradients within the bounds; copies, if there are bounds."""
    if clip_value is None and clip_norm is None:
        return gradients
    blocks = blocks_of(gradients)
    clip(blocks, clip_norm, clip_value)
    return {name: block[name] for block in blocks for name in block}


def clip(blocks: Sequence[NamedArrays], clip_norm: float | None, clip_value: float | None) -> None:
    """Bring gradients within the bounds, in place, by the kernels that `Optimizer.emit` uses."""
    if clip_value is not None:
        for block in blocks:
            call(k.clip_by_value, block.flat, np.array([clip_value], block.dtype))
    if clip_norm is not None:
        norm2 = np.sum([sum_of_squares(block.flat) for block in blocks], axis=0)
        for block in blocks:
            call(k.clip_by_global_norm, block.flat, norm2, np.array([clip_norm], block.dtype))


def update(kernel: Kernel, arrays: list[np.ndarray], gradient: np.ndarray, *others: Any) -> None:
    """Run an update kernel on a parameter and its state, in place, whatever their strides."""
    flat = [np.ascontiguousarray(array).reshape(-1) for array in (*arrays, gradient)]
    call(kernel, *flat, *others)
    for array, result in zip(arrays, flat, strict=False):
        if not np.may_share_memory(array, result):  # a strided array: its copy was updated
            array[...] = result.reshape(array.shape)


def update_model(kernel: Kernel, blocks: Sequence[NamedArrays], scalars: np.ndarray) -> None:
    """Run an update kernel on all parameters of a model at once; where some are frozen, on the others one by one.

    blocks : the parameters, their state, their gradients
    """
    frozen = blocks[0].frozen
    if not frozen:
        call(kernel, *(block.flat for block in blocks), scalars)
        return
    for name in (name for name in blocks[0] if name not in frozen):
        call(kernel, *(block.buffers[name].reshape(-1) for block in blocks), scalars)
