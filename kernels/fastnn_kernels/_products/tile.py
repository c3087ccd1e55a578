"""The micro-tile of a product: MR rows × NR columns of an output, summed in vector registers over all terms.

NR is counted in lines. A line is one cache line of numbers: 16 float32 or 8 float64. It is written here as one LLVM
vector, which the code generator splits into the registers that the processor has. So one source serves AVX-512, AVX2
and NEON; only the sizes of the tiles, as many rows of sums as fit into the registers, differ. The tile computes, for
r < MR, each output as one chain of fused multiply-adds, in ascending order of s, then of p < depth:

    out[r, line] = a[r, s, p] · b[s · depth + p, line] + out[r, line]

Terms come in `segments` of `depth` terms each. A product has one segment. A convolution has one for each line of its
window: within a segment the terms of a lie side by side, and the next segment begins at the next line of the image.

LLVM vectorises such a loop by itself, but loads and stores `out` at every p: half the speed (bench/test_kernels.py).
"""

import functools
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._memory.prefetch import emit_prefetch
from fastnn_kernels._products.registers import shape
from fastnn_kernels._tuning import ALIGNMENT

WORD = ir.IntType(64)
INDEX = ir.IntType(32)
REALS = {types.float32: (ir.FloatType(), 4, "f32"), types.float64: (ir.DoubleType(), 8, "f64")}


class Operands(NamedTuple):
    """What a tile is called with, all int64. Addresses are those of the first number; strides are in bytes.

    out, out_stride  the output, and from one of its rows to the next
    a, a_stride      the left operand, and along its second axis: see `tall`
    a_jump           from a segment of a to the next
    segments, depth  the number of segments, and of terms in each
    b, b_stride      the right operand, and from one of its rows, that is terms, to the next
    fresh            whether sums start at 0; else at what `out` holds
    fetch            the line that is prefetched with the first term; b itself: nothing new is
    fetch_stride     from it to the line of the next term
    """

    out: ir.Value
    out_stride: ir.Value
    a: ir.Value
    a_stride: ir.Value
    a_jump: ir.Value
    segments: ir.Value
    depth: ir.Value
    b: ir.Value
    b_stride: ir.Value
    fresh: ir.Value
    fetch: ir.Value
    fetch_stride: ir.Value


class Emitter:
    """Writes the code of one micro-tile into a function.

    tall        whether terms of a lie side by side and its rows `a_stride` apart, as in x · w; else rows lie side by
                side and terms `a_stride` apart, as in xᵀ · dout
    terms       of the processor's `Shape`
    prefetches  whether it prefetches a line with each term: see `Operands`
    """

    def __init__(self, builder, real, mr: int, nr: int, tall: bool, terms: int = 1, prefetches: bool = False):
        self.builder, self.mr, self.nr, self.tall, self.prefetches = builder, mr, nr, tall, prefetches
        self.several = max(1, terms // (mr * nr))
        self.real, self.size, suffix = REALS[real]
        lanes = ALIGNMENT // self.size
        self.line = ir.VectorType(self.real, lanes)
        kind = ir.FunctionType(self.line, [self.line] * 3)
        self.fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}{suffix}")
        self.lanes = ir.VectorType(INDEX, lanes)

    def pointer(self, address, offset, kind):
        at = self.builder.add(address, offset) if offset is not None else address
        return self.builder.inttoptr(at, kind.as_pointer())

    def load_line(self, address, offset):
        return self.builder.load(self.pointer(address, offset, self.line), align=self.size)

    def broadcast(self, address, offset):
        """The number at an address, in every lane."""
        one = self.builder.load(self.pointer(address, offset, self.real))
        undefined = ir.Constant(self.line, ir.Undefined)
        vector = self.builder.insert_element(undefined, one, INDEX(0))
        return self.builder.shuffle_vector(vector, undefined, ir.Constant(self.lanes, None))

    def emit(self, given: Operands) -> None:
        """The whole tile."""
        sums = [cgutils.alloca_once(self.builder, self.line) for _ in range(self.mr * self.nr)]
        self._start(given, sums)
        at = [cgutils.alloca_once_value(self.builder, address) for address in (given.a, given.b, given.fetch)]
        with cgutils.for_range(self.builder, given.segments):
            segment = self.builder.load(at[0])
            self._loop(given, sums, at)
            self.builder.store(self.builder.add(segment, given.a_jump), at[0])
        for offset, line in zip(self._offsets(given.out_stride), sums, strict=True):
            self.builder.store(self.builder.load(line), self.pointer(given.out, offset, self.line), align=self.size)

    def _offsets(self, stride):
        """The offsets of the tile's lines from its first one, row by row."""
        for r in range(self.mr):
            row = self.builder.mul(stride, WORD(r))
            for v in range(self.nr):
                yield self.builder.add(row, WORD(v * ALIGNMENT))

    def _start(self, given, sums):
        """The sums to begin with: 0 if the tile is fresh, else what `out` holds, which is then not read."""
        with self.builder.if_else(self.builder.icmp_signed("!=", given.fresh, WORD(0))) as (fresh, old):
            with fresh:
                for line in sums:
                    self.builder.store(ir.Constant(self.line, None), line)
            with old:
                for offset, line in zip(self._offsets(given.out_stride), sums, strict=True):
                    self.builder.store(self.load_line(given.out, offset), line)

    def _loop(self, given, sums, at):
        """All terms of a segment: several at a time, which saves the counting, then one by one.

        A tile of many sums does not need that, and would need more registers for addresses than there are.
        """
        rounds, rest = (step(given.depth, WORD(self.several)) for step in (self.builder.sdiv, self.builder.srem))
        for count, terms in ((rounds, self.several), (rest, 1))[: 1 + (self.several > 1)]:
            with cgutils.for_range(self.builder, count):
                self._add(given, sums, at, terms)

    def _add(self, given, sums, at, terms):
        """Add the products of the next `terms` terms, and move on. at : where a, b and `fetch` are kept"""
        builder, size = self.builder, WORD(self.size)
        a, b, fetch = map(builder.load, at)
        row, term = (given.a_stride, size) if self.tall else (size, given.a_stride)
        for p in range(terms):
            below = builder.mul(given.b_stride, WORD(p))
            if self.prefetches:
                emit_prefetch(builder, builder.add(fetch, builder.mul(given.fetch_stride, WORD(p))))
            self._add_term(sums, a, builder.mul(term, WORD(p)), row, b, below)
        for place, one, step in zip(at, (a, b, fetch), (term, given.b_stride, given.fetch_stride), strict=True):
            builder.store(builder.add(one, builder.mul(step, WORD(terms))), place)

    def _add_term(self, sums, a, term, row, b, below):
        """Add the products of one term: numbers of a are broadcast at `a + term + r · row`, lines lie at `b + below`.

        Those of which there are fewer are loaded first and held: lines in a tile of many rows, numbers in one of few.
        """
        builder = self.builder
        lines = [lambda v=v: self.load_line(b, builder.add(below, WORD(v * ALIGNMENT))) for v in range(self.nr)]
        lefts = [lambda r=r: self.broadcast(a, builder.add(builder.mul(row, WORD(r)), term)) for r in range(self.mr)]
        few = self.mr <= 3
        held, passing = (lefts, lines) if few else (lines, lefts)
        held = [load() for load in held]
        for i, load in enumerate(passing):
            one = load()
            for j, other in enumerate(held):
                total = sums[j * self.nr + i if few else i * self.nr + j]
                builder.store(builder.call(self.fma, [one, other, builder.load(total)]), total)


