"""Kernels for a caller's own arrays: any strides, lists, read-only; checked here, so that kernels need not be.

Functions return new arrays; the `*_update` functions work in place. Floats are float32 or float64,
one of them per call; whole numbers and lists take the dtype of the arrays beside them, or float64.
What does not fit raises `ShapeError`, `DataError` or `TypeError` and names the array.
"""

import math

import fastnn_kernels as kernels
import numpy as np

from fastnn import threads
from fastnn.errors import DataError, ShapeError

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


# --- from what the caller has to what a kernel takes ---


def _asarray(name, value) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name}: the nested lists are not of equal lengths ({error})") from None


def _plain(a: np.ndarray, dtype) -> np.ndarray:
    """Native, C-contiguous, aligned and writable: the one kind of array that kernels are compiled for."""
    return np.require(a, dtype, ["C", "ALIGNED", "WRITEABLE", "ENSUREARRAY"])


def _floats(**arrays) -> list[np.ndarray]:
    """The arrays as kernels take them, all of the one float dtype that they share."""
    found = {name: _asarray(name, value) for name, value in arrays.items()}
    dtypes = {}
    for name, a in found.items():
        if a.dtype.newbyteorder("=") not in FLOATS and a.dtype.kind not in "iu":
            raise TypeError(f"{name} has dtype {a.dtype}, expected float32, float64 or whole numbers")
        if a.dtype.kind == "f" and hasattr(arrays[name], "dtype"):
            dtypes[name] = a.dtype.newbyteorder("=")
    if len(set(dtypes.values())) > 1:
        given = ", ".join(f"{name} is {dtype}" for name, dtype in dtypes.items())
        raise TypeError(f"mixed dtypes: {given}; expected all float32 or all float64")
    dtype = next(iter(dtypes.values()), FLOATS[1])
    return [_plain(a, dtype) for a in found.values()]


def _integers(name, value, limit: int, of_what: str) -> np.ndarray:
    """`value` as int64, every number in [0, limit)."""
    a = _asarray(name, value)
    if a.dtype.kind not in "iu" and a.size:
        raise TypeError(f"{name} has dtype {a.dtype}, expected whole numbers")
    wrong = (a < 0) | (a >= limit)
    if wrong.any():
        place = tuple(int(p) for p in np.argwhere(wrong)[0])
        where = ", ".join(map(str, place))
        expected = f"expected 0 to {limit - 1}" if limit else "expected none"
        raise DataError(f"{name}[{where}] is {a[place]}: {expected}, since {of_what} is {limit}")
    return _plain(a, np.int64)


def _shape(name, a, *expected):
    """Fail unless `a` has the expected extents; a string stands for any extent and names it."""
    fits = a.ndim == len(expected) and all(isinstance(e, str) or e == s for e, s in zip(expected, a.shape, strict=True))
    if not fits:
        wanted = ", ".join(map(str, expected)) + ("," if len(expected) == 1 else "")
        raise ShapeError(f"{name} has shape {a.shape}, expected ({wanted})")


def _count(name, value, least=1) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} is {value!r}, expected a whole number")
    if value < least:
        raise DataError(f"{name} is {value}, expected at least {least}")
    return int(value)


