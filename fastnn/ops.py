"""The common kernels as functions on ordinary arrays.

Each function checks its arguments, then runs the serial or the parallel version of its kernel, whichever is faster for
their size. Functions return new arrays, except the updates, which work in place.

    from fastnn import ops

    out = ops.gelu_forward(ops.matmul(x, w))

Arrays may be strided, read-only, big-endian or lists. Floats are float32 or float64, one of the two in a call; lists
and arrays of whole numbers take the dtype of the float arrays beside them, or float64. Results have that dtype.

TypeError means a dtype that does not fit, ShapeError a shape that does not, DataError numbers out of range; the message
names the array, what it is and what was expected.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import fastnn_kernels as kernels
from fastnn.common.arithmetic import ieee
from fastnn.common.array_arguments import (
    FLOATS,
    as_matrix,
    check_shape,
    float_arrays,
    id_array,
    kernel_array,
    updated_in_place,
)
from fastnn.common.errors import DataError, OutOfMemoryError, ShapeError
from fastnn.common.validation import as_array, real_number, whole_number
from fastnn.engine.room import check_room
from fastnn.engine.threads import call
from fastnn_kernels._jit import Kernel
from fastnn_kernels.batch import ROUNDS

_F = TypeVar("_F", bound=Callable[..., Any])

__all__ = [
    "bias_backward", "bias_forward", "elu_backward", "elu_forward", "embedding_backward", "embedding_forward",
    "gather_rows", "gelu_backward", "gelu_forward", "leaky_relu_backward", "leaky_relu_forward", "matmul",
    "matmul_wt", "matmul_xt", "momentum_update", "nesterov_update", "permuted_indices", "relu_backward",
    "relu_forward", "sgd_update", "sigmoid_backward", "sigmoid_forward", "silu_backward", "silu_forward",
    "softmax", "softmax_cross_entropy", "softplus_backward", "softplus_forward", "sum_backward", "sum_forward",
    "tanh_backward", "tanh_forward",
]  # fmt: skip


def _result(kernel: Kernel, shape: int | tuple[int, ...], dtype: DTypeLike, *args: Any) -> np.ndarray:
    """Run a kernel that writes one new array of that shape and dtype."""
    out = _empty(shape, dtype)
    call(kernel, out, *args)
    return out


def _empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """A new array; OutOfMemoryError before any memory is taken if there is not enough."""
    numbers = math.prod(shape) if isinstance(shape, tuple) else shape
    check_room(min(numbers * np.dtype(dtype).itemsize, 2**63), f"an array of shape {shape}")
    try:
        return np.empty(shape, dtype)
    except MemoryError:  # of a process that may take less than the machine has
        raise OutOfMemoryError(f"an array of shape {shape} takes more memory than this process may take") from None


def _float_arrays(**arrays: Any) -> list[np.ndarray]:
    """`float_arrays`; OutOfMemoryError if what must be copied is too large, as is an array of few numbers, repeated."""
    for name, a in arrays.items():
        if isinstance(a, np.ndarray) and not (a.flags.c_contiguous and a.dtype in FLOATS):
            check_room(a.size * FLOATS[1].itemsize, f"{name} with shape {a.shape}")
    return float_arrays(**arrays)


def _ids(name: str, value: Any, count: int, meaning: str) -> np.ndarray:
    """`id_array`; OutOfMemoryError if the copy that it makes is too large."""
    if isinstance(value, np.ndarray):
        check_room(value.size * 8, f"{name} with shape {value.shape}")
    return id_array(name, value, count, meaning)


def _named(function: _F, name: str, text: str) -> _F:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


_FORWARD_TEXT = """{name} of every element of x.

Args:
    x (ArrayLike): An array of any shape.

Returns:
    out (np.ndarray): An array of the same shape and dtype.

Raises:
    TypeError: For a dtype that does not fit.

Examples:
    >>> fn.ops.{name}_forward([[-1.0, 0.0, 1.0]]).shape
    (1, 3)
"""
_BACKWARD_TEXT = """dx = dout · the derivative of {name}, computed from {of} of {name}.

Args:
    dout (ArrayLike): The gradient of the output, an array of any shape.
    x_or_out (ArrayLike): What the derivative is computed from, of the same shape.