def function_of(module, name: str, words: int, emit):
    """The function of a module with that name, whose parameters are `words` words; emit(builder, parameters) writes it.

    Registers are given to one such function at a time: LLVM does not put it into its callers.
    """
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD] * words), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    emit(builder, function.args)
    builder.ret_void()
    return function


def emit_choice(builder, number, cases, emit):
    """Emit what `emit(case)` writes for that case, of some whole numbers, which `number` is; for any other nothing."""
    after = builder.append_basic_block("choice.end")
    which = builder.switch(number, after)
    for case in cases:
        block = builder.append_basic_block(f"choice.{case}")
        which.add_case(WORD(case), block)
        builder.position_at_end(block)
        emit(case)
        builder.branch(after)
    builder.position_at_end(after)


def tile_function(module, real, mr: int, nr: int, tall: bool, terms: int):
    """A function of a module that runs one micro-tile; its parameters are those of `Operands`."""

    def emit(builder, args):
        Emitter(builder, real, mr, nr, tall, terms, shape().prefetches(mr)).emit(Operands(*args))

    name = f"tile.{REALS[real][2]}.{'tall' if tall else 'wide'}.{mr}x{nr}"
    return function_of(module, name, len(Operands._fields), emit)


@functools.cache
def tiles(tall: bool):
    """The micro-tiles of this processor, as one function that compiled code can call.

    run(zero, rows, lines, *Operands)    zero : a number of the dtype    rows ≤ shape().rows
    """
    sizes = shape()
    choices = [16 * mr + nr for mr in range(1, sizes.rows + 1) for nr in range(1, sizes.width(mr) + 1)]

    @intrinsic
    def run(
        typing_context,
        zero,
        rows,
        lines,
        out,
        out_stride,
        a,
        a_stride,
        a_jump,
        segments,
        depth,
        b,
        b_stride,
        fresh,
        fetch,
        fetch_stride,
    ):
        def codegen(context, builder, signature, args):
            _, rows, lines, *given = args

            def emit(case):
                mr, nr = divmod(case, 16)
                function = tile_function(builder.module, signature.args[0], mr, nr, tall, sizes.terms)
                builder.call(function, given)

            emit_choice(builder, builder.add(builder.mul(rows, WORD(16)), lines), choices, emit)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * (2 + len(Operands._fields))), codegen

    return run
