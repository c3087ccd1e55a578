"""Rows that are gathered, summed and put in order: embeddings, parts of a row, samples."""

import numpy as np
from numpy.typing import ArrayLike

import fastnn_kernels as kernels
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.validation import as_array, whole_number
from fastnn.engine.available_memory import check_available
from fastnn.engine.threads import call
from fastnn.ops.arguments import FLOATS, arrays_of_floats, check_shape, empty, ids_of_rows, kernel_array, result
from fastnn_kernels.batch import ROUNDS


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
    (w,) = arrays_of_floats(w=w)
    check_shape("w", w, "V", "n")
    word_ids = ids_of_rows("ids", word_ids, len(w), f"w has {len(w)} rows")
    check_shape("ids", word_ids, "B", "C")
    (B, C), n = word_ids.shape, w.shape[1]
    return result(kernels.embedding_forward, (B, C * n), w.dtype, w, word_ids, n)


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
    (dout,) = arrays_of_floats(dout=dout)
    rows = whole_number("rows", rows, least=0, error=DataError)
    word_ids = ids_of_rows("ids", word_ids, rows, f"w has {rows} rows")
    check_shape("ids", word_ids, "B", "C")
    B, C = word_ids.shape
    n = _part_width("dout", dout, C)
    check_shape("dout", dout, B, C * n)
    starts, positions = empty(rows + 1, np.int64), empty(B * C, np.int64)
    dw = empty((rows, n), dout.dtype)
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
    (x,) = arrays_of_floats(x=x)
    parts = whole_number("parts", parts, error=DataError)
    n = _part_width("x", x, parts)
    return result(kernels.sum_forward, (len(x), n), x.dtype, x, parts, n)


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
    (dout,) = arrays_of_floats(dout=dout)
    check_shape("dout", dout, "B", "n")
    parts, n = whole_number("parts", parts, error=DataError), dout.shape[1]
    return result(kernels.sum_backward, (len(dout), parts * n), dout.dtype, dout, parts, n)


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
    indices = ids_of_rows("indices", indices, len(source), f"source has {len(source)} rows")
    check_shape("indices", indices, "B")
    check_available(0 if source.flags.c_contiguous else source.nbytes, f"source with shape {source.shape}")
    rows = kernel_array(source).reshape(len(source), -1 if source.size else int(np.prod(source.shape[1:])))
    out = result(kernels.gather_rows, (len(indices), rows.shape[1]), rows.dtype, rows, indices)
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
    return result(kernels.permuted_indices, count, np.int64, start, kernel_array(key, np.uint64), count)