Returns:
    dx (np.ndarray): An array of the same shape and dtype.

Raises:
    TypeError: For a dtype that does not fit.
    ShapeError: For a shape that does not fit.

Examples:
    >>> fn.ops.{name}_backward([[1.0, 1.0]], [[-1.0, 1.0]]).shape
    (1, 2)
"""


def _forward(name: str) -> Callable[[ArrayLike], np.ndarray]:
    kernel = getattr(kernels, f"{name}_forward")

    def forward(x: ArrayLike) -> np.ndarray:
        (x,) = _float_arrays(x=x)
        out = np.empty_like(x)
        call(kernel, as_matrix(out), as_matrix(x), as_matrix(x).shape[1])
        return out

    return _named(forward, kernel.name, _FORWARD_TEXT.format(name=name))


def _backward(name: str, of: str) -> Callable[[ArrayLike, ArrayLike], np.ndarray]:
    """of : what the derivative is computed from: "x", the input of the activation, or "out", its output."""
    kernel = getattr(kernels, f"{name}_backward")

    def backward(dout: ArrayLike, x_or_out: ArrayLike) -> np.ndarray:
        dout, given = _float_arrays(**{"dout": dout, of: x_or_out})
        check_shape("dout", dout, *given.shape)
        dx, given = np.empty_like(dout), as_matrix(given)
        # The kernel has arguments for x and for out. It reads one of them; elu's reads the sign of x, which is out's.
        call(kernel, as_matrix(dx), as_matrix(dout), given, given, given.shape[1])
        return dx

    text = _BACKWARD_TEXT.format(name=name, of={"x": "x, the input", "out": "out, the output"}[of])
    return _named(backward, kernel.name, text)


relu_forward, relu_backward = _forward("relu"), _backward("relu", of="x")
leaky_relu_forward, leaky_relu_backward = _forward("leaky_relu"), _backward("leaky_relu", of="x")
tanh_forward, tanh_backward = _forward("tanh"), _backward("tanh", of="out")
sigmoid_forward, sigmoid_backward = _forward("sigmoid"), _backward("sigmoid", of="out")
softplus_forward, softplus_backward = _forward("softplus"), _backward("softplus", of="x")
elu_forward, elu_backward = _forward("elu"), _backward("elu", of="out")
gelu_forward, gelu_backward = _forward("gelu"), _backward("gelu", of="x")
silu_forward, silu_backward = _forward("silu"), _backward("silu", of="x")


def matmul(x: ArrayLike, w: ArrayLike) -> np.ndarray:
    """x · w, the product of two matrices.

    Args:
        x: (m, k).
        w: (k, n).

    Returns:
        (m, n) of their dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
        array([[11.]])
    """
    x, w = _float_arrays(x=x, w=w)
    check_shape("x", x, "m", "k")
    check_shape("w", w, x.shape[1], "n")
    return _result(kernels.matmul, (len(x), w.shape[1]), x.dtype, x, w)


def matmul_xt(x: ArrayLike, dout: ArrayLike) -> np.ndarray:
    """xᵀ · dout, the gradient of w in x · w.

    Args:
        x: (m, k).
        dout: (m, n).

    Returns:
        (k, n) of their dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.matmul_xt(np.ones((5, 3)), np.ones((5, 2))).shape
        (3, 2)
    """
    x, dout = _float_arrays(x=x, dout=dout)
    check_shape("x", x, "m", "k")
    check_shape("dout", dout, len(x), "n")
    return _result(kernels.matmul_xt, (x.shape[1], dout.shape[1]), x.dtype, x, dout)


def matmul_wt(dout: ArrayLike, w: ArrayLike) -> np.ndarray:
    """dout · wᵀ, the gradient of x in x · w.

    Args:
        dout: (m, n).
        w: (k, n).

    Returns:
        (m, k) of their dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.matmul_wt(np.ones((5, 2)), np.ones((3, 2))).shape
        (5, 3)
    """
    dout, w = _float_arrays(dout=dout, w=w)
    check_shape("dout", dout, "m", "n")
    check_shape("w", w, "k", dout.shape[1])
    wt = _result(kernels.transpose, w.shape[::-1], w.dtype, w)
    return _result(kernels.matmul, (len(dout), len(w)), w.dtype, dout, wt)


def bias_forward(x: ArrayLike, b: ArrayLike) -> np.ndarray:
    """x + b, a number for each column.

    Args:
        x: (B, C).
        b: (C,).

    Returns:
        (B, C) of their dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.bias_forward([[1.0, 2.0]], [10.0, 20.0])
        array([[11., 22.]])
    """
    x, b = _float_arrays(x=x, b=b)
    check_shape("x", x, "B", "C")
    check_shape("b", b, x.shape[1])
    out = x.copy()
    call(kernels.bias_forward, out, b)
    return out


def bias_backward(dout: ArrayLike) -> np.ndarray:
    """The sum of the rows of dout: the gradient of b in `bias_forward`.

    Args:
        dout: (B, C).

    Returns:
        (C,) of its dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.bias_backward(np.ones((5, 2)))
        array([5., 5.])
    """
    (dout,) = _float_arrays(dout=dout)
    check_shape("dout", dout, "B", "C")
    return _result(kernels.bias_backward, dout.shape[1], dout.dtype, dout)


def softmax(x: ArrayLike) -> np.ndarray:
    """exp(x) / Σ exp(x) along the last axis of x.

    Args:
        x: An array of any shape (…, n), n ≥ 1.

    Returns:
        An array of the same shape and dtype.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> fn.ops.softmax([[0.0, 0.0]])
        array([[0.5, 0.5]])
    """
    (x,) = _float_arrays(x=x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ShapeError(f"x has shape {x.shape}, expected at least one score along the last axis")
    out = np.empty_like(x)
    call(kernels.softmax_forward, as_matrix(out), as_matrix(x), x.shape[-1])
    return out


def softmax_cross_entropy(
    x: ArrayLike, labels: ArrayLike, weight: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The softmax cross-entropy of each sample, whether it is classified correctly, and the gradient by the scores.

    Args:
        x: Scores (B, n).
        labels: (B,) whole numbers in [0, n).
        weight: (B,) of the samples; 1/B unless given.

    Returns:
        loss (np.ndarray): (B,): of each sample, in nats, without its weight.
        correct (np.ndarray): (B,): 1 where the label has the highest score (the first of equal ones), else 0.
        dx (np.ndarray): (B, n): the gradient of Σ weight[i] · loss[i].

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For labels out of range.

    Examples:
        >>> loss, correct, dx = fn.ops.softmax_cross_entropy([[0.0, 2.0], [0.0, 2.0]], [1, 0])
        >>> correct
        array([1., 0.])
    """
    labels = as_array(labels, "labels")
    x, weight = _float_arrays(x=x, weight=_equal_weights(labels) if weight is None else weight)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ShapeError(f"x has shape {x.shape}, expected (B, n) with at least one score in a row")
    labels = _ids("labels", labels, x.shape[1], f"x has {x.shape[1]} columns")
    check_shape("labels", labels, len(x))
    check_shape("weight", weight, len(x))
    loss, correct, dx = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype), np.empty_like(x)
    call(kernels.softmax_cross_entropy, loss, correct, dx, x, labels, weight, x.shape[1])
    return loss, correct, dx


