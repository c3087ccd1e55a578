"""Compiled loops that do nothing but reach one limit of the machine: arithmetic in registers, a tile, or memory."""

import functools

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._products.registers import registers, shape
from fastnn_kernels._products.tile import ALIGNMENT, REALS, tiles
from fastnn_kernels._run.team import STATE, TOGETHER, barrier, gathered, reset

# A chain waits some four cycles for itself, and two units work: eight chains would do in theory, but reach only 85 % of
# the limit on a Zen 3. Twelve, with their two factors, still fit into the 16 registers of AVX2.
CHAINS = 12
REGISTER_BITS = {"zmm": 512, "ymm": 256, "neon": 128, "": 128}
# Terms of a tile's sums: its operands, at most 24 KB, then lie in any first cache.
TILE_DEPTH = 128


def emit_multiply_adds(builder, real, registers: str, count, factors):
    """Emit a loop of `count` multiply-adds on each of CHAINS vectors, all in registers; returns one of the numbers."""
    number, size, suffix = REALS[real]
    lanes = REGISTER_BITS[registers] // (8 * size)
    vector = ir.VectorType(number, lanes)
    kind = ir.FunctionType(vector, [vector] * 3)
    fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}{suffix}")
    left, right = (_filled(builder, vector, factor) for factor in factors)
    chains = [cgutils.alloca_once_value(builder, ir.Constant(vector, [i / 16] * lanes)) for i in range(CHAINS)]
    with cgutils.for_range(builder, count):
        for chain in chains:
            builder.store(_multiply_add(builder, fma, registers, builder.load(chain), left, right), chain)
    total = functools.reduce(builder.fadd, [builder.load(chain) for chain in chains])
    return builder.extract_element(total, ir.IntType(32)(0))


def _multiply_add(builder, fma, registers, chain, left, right):
    """One fused multiply-add, or two instructions on a processor that has none."""
    if registers:
        return builder.call(fma, [left, right, chain])
    return builder.fadd(builder.fmul(left, right), chain)


def _filled(builder, vector, number):
    """A vector with `number` in every lane."""
    filled = ir.Constant(vector, ir.Undefined)
    for lane in range(vector.count):
        filled = builder.insert_element(filled, number, ir.IntType(32)(lane))
    return filled


@intrinsic
def multiply_adds(typingctx, steps, a, b):
    """A number made by `steps` multiply-adds on each of CHAINS vectors as wide as a register."""

    def codegen(context, builder, signature, arguments):
        count, *factors = arguments
        return emit_multiply_adds(builder, a, registers(), count, factors)

    return a(types.int64, a, a), codegen


@numba.njit(parallel=True)
def registers_only(out, steps, factor):
    """Multiply-adds on as many threads as `out` has elements."""
    for t in prange(out.shape[0]):
        out[t] = multiply_adds(steps, factor, factor)


@functools.cache
def hot_tile():
    """The largest micro-tile of this processor, again and again on operands in the first cache.

    Returns run(out, a, b, repeats), or None where this processor has no micro-tile.

    out : (threads, MR, columns)    a : (threads, MR, TILE_DEPTH)    b : (threads, TILE_DEPTH, columns)
    """
    sizes = shape()
    if not sizes.rows:
        return None
    tile, rows, lines = tiles(tall=True), sizes.rows, sizes.lines

    @numba.njit(parallel=True)
    def run(out, a, b, repeats):
        size = out.itemsize
        for t in prange(out.shape[0]):
            to, left, right = out[t].ctypes.data, a[t].ctypes.data, b[t].ctypes.data
            for _ in range(repeats):
                tile(
                    out.dtype.type(0), rows, lines, to, out.shape[2] * size,
                    left, a.shape[2] * size, 0, 1, b.shape[1], right, b.shape[2] * size, 1, right, b.shape[2] * size,
                )  # fmt: skip

    return run


def tile_operands(dtype: type, threads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(out, a, b) for `hot_tile`"""
    sizes = shape()
    columns = sizes.lines * ALIGNMENT // np.dtype(dtype).itemsize
    shapes = (sizes.rows, columns), (sizes.rows, TILE_DEPTH), (TILE_DEPTH, columns)
    return tuple(np.full((threads, *shape), 0.5, dtype) for shape in shapes)


@numba.njit(parallel=True, fastmath={"contract"})
def triad(a, b, c, repeats):
    """a = b + r·c, `repeats` times: each row belongs to one thread."""
    for t in prange(a.shape[0]):
        for r in range(repeats):
            s = a.dtype.type(r)
            for i in range(a.shape[1]):
                a[t, i] = b[t, i] + s * c[t, i]


@numba.njit(parallel=True)
def read(sums, a, repeats):
    """Read whole numbers, `repeats` times: an exclusive or, which unlike a sum of floats may be made in any order."""
    for t in prange(a.shape[0]):
        found = np.int64(0)
        for r in range(repeats):
            for i in range(a.shape[1]):
                found ^= a[t, i] + r
        sums[t] = found


@numba.njit(parallel=True)
def fill(a, repeats):
    """a = r, `repeats` times"""
    for t in prange(a.shape[0]):
        for r in range(repeats):
            for i in range(a.shape[1]):
                a[t, i] = r


@numba.njit(parallel=True)
def _region(out):
    for t in prange(out.shape[0]):
        out[t] = t


@numba.njit
def regions(out, count):
    """Parallel regions one after the other, entered from compiled code, as the driver enters them."""
    for _ in range(count):
        _region(out)


@numba.njit(parallel=True)
def _barriers(team, workers, count):
    for worker in prange(workers):
        if gathered(team, workers):
            for epoch in range(count):
                barrier(team, worker, workers, epoch + 1)


@numba.njit
def barriers(team, workers, count):
    """Barriers of a team in one region; the number of those that were passed, 0 if the team did not gather."""
    reset(team)
    _barriers(team, workers, count)
    return count if team[STATE] == TOGETHER else 0