def _rows(a: np.ndarray) -> np.ndarray:
    """`a` as a matrix of its last axis, without copying."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim else a.reshape(1, 1)


def _run(kernel, *args):
    parallel = threads.use_parallel(kernel, args)
    with threads.guard(parallel):
        kernel.twin(parallel)(*args)


# --- activations: any shape ---


def _activation_forward(kernel, name):
    def forward(x):
        (x,) = _floats(x=x)
        out = np.empty_like(x)
        _run(kernel, _rows(out), _rows(x), _rows(x).shape[1])
        return out

    return _named(forward, f"{name}_forward", f"{name} of every element of x")


def _activation_backward(kernel, name, needs):
    """`needs` names what the derivative is computed from: the input x, or the output out."""

    def backward(dout, saved):
        dout, saved = _floats(**{"dout": dout, needs: saved})
        _shape(needs, saved, *dout.shape)
        dx = np.empty_like(dout)
        # The kernel takes input and output and reads only one of them.
        _run(kernel, _rows(dx), _rows(dout), _rows(saved), _rows(saved), _rows(dx).shape[1])
        return dx

    return _named(backward, f"{name}_backward", f"Gradient of {name}: dout times its derivative, from `{needs}`")


def _named(function, name, text):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


relu_forward = _activation_forward(kernels.relu_forward, "relu")
relu_backward = _activation_backward(kernels.relu_backward, "relu", "x")
leaky_relu_forward = _activation_forward(kernels.leaky_relu_forward, "leaky_relu")
leaky_relu_backward = _activation_backward(kernels.leaky_relu_backward, "leaky_relu", "x")
tanh_forward = _activation_forward(kernels.tanh_forward, "tanh")
tanh_backward = _activation_backward(kernels.tanh_backward, "tanh", "out")
sigmoid_forward = _activation_forward(kernels.sigmoid_forward, "sigmoid")
sigmoid_backward = _activation_backward(kernels.sigmoid_backward, "sigmoid", "out")


# --- dense layers ---


def _product(kernel, left, right, shape):
    out = np.empty(shape, left.dtype)
    _run(kernel, out, left, right)
    return out


def matmul(x, w):
    """x · w, for x (m, k) and w (k, n)"""
    x, w = _floats(x=x, w=w)
    _shape("x", x, "m", "k")
    _shape("w", w, x.shape[1], "n")
    return _product(kernels.matmul, x, w, (x.shape[0], w.shape[1]))


def matmul_xt(x, dout):
    """xᵀ · dout, the gradient of w in x · w, for x (m, k) and dout (m, n)"""
    x, dout = _floats(x=x, dout=dout)
    _shape("x", x, "m", "k")
    _shape("dout", dout, x.shape[0], "n")
    return _product(kernels.matmul_xt, x, dout, (x.shape[1], dout.shape[1]))


def matmul_wt(dout, w):
    """dout · wᵀ, the gradient of x in x · w, for dout (m, n) and w (k, n)"""
    dout, w = _floats(dout=dout, w=w)
    _shape("dout", dout, "m", "n")
    _shape("w", w, "k", dout.shape[1])
    wt = np.empty(w.shape[::-1], w.dtype)
    _run(kernels.transpose, wt, w)
    return _product(kernels.matmul_wt, dout, wt, (dout.shape[0], w.shape[0]))


def bias_forward(x, b):
    """x + b, for x (B, C) and b (C,)"""
    x, b = _floats(x=x, b=b)
    _shape("x", x, "B", "C")
    _shape("b", b, x.shape[1])
    out = x.copy()
    _run(kernels.bias_forward, out, b)
    return out


def bias_backward(dout):
    """Σ dout over rows, the gradient of b, for dout (B, C)"""
    (dout,) = _floats(dout=dout)
    _shape("dout", dout, "B", "C")
    db = np.empty(dout.shape[1], dout.dtype)
    _run(kernels.bias_backward, db, dout)
    return db


# --- softmax ---


def softmax(x):
    """exp(x) / Σ exp(x) along the last axis, which must not be empty"""
    (x,) = _floats(x=x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ShapeError(f"x has shape {x.shape}, expected at least one score along the last axis")
    out = np.empty_like(x)
    _run(kernels.softmax_forward, _rows(out), _rows(x), x.shape[-1])
    return out


def softmax_cross_entropy(x, labels, weight=None):
    """(loss, correct, dx) of scores x (B, n) and labels (B,) in [0, n); weight (B,) is 1/B unless given

    loss[i] is unweighted; dx is the gradient of Σ weight[i] · loss[i]; correct[i] is 1 where the
    label has the (first) greatest score.
    """
    count = max(1, len(_asarray("labels", labels))) if np.ndim(labels) else 1
    x, weight = _floats(x=x, weight=[1 / count] * np.size(labels) if weight is None else weight)
    _shape("x", x, "B", "n ≥ 1" if x.shape[-1:] != (0,) else 1)
    labels = _integers("labels", labels, x.shape[1], "the number of columns of x")
    _shape("labels", labels, x.shape[0])
    _shape("weight", weight, x.shape[0])
    loss, correct = np.empty((2, len(x)), x.dtype)
    dx = np.empty_like(x)
    _run(kernels.softmax_cross_entropy, loss, correct, dx, x, labels, weight, x.shape[1])
    return loss, correct, dx


# --- rows by number ---


def embedding_forward(w, ids):
    """out[b] = the rows w[ids[b, 0]], w[ids[b, 1]], … side by side: (B, C·n), for w (V, n) and ids (B, C)"""
    (w,) = _floats(w=w)
    _shape("w", w, "V", "n")
    ids = _integers("ids", ids, w.shape[0], "the number of rows of w")
    _shape("ids", ids, "B", "C")
    out = np.empty((ids.shape[0], ids.shape[1] * w.shape[1]), w.dtype)
    _run(kernels.embedding_forward, out, w, ids, w.shape[1])
    return out
