"""out = a · b for a block of rows of out: a readable loop, and the micro-tiles that run in its place.

Both compute each output as one chain of fused multiply-adds in ascending order of the summed index, so they give the
same bits. The loop runs with JIT off; compiled, it runs where `_tile` has no micro-tile for the processor.

The names are those of BLIS: a micro-tile has MR rows × NR columns of out; blocks of MC rows and KC terms stay in the
caches. NR is counted in lines here: a line is one cache line of numbers.
"""

from numba.extending import overload

from fastnn_kernels import _tile
from fastnn_kernels._jit import inline
from fastnn_kernels._tuning import ALIGNMENT, KC, MC


@inline
def _add_row(out, a, b, i, p):
    """out[i] += a[i, p] · b[p]"""
    a0 = a[i, p]
    for j in range(out.shape[1]):
        out[i, j] = a0 * b[p, j] + out[i, j]


@inline
def _add_four_rows(out, a, b, i, p):
    """out[i:i+4] += a[i:i+4, p:p+4] · b[p:p+4]

    Sixteen multiply-adds for four loads and four stores of `out`. With one row and one p at a time, stores would be
    the bottleneck.
    """
    a00, a01, a02, a03 = a[i, p], a[i, p + 1], a[i, p + 2], a[i, p + 3]
    a10, a11, a12, a13 = a[i + 1, p], a[i + 1, p + 1], a[i + 1, p + 2], a[i + 1, p + 3]
    a20, a21, a22, a23 = a[i + 2, p], a[i + 2, p + 1], a[i + 2, p + 2], a[i + 2, p + 3]
    a30, a31, a32, a33 = a[i + 3, p], a[i + 3, p + 1], a[i + 3, p + 2], a[i + 3, p + 3]
    for j in range(out.shape[1]):
        b0, b1, b2, b3 = b[p, j], b[p + 1, j], b[p + 2, j], b[p + 3, j]
        out[i, j] = a03 * b3 + (a02 * b2 + (a01 * b1 + (a00 * b0 + out[i, j])))
        out[i + 1, j] = a13 * b3 + (a12 * b2 + (a11 * b1 + (a10 * b0 + out[i + 1, j])))
        out[i + 2, j] = a23 * b3 + (a22 * b2 + (a21 * b1 + (a20 * b0 + out[i + 2, j])))
        out[i + 3, j] = a33 * b3 + (a32 * b2 + (a31 * b1 + (a30 * b0 + out[i + 3, j])))


@inline
def readable_product(out, a, b):
    """out = a · b, by loops; out (m, n), a (m, ≥ k), b (k, n)"""
    rows, depth = out.shape[0], b.shape[0]
    fours = rows - rows % 4
    deep = depth - depth % 4
    for i in range(rows):
        for j in range(out.shape[1]):
            out[i, j] = 0
    for i in range(0, fours, 4):
        for p in range(0, deep, 4):
            _add_four_rows(out, a, b, i, p)
    for i in range(rows):
        for p in range(deep if i < fours else 0, depth):
            _add_row(out, a, b, i, p)


def product(out, a, b):
    """out = a · b, by tiles where this processor has them"""
    readable_product(out, a, b)


def _tile_rows(nr):
    """A function that computes any number of rows, `nr` lines wide, by micro-tiles of every MR of this processor."""
    sizes = _tile.shape()[0]
    tall, middle, pair, single = (_tile.tile(mr, nr) for mr in sizes)
    tall_mr, middle_mr = sizes[:2]

    def run(zero, rows, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh):
        i = 0
        while i + tall_mr <= rows:
            tall(zero, out + i * out_stride, out_stride, a + i * a_row, a_row, a_step, b, b_stride, depth, fresh)
            i += tall_mr
        while i + middle_mr <= rows:
            middle(zero, out + i * out_stride, out_stride, a + i * a_row, a_row, a_step, b, b_stride, depth, fresh)
            i += middle_mr
        while i + 2 <= rows:
            pair(zero, out + i * out_stride, out_stride, a + i * a_row, a_row, a_step, b, b_stride, depth, fresh)
            i += 2
        if i < rows:
            single(zero, out + i * out_stride, out_stride, a + i * a_row, a_row, a_step, b, b_stride, depth, fresh)

    # The qualified name becomes the symbol's name. With one name for both widths, code that another process put into
    # the cache could call the wrong one.
    run.__qualname__ = f"{run.__qualname__}.{nr}"
    return inline(run)