def _equal_weights(labels: np.ndarray) -> list[float]:
    check_room(labels.size * 8, f"weights for labels with shape {labels.shape}")
    return [1 / max(1, labels.size)] * labels.size


def embedding_forward(w: ArrayLike, word_ids: ArrayLike) -> np.ndarray:
    """For each sample the rows of w that its word_ids name, side by side.

    Args:
        w: The table of vectors, (V, n).
        word_ids: (B, C) whole numbers in [0, V).

    Returns:
        (B, C·n) of the dtype of w.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For ids out of range.

    Examples:
        >>> fn.ops.embedding_forward([[1.0, 2.0], [3.0, 4.0]], [[1, 0]])
        array([[3., 4., 1., 2.]])
    """
    (w,) = _float_arrays(w=w)
    check_shape("w", w, "V", "n")
    word_ids = _ids("ids", word_ids, len(w), f"w has {len(w)} rows")
    check_shape("ids", word_ids, "B", "C")
    (B, C), n = word_ids.shape, w.shape[1]
    return _result(kernels.embedding_forward, (B, C * n), w.dtype, w, word_ids, n)


def embedding_backward(dout: ArrayLike, word_ids: ArrayLike, rows: int) -> np.ndarray:
    """The gradient of w in `embedding_forward`: dout summed by the rows that word_ids name.

    Args:
        dout: (B, C·n).
        word_ids: (B, C) whole numbers in [0, rows).
        rows: Of the table of vectors.

    Returns:
        (rows, n) of the dtype of dout.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For ids out of range.

    Examples:
        >>> fn.ops.embedding_backward([[3.0, 4.0, 1.0, 2.0]], [[1, 1]], 2)
        array([[0., 0.],
               [4., 6.]])
    """
    (dout,) = _float_arrays(dout=dout)
    rows = whole_number("rows", rows, least=0, error=DataError)
    word_ids = _ids("ids", word_ids, rows, f"w has {rows} rows")
    check_shape("ids", word_ids, "B", "C")
    B, C = word_ids.shape
    n = _part_width("dout", dout, C)
    check_shape("dout", dout, B, C * n)
    starts, positions = _empty(rows + 1, np.int64), _empty(B * C, np.int64)
    dw = _empty((rows, n), dout.dtype)
    call(kernels.group_by_row, starts, positions, word_ids)
    dw[...] = 0
    call(kernels.embedding_backward, dw, dout, starts, positions, C, n)
    return dw


