"""The products of a block of rows, by micro-tiles: compiled once for a dtype, and called by every kernel that needs it.

A kernel that held the tiles itself would compile all of them again: some seconds of a first run. So a block is a C
function with a cache file of its own. LLVM knows it by a symbol, which must have an address before code that calls it
is loaded: `_compile.cache.EXTERNAL` says how to get it.
"""

import functools

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastnn_kernels._compile.cache import EXTERNAL, SourceStampedCache
from fastnn_kernels._jit import c_function, inline
from fastnn_kernels._memory.prefetch import prefetch, prefetch_to_write
from fastnn_kernels._products import registers, tile
from fastnn_kernels._products.packing import pack_columns, pack_panel, stack
from fastnn_kernels._tuning import (
    ALIGNMENT,
    COLUMNS_BYTES,
    COLUMNS_FROM,
    COLUMNS_LINES,
    FAR_BYTES,
    PACKED_BYTES,
    PACKED_FROM,
)

TITLE = "tiles"  # of all blocks, for messages; no kernel has this name
WORDS = 3 + len(tile.Operands._fields)  # of a block's signature: see `caller`
DTYPES = {types.float32: np.float32, types.float64: np.float64}
REALS = {str(real): real for real in DTYPES}


@inline
def _height(rows, count, number):
    """The rows of one of `count` tiles, as equal in height as can be: 14 rows are 5 + 5 + 4, not 6 + 6 + 2."""
    return rows // count + (number < rows % count)


@inline
def _pack_all_columns(columns, rows, count, a, a_stride, a_jump, segments, depth, size):
    """Copy what all tiles of a block read of a, tile after tile."""
    i = 0
    for number in range(count):
        width = _height(rows, count, number) * size
        for s in range(segments):
            to = columns + segments * depth * i * size + s * depth * width
            pack_columns(to, a + i * size + s * a_jump, a_stride, depth, width)
        i += width // size


