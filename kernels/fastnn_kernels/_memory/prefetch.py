"""Prefetching: lines that will be read or written are brought into a cache before they are needed."""

import llvmlite.ir as ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._jit import implementation
from fastnn_kernels._tuning import ALIGNMENT

# Bytes of a row from which on it pays. 50 rows of 784 float32, out of 50,000, take 12 us instead of 17 on one core of a
# Zen 4, 16 rows of 196 take 2.0 instead of 2.3; rows of 32 take as long as before.
LONG_ROW = 512


def emit_prefetch(builder: ir.IRBuilder, address: ir.Value, writes: bool = False) -> None:
    """Write the instruction that prefetches the line at an address: to be read or, into the first cache, written.

    A line to be read comes into the second cache: a whole panel may not fit into the first one beside the other.
    """
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    for_writing, locality, data = (1, 3, 1) if writes else (0, 2, 1)
    builder.call(prefetch, [builder.inttoptr(address, byte), *map(number, (for_writing, locality, data))])


@intrinsic
def prefetch(typing_context, address):
    """Prefetch the line at an address, to be read."""

    def codegen(context, builder, signature, args):
        emit_prefetch(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def prefetch_to_write(typing_context, address):
    """Prefetch the line at an address, to be written: other processors, which have read it, give up their copies."""

    def codegen(context, builder, signature, args):
        emit_prefetch(builder, args[0], writes=True)
        return context.get_dummy_value()

    return types.void(types.int64), codegen


def prefetch_row(source, i):
    """Prefetch row i of a matrix, if it is long: rows that are chosen at random come from memory"""


@implementation(prefetch_row)
def _compiled_prefetch_row(source, i):
    if source.layout != "C":
        return lambda source, i: None

    def run(source, i):
        size = source.shape[1] * source.itemsize
        if size >= LONG_ROW:
            at = source.ctypes.data + i * size
            for line in range(0, size, ALIGNMENT):
                prefetch(at + line)

    return run