def _part_width(name: str, a: np.ndarray, count: int) -> int:
    """The width n of the `count` equal parts (B, n) that `a` (B, count·n) is cut into; ShapeError if it cannot be."""
    check_shape(name, a, "B", "C·n")
    if count < 1 or a.shape[1] % count:
        raise ShapeError(f"{name} has {a.shape[1]} columns, expected a multiple of the {count} parts of a row")
    return a.shape[1] // count


def sum_forward(x: ArrayLike, parts: int) -> np.ndarray:
    """The sum of the `parts` equal parts that stand side by side in x.

    Args:
        x: (B, parts · n).
        parts: How many parts a row has.

    Returns:
        (B, n) of the dtype of x.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For fewer than 1 part.

    Examples:
        >>> fn.ops.sum_forward([[1.0, 2.0, 10.0, 20.0]], 2)
        array([[11., 22.]])
    """
    (x,) = _float_arrays(x=x)
    parts = whole_number("parts", parts, error=DataError)
    n = _part_width("x", x, parts)
    return _result(kernels.sum_forward, (len(x), n), x.dtype, x, parts, n)


def sum_backward(dout: ArrayLike, parts: int) -> np.ndarray:
    """dout `parts` times side by side: the gradient of x in `sum_forward`.

    Args:
        dout: (B, n).
        parts: How many parts a row has.

    Returns:
        (B, parts · n) of the dtype of dout.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For fewer than 1 part.

    Examples:
        >>> fn.ops.sum_backward([[1.0, 2.0]], 2)
        array([[1., 2., 1., 2.]])
    """
    (dout,) = _float_arrays(dout=dout)
    check_shape("dout", dout, "B", "n")
    parts, n = whole_number("parts", parts, error=DataError), dout.shape[1]
    return _result(kernels.sum_backward, (len(dout), parts * n), dout.dtype, dout, parts, n)


def gather_rows(source: ArrayLike, indices: ArrayLike) -> np.ndarray:
    """source[indices], the rows that `indices` name.

    Args:
        source: (N, ...) of whole numbers, float32 or float64.
        indices: (B,) whole numbers in [0, N).

    Returns:
        (B, ...) of the dtype of source.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For indices out of range.

    Examples:
        >>> fn.ops.gather_rows(np.array([10, 20, 30]), [2, 0])
        array([30, 10])
    """
    source = as_array(source, "source")
    if source.dtype.kind not in "iu" and source.dtype.newbyteorder("=") not in FLOATS:
        raise TypeError(f"source has dtype {source.dtype}, expected float32, float64 or whole numbers")
    if source.ndim == 0:
        raise ShapeError("source is a single number, expected (N, ...)")
    indices = _ids("indices", indices, len(source), f"source has {len(source)} rows")
    check_shape("indices", indices, "B")
    check_room(0 if source.flags.c_contiguous else source.nbytes, f"source with shape {source.shape}")
    rows = kernel_array(source).reshape(len(source), -1 if source.size else int(np.prod(source.shape[1:])))
    out = _result(kernels.gather_rows, (len(indices), rows.shape[1]), rows.dtype, rows, indices)
    return out.reshape(len(indices), *source.shape[1:])


