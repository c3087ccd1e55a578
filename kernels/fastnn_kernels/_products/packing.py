"""Copies of parts of the operands of a product, side by side on the stack, for tiles that read them again and again.

Rows that lie far apart are bad for a cache in two ways: they compete for the same few of its lines, and each lies in a
page of its own, of which a processor remembers some 64.
"""

import functools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastnn_kernels._jit import inline
from fastnn_kernels._tuning import ALIGNMENT

WORD = 8  # bytes that are copied at once


@functools.cache
def stack(size: int):
    """A function that compiled code can call for the address of `size` bytes on its stack, on a cache line."""

    @intrinsic
    def address(typing_context):
        def codegen(context, builder, signature, args):
            with builder.goto_entry_block():
                scratch = builder.alloca(ir.ArrayType(ir.IntType(8), size))
            scratch.align = ALIGNMENT
            return builder.ptrtoint(scratch, ir.IntType(64))

        return types.int64(), codegen

    return address


def _copy(kind, align: int):
    """A function that copies one number of an LLVM type from one address to another."""

    @intrinsic
    def copy(typing_context, to, source):
        def codegen(context, builder, signature, args):
            to, source = (builder.inttoptr(address, kind.as_pointer()) for address in args)
            builder.store(builder.load(source, align=align), to, align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy


_copy_line = _copy(ir.VectorType(ir.IntType(64), ALIGNMENT // 8), 8)
_copy_word = _copy(ir.IntType(8 * WORD), 4)
_copy_half = _copy(ir.IntType(4 * WORD), 4)


@inline
def pack_panel(panel, at, stride, terms, lines):
    """Copy `lines` lines of each of `terms` rows, which are `stride` bytes apart, to where they lie side by side."""
    for p in range(terms):
        for v in range(lines):
            _copy_line(panel + (p * lines + v) * ALIGNMENT, at + p * stride + v * ALIGNMENT)


@inline
def pack_columns(to, at, stride, terms, width):
    """Copy `width` bytes of each of `terms` rows, which are `stride` bytes apart, to where they lie side by side.

    A tile of six rows of float32 reads three words of each: a loop that knows the number counts less.
    """
    words = width // WORD
    if width == 3 * WORD:
        for p in range(terms):
            for v in range(3):
                _copy_word(to + p * 3 * WORD + v * WORD, at + p * stride + v * WORD)
    else:
        for p in range(terms):
            for v in range(words):
                _copy_word(to + p * width + v * WORD, at + p * stride + v * WORD)
            if words * WORD < width:
                _copy_half(to + p * width + words * WORD, at + p * stride + words * WORD)