def _panel_function(nr):
    """A function that computes all rows of one panel of out, which is at most `nr` lines wide."""
    narrow, wide = _tile_rows(1), _tile_rows(nr)

    @inline
    def run(zero, lines, rows, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh):
        if lines == nr:
            wide(zero, rows, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh)
        else:
            for v in range(lines):
                at = v * ALIGNMENT
                narrow(zero, rows, out + at, out_stride, a, a_row, a_step, b + at, b_stride, depth, fresh)

    return run


@overload(product)
def _compiled_product(out, a, b):
    if not _tile.shape()[0]:
        return lambda out, a, b: readable_product(out, a, b)
    nr = _tile.shape()[1]
    panel = _panel_function(nr)

    def tiled(out, a, b):
        depth, lines = b.shape[0], out.shape[1] * out.itemsize // ALIGNMENT
        for p in range(0, max(depth, 1), KC):
            kc = min(KC, depth - p)
            for i in range(0, out.shape[0], MC):
                mc = min(MC, out.shape[0] - i)
                left = a.ctypes.data + p * a.strides[1] + i * a.strides[0]
                for line in range(0, lines, nr):
                    at = line * ALIGNMENT
                    panel(
                        out.dtype.type(0), min(nr, lines - line), mc,
                        out.ctypes.data + i * out.strides[0] + at, out.strides[0], left, a.strides[0], a.strides[1],
                        b.ctypes.data + p * b.strides[0] + at, b.strides[0], kc, p == 0,
                    )  # fmt: skip
        done = lines * (ALIGNMENT // out.itemsize)
        if done < out.shape[1]:  # part of a line is left: never in a buffer of a program, whose rows are whole lines
            readable_product(out[:, done:], a, b[:, done:])

    return tiled


def add_products(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
    """out[at + i·out_row + j] (= or) += Σ_p a[a_at + i·a_row + p·a_step] · b[p, j], for i < rows and all of b

    out, a : flat    b : (k, n), rows contiguous    fresh : whether the sums start at 0 instead of `out`

    The rows of out and of a may lie at any distance: they are pixels of an image, or taps of a window.
    """
    readable_add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh)


@inline
def readable_add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
    """`add_products`, by loops"""
    for i in range(rows):
        own = out[at + i * out_row : at + i * out_row + b.shape[1]]
        if fresh:
            for j in range(own.shape[0]):
                own[j] = 0
        for p in range(b.shape[0]):
            a0, row = a[a_at + i * a_row + p * a_step], b[p]
            for j in range(own.shape[0]):
                own[j] = a0 * row[j] + own[j]


@overload(add_products)
def _compiled_add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
    if not _tile.shape()[0]:
        return lambda out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh: readable_add(
            out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh
        )
    nr = _tile.shape()[1]
    panel = _panel_function(nr)

    def tiled(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
        size = out.itemsize
        lines = b.shape[1] * size // ALIGNMENT
        for line in range(0, lines, nr):
            here = line * ALIGNMENT
            panel(
                out.dtype.type(0), min(nr, lines - line), rows,
                out.ctypes.data + at * size + here, out_row * size,
                a.ctypes.data + a_at * size, a_row * size, a_step * size,
                b.ctypes.data + here, b.strides[0], b.shape[0], fresh,
            )  # fmt: skip
        done = lines * (ALIGNMENT // size)
        if done < b.shape[1]:
            readable_add(out, at + done, out_row, a, a_at, a_row, a_step, b[:, done:], rows, fresh)

    return tiled


def transposed(out, a):
    """out = aᵀ, by squares as wide as a line, which fit into vector registers"""
    readable_transposed(out, a)


@inline
def readable_transposed(out, a):
    """`transposed`, by loops; out (n, m), a (m, n)"""
    for i in range(a.shape[0]):
        for j in range(out.shape[0]):
            out[j, i] = a[i, j]


@overload(transposed)
def _compiled_transposed(out, a):
    def squares(out, a):
        lanes = ALIGNMENT // out.itemsize
        whole = a.shape[0] // lanes * lanes if out.shape[0] == lanes else 0
        for i in range(0, whole, lanes):
            at, to = a.ctypes.data + i * a.strides[0], out.ctypes.data + i * out.itemsize
            _tile.transpose_square(out.dtype.type(0), to, out.strides[0], at, a.strides[0])
        readable_transposed(out[:, whole:], a[whole:])

    return squares