@inline
def _prefetch_part(at, stride, terms, lines, part, parts):
    """Prefetch one of `parts` parts of a panel, which is `lines` lines wide."""
    for p in range(part * terms // parts, (part + 1) * terms // parts):
        for v in range(lines):
            prefetch(at + p * stride + v * ALIGNMENT)


def _block_body(real, tall: bool):
    """The Python function of a block, which CFunc compiles."""
    sizes, run, zero = registers.shape(), tile.tiles(tall), DTYPES[real](0)
    size, most, lines_of, widths = tile.REALS[real][1], sizes.rows, sizes.lines, sizes.few
    prefetching, page, spread = sizes.prefetching, sizes.page, sizes.spread
    panel_of, columns_of, packing = stack(PACKED_BYTES), stack(COLUMNS_BYTES), sizes.packing and not tall

    def block(
        rows, lines, out, out_stride, a, a_stride, a_jump, segments, depth, b, b_stride, fresh, w, w_lines, next_a,
    ):  # fmt: skip
        terms, row = segments * depth, a_stride if tall else size
        width = widths[rows - 1] if rows <= len(widths) else lines_of
        panel = panel_of()
        packs = (
            rows >= PACKED_FROM
            and (b_stride % page == 0 or terms * (b_stride & -b_stride) > spread)
            and terms * width * ALIGNMENT <= PACKED_BYTES
        )
        far, far_out = terms * b_stride > FAR_BYTES, fresh == 0 and terms * b_stride + rows * out_stride > FAR_BYTES
        count = (rows + most - 1) // most
        tiles = max(1, count * ((lines + width - 1) // width))
        each = (w_lines + tiles - 1) // tiles
        columns, step, jump = 0, a_stride, a_jump
        wide, far_apart = lines >= COLUMNS_LINES, terms * a_stride >= COLUMNS_FROM
        if packing and wide and far_apart and rows * terms * size <= COLUMNS_BYTES:
            columns = columns_of()
            _pack_all_columns(columns, rows, count, a, a_stride, a_jump, segments, depth, size)
        for line in range(0, lines, width):
            own, at, stride = min(width, lines - line), b + line * ALIGNMENT, b_stride
            if packs:
                pack_panel(panel, at, b_stride, terms, own)
                at, stride = panel, own * ALIGNMENT
            i = 0
            for number in range(count):
                height = _height(rows, count, number)
                to, left = out + i * out_stride + line * ALIGNMENT, a + i * row
                if columns != 0:
                    left, step, jump = columns + i * terms * size, height * size, depth * height * size
                fetch, fetch_stride, behind = at, stride, lines - line - width
                if far and behind > 0:
                    if prefetching and not packs and count >= width and height > len(widths):
                        fetch = at + (width + number) * ALIGNMENT if number < min(width, behind) else at
                    else:
                        _prefetch_part(b + (line + width) * ALIGNMENT, b_stride, terms, width, number, count)
                if prefetching and not tall and next_a != 0 and behind <= 0 and height > len(widths):
                    fetch, fetch_stride = next_a + number * ALIGNMENT, a_stride
                for _ in range(min(each, w_lines)):
                    prefetch_to_write(w)
                    w, w_lines = w + ALIGNMENT, w_lines - 1
                if far_out and number + 1 < count:
                    _prefetch_part(to + height * out_stride, out_stride, height, own, 0, 1)
                run(
                    zero, height, own, to, out_stride, left, step, jump, segments, depth, at, stride, fresh,
                    fetch, fetch_stride,
                )  # fmt: skip
                i += height

    return block


def symbol(real, tall: bool) -> str:
    """The name by which compiled code calls a block."""
    return f"fastnn.block.{tile.REALS[real][2]}.{'tall' if tall else 'wide'}"


def _signature():
    return types.void(*(types.int64,) * WORDS)


@functools.cache
def load(real, tall: bool) -> int:
    """Compile a block, or load it from disk, and tell LLVM its address."""
    name = symbol(real, tall)
    function = c_function(_block_body(real, tall), _signature(), name)
    llvm.add_symbol(name, function.address)
    _kept.append(function)
    return function.address


_kept: list = []  # compiled code lives as long as its library
EXTERNAL |= {
    symbol(real, tall).encode(): functools.partial(load, real, tall) for real in DTYPES for tall in (True, False)
}


@functools.cache
def caller(real, tall: bool):
    """A function that compiled code can call in place of the block.

    (rows, lines, *Operands but the last two, w, w_lines, next_a): w_lines lines from the address w on are prefetched
    meanwhile, to be written, some before each tile. All at once they would be more than a processor waits for: it
    drops the others. `next_a` is where the next terms of a begin, 0 if there are none. Where terms are not `tall` they
    lie in as many lines, and the tiles of the last panel prefetch one of each term.
    """
    load(real, tall)

    @intrinsic
    def call(
        typing_context, rows, lines, out, out_stride, a, a_stride, a_jump, segments, depth, b, b_stride, fresh,
        w, w_lines, next_a,
    ):  # fmt: skip
        def codegen(context, builder, signature, args):
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * WORDS)
            function = cgutils.get_or_insert_function(builder.module, kind, symbol(real, tall))
            builder.call(function, args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * WORDS), codegen

    return call


class Block:
    """A block as something to be compiled, as an `Adapter` is: with the same methods.

    dtype  "float32" or "float64"
    """

    title = TITLE

    def __init__(self, dtype: str, tall: bool):
        self.dtype, self.tall = dtype, tall
        self._real = REALS[dtype]

    def description(self) -> list:
        """What another process must know to make it, as JSON."""
        return [self.title, self.dtype, self.tall]

    def on_disk(self) -> bool:
        """Whether the cache has a file for it, or this processor needs none."""
        cache = SourceStampedCache(symbol(self._real, self.tall))
        return not registers.shape().rows or cache.holds(_signature(), cpu_target.target_context)

    def make(self) -> None:
        """Load the code from the cache, or compile it."""
        load(self._real, self.tall)
