"""Sums of products over a window that slides over an image: readable loops, and the micro-tiles in their place.

As in `_products.product` both give the same bits: each output is one chain of fused multiply-adds in ascending order.
"""

from fastnn_kernels._jit import implementation, inline
from fastnn_kernels._memory.scratch import SCRATCH, scratch_row
from fastnn_kernels._products import block, registers, tile
from fastnn_kernels._tuning import ALIGNMENT


def add_pixels(out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh):
    """out[at + i·out_row + j] (= or) += Σ_s Σ_p a[a_at + i·a_row + s·jump + p] · b[s·k + p, j], for i < rows, p < k

    out, a : flat    b : (segments · k, n), rows contiguous    fresh : whether sums start at 0 instead of `out`

    Rows of out are pixels of an image, and a segment is one line of the window that a pixel sees. Where sums are fresh,
    numbers of out behind a row, up to a whole line of them, are undefined: rows are computed in ascending order.
    """
    readable_add(out, at, out_row, rows, a, a_at, a_row, 1, jump, segments, b, fresh)


def add_taps(out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh):
    """out[at + i·out_row + j] (= or) += Σ_s Σ_p a[a_at + i + s·jump + p·a_step] · b[s·k + p, j], for i < rows, p < k

    out, a, b, fresh : as for `add_pixels`, but that nothing besides these sums is written

    Rows of out are taps of a window, which lie side by side in an image a, and a segment is one line of output pixels.
    """
    readable_add(out, at, out_row, rows, a, a_at, 1, a_step, jump, segments, b, fresh)


@inline
def readable_add(out, at, out_row, rows, a, a_at, a_row, a_step, jump, segments, b, fresh):
    """`add_pixels`, where a_step is 1, and `add_taps`, where a_row is 1, by loops"""
    depth = b.shape[0] // max(segments, 1)
    for i in range(rows):
        own = out[at + i * out_row : at + i * out_row + b.shape[1]]
        if fresh:
            for j in range(own.shape[0]):
                own[j] = 0
        for s in range(segments):
            for p in range(depth):
                a0, row = a[a_at + i * a_row + s * jump + p * a_step], b[s * depth + p]
                for j in range(own.shape[0]):
                    own[j] = a0 * row[j] + own[j]


def _tiled_add(real, tall):
    """`readable_add` by tiles, for either kind of step; a_stride is the one of a_row and a_step that may be any."""
    run_block, part = block.caller(real, tall), _part_of_a_line(real, tall)

    @inline
    def tiled(out, at, out_row, rows, a, a_at, a_stride, jump, segments, b, fresh):
        size, depth = out.itemsize, b.shape[0] // max(segments, 1)
        lines = b.shape[1] * size // ALIGNMENT
        done, left = lines * (ALIGNMENT // size), a.ctypes.data + a_at * size
        if done < b.shape[1]:
            terms, some = _terms_before_the_end(b, done), 0
            if tall and fresh and terms == b.shape[0]:
                some = min(rows, _rows_before_the_end(out, at + done, out_row))
                run_block(
                    some, 1, out.ctypes.data + (at + done) * size, out_row * size,
                    left, a_stride * size, jump * size, segments, depth,
                    b.ctypes.data + done * size, b.strides[0], fresh, 0, 0, 0,
                )  # fmt: skip
            to, first = at + done + some * out_row, a_at + some * (a_stride if tall else 1)
            part(out, to, out_row, rows - some, a, first, a_stride, jump, segments, b[:, done:], terms, fresh)
        if rows > 0 and lines > 0:
            run_block(
                rows, lines, out.ctypes.data + at * size, out_row * size,
                left, a_stride * size, jump * size, segments, depth,
                b.ctypes.data, b.strides[0], fresh, 0, 0, 0,
            )  # fmt: skip

    return tiled


def _part_of_a_line(real, tall):
    """The columns that do not fill a line, of a convolution with six filters all: tiles on a copy of out.

    A tile computes whole lines. It reads numbers behind those of b, which are not used, as far as they are b's own: the
    last terms, behind which b ends, are added by the readable loop.
    """
    run_block = block.caller(real, tall)
    lanes = ALIGNMENT // tile.REALS[real][1]
    most = SCRATCH // lanes

    @inline
    def run(out, at, out_row, rows, a, a_at, a_stride, jump, segments, b, terms, fresh):
        size, columns, depth = out.itemsize, b.shape[1], b.shape[0] // max(segments, 1)
        whole = terms // max(depth, 1)
        rest = terms - whole * depth
        row, step = (a_stride, 1) if tall else (1, a_stride)
        own, stride = scratch_row(out[0]).reshape(most, lanes), b.strides[0]
        for i in range(0, rows, most):
            count, left = min(most, rows - i), a.ctypes.data + (a_at + i * row) * size
            for r in range(count):
                for j in range(lanes):
                    own[r, j] = 0
                for j in range(0 if fresh else columns):
                    own[r, j] = out[at + (i + r) * out_row + j]
            address, to = b.ctypes.data, own.ctypes.data
            run_block(
                count, 1, to, ALIGNMENT, left, a_stride * size, jump * size, whole, depth, address, stride, 0, 0, 0, 0
            )
            address, left = address + whole * depth * stride, left + whole * jump * size
            run_block(count, 1, to, ALIGNMENT, left, a_stride * size, 0, 1, rest, address, stride, 0, 0, 0, 0)
            for r in range(count):
                for j in range(columns):
                    out[at + (i + r) * out_row + j] = own[r, j]
        for t in range(whole * depth + rest, segments * depth):
            first = a_at + t // depth * jump + t % depth * step
            readable_add(out, at, out_row, rows, a, first, row, step, 0, 1, b[t : t + 1], False)

    return run


@inline
def _terms_before_the_end(b, column):
    """How many rows of b have a whole line from a column on that is still b's own memory.

    All of them if rows are that long with their padding.
    """
    line = column * b.itemsize + ALIGNMENT
    if b.strides[0] >= line:
        return b.shape[0]
    size = (b.shape[0] - 1) * b.strides[0] + b.shape[1] * b.itemsize
    return max(0, min(b.shape[0], (size - line) // max(1, b.strides[0]) + 1))


@inline
def _rows_before_the_end(out, at, out_row):
    """How many rows of out, the first one at `at`, have a whole line before out ends."""
    room = out.shape[0] - at - ALIGNMENT // out.itemsize
    return room // max(1, out_row) + 1 if room >= 0 else 0


@implementation(add_pixels)
def _compiled_add_pixels(out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh):
    if not registers.shape().rows:
        return lambda out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh: readable_add(
            out, at, out_row, rows, a, a_at, a_row, 1, jump, segments, b, fresh
        )
    tiled = _tiled_add(out.dtype, True)
    return lambda out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh: tiled(
        out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh
    )


@implementation(add_taps)
def _compiled_add_taps(out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh):
    if not registers.shape().rows:
        return lambda out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh: readable_add(
            out, at, out_row, rows, a, a_at, 1, a_step, jump, segments, b, fresh
        )
    tiled = _tiled_add(out.dtype, False)
    return lambda out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh: tiled(
        out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh
    )