def permuted_indices(count: int, key: ArrayLike) -> np.ndarray:
    """A permutation of range(count), chosen by `key`.

    Args:
        count: At most 2³².
        key: (10,) uint64.

    Returns:
        (count,) int64.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.
        DataError: For a count out of range.

    Examples:
        >>> order = fn.ops.permuted_indices(1000, fn.random.key(0, "my order", words=10))
        >>> bool((np.sort(order) == np.arange(1000)).all())
        True
    """
    count = whole_number("count", count, error=DataError)
    if count > 2**32:
        raise DataError(f"count is {count}, expected at most {2**32}")
    key = as_array(key, "key")
    check_shape("key", key, 2 * ROUNDS)
    if key.dtype.kind not in "iu":
        raise TypeError(f"key has dtype {key.dtype}, expected whole numbers")
    start = np.zeros(4, np.int64)  # the cursor of a training that is at its first sample
    return _result(kernels.permuted_indices, count, np.int64, start, kernel_array(key, np.uint64), count)


@ieee
def _update(kernel: Kernel, dw: Any, scalars: dict[str, float], **state: Any) -> None:
    """Run a kernel that changes the arrays of `state`, w among them, by the gradient dw and the named scalars."""
    w = state["w"]
    with updated_in_place(**state) as flat:
        *_, dw = _float_arrays(**state, dw=dw)
        for name, a in [*state.items(), ("dw", dw)]:
            check_shape(name, a, *w.shape)
        if any(np.may_share_memory(dw, a) for a in flat):  # or a thread might read numbers that another has changed
            dw = dw.copy()
        call(kernel, *flat, dw.reshape(-1), np.array([real_number(*scalar) for scalar in scalars.items()], dw.dtype))


def sgd_update(w: np.ndarray, dw: ArrayLike, lr: float) -> None:
    """w −= lr · dw, in place.

    Args:
        w: Floats of any shape.
        dw: Its gradient, of the same shape.
        lr: The learning rate.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w = np.zeros(2)
        >>> fn.ops.sgd_update(w, [1.0, 2.0], 0.5)
        >>> w
        array([-0.5, -1. ])
    """
    _update(kernels.sgd_update, dw, {"lr": lr}, w=w)


def momentum_update(w: np.ndarray, velocity: np.ndarray, dw: ArrayLike, lr: float, momentum: float) -> None:
    """velocity = momentum · velocity − lr · dw;  w += velocity, both in place.

    Args:
        w: Floats of any shape.
        velocity: Of the same shape.
        dw: The gradient of w, of the same shape.
        lr: The learning rate.
        momentum: How much of the velocity stays.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w, velocity = np.zeros(2), np.ones(2)
        >>> fn.ops.momentum_update(w, velocity, [1.0, 2.0], 0.5, 0.9)
        >>> w
        array([ 0.4, -0.1])
    """
    _update(kernels.momentum_update, dw, {"lr": lr, "momentum": momentum}, w=w, velocity=velocity)


def nesterov_update(w: np.ndarray, velocity: np.ndarray, dw: ArrayLike, lr: float, momentum: float) -> None:
    """velocity = momentum · velocity − lr · dw;  w += momentum · velocity − lr · dw, both in place.

    The second formula uses the new velocity.

    Args:
        w: Floats of any shape.
        velocity: Of the same shape.
        dw: The gradient of w, of the same shape.
        lr: The learning rate.
        momentum: How much of the velocity stays.

    Raises:
        TypeError: For a dtype that does not fit.
        ShapeError: For a shape that does not fit.

    Examples:
        >>> w, velocity = np.zeros(2), np.ones(2)
        >>> fn.ops.nesterov_update(w, velocity, [1.0, 2.0], 0.5, 0.9)
        >>> velocity
        array([ 0.4, -0.1])
    """
    _update(kernels.nesterov_update, dw, {"lr": lr, "momentum": momentum}, w=w, velocity=velocity)
