"""The micro-tile of a product: MR rows × NR columns of an output, summed in vector registers while p runs.

NR is counted in lines. A line is one cache line of numbers: 16 float32 or 8 float64. It is written here as one LLVM
vector, which the code generator splits into the registers that the processor has. So one source serves AVX-512, AVX2
and NEON; only MR, the rows of sums that fit into the registers, differs. The tile computes, for r < MR, in ascending p,
each output as one chain of fused multiply-adds:

    out[r, line] = a[r, p] · b[p, line] + out[r, line]

LLVM vectorises such a loop by itself, but loads and stores `out` at every p: half the speed (bench/test_kernels.py).
"""

import functools

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastnn_kernels._tuning import ALIGNMENT, PREFETCH_ROWS

WORD = ir.IntType(64)
INDEX = ir.IntType(32)
REALS = {types.float32: (ir.FloatType(), 4, "f32"), types.float64: (ir.DoubleType(), 8, "f64")}

# The MR of a processor's micro-tiles, largest first, and their largest NR in lines, by the processor's kind of vector
# register. AVX-512 has 32 registers of a line each, AVX2 has 16 of half a line, NEON has 32 of a quarter.
SHAPES = {"zmm": ((12, 4, 2, 1), 2), "ymm": ((6, 4, 2, 1), 1), "neon": ((6, 4, 2, 1), 1), "": ((), 1)}

PROBE = """
define <16 x float> @probe(<16 x float> %a, <16 x float> %b, <16 x float> %c) {
  %d = call <16 x float> @llvm.fma.v16f32(<16 x float> %a, <16 x float> %b, <16 x float> %c)
  ret <16 x float> %d
}
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
"""


def registers_in(assembly: str) -> str:
    """The kind of vector register in the assembly of one fused multiply-add; "" if it is a call, not an instruction."""
    if "fmla" in assembly:
        return "neon"
    if "vfmadd" in assembly:
        return "zmm" if "%zmm" in assembly else "ymm"
    return ""


@functools.cache
def registers() -> str:
    """The kind of vector register on the processor that Numba compiles for: LLVM says, so NUMBA_CPU_NAME counts."""
    machine = cpu_target.target_context.codegen()._tm
    return registers_in(machine.emit_assembly(llvm.parse_assembly(PROBE)))


def shape() -> tuple[tuple[int, ...], int]:
    """(all MR, largest NR in lines) of this processor's micro-tiles; no MR if the readable loop is to run instead."""
    return SHAPES[registers()]


class _Emitter:
    """Writes the code of one micro-tile into a function. Addresses are int64, offsets and strides are in bytes."""

    def __init__(self, builder, real, mr, nr):
        self.builder, self.mr, self.nr = builder, mr, nr
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

    def offsets(self, stride):
        """The offsets of the tile's lines from its first one, row by row."""
        for r in range(self.mr):
            row = self.builder.mul(stride, WORD(r))
            for v in range(self.nr):
                yield self.builder.add(row, WORD(v * ALIGNMENT))

    def start(self, out, stride, fresh):
        """The sums to begin with: 0 if the tile is fresh, else what `out` holds."""
        sums = []
        old = [self.load_line(out, offset) for offset in self.offsets(stride)]
        for line in old:
            sums.append(self.builder.select(fresh, ir.Constant(self.line, None), line))
        return sums

    def add(self, a, a_row, b, sums):
        """The sums after the products of one p are added."""
        lines = [self.load_line(b, WORD(v * ALIGNMENT)) for v in range(self.nr)]
        result = []
        for r in range(self.mr):
            left = self.broadcast(a, self.builder.mul(a_row, WORD(r)))
            for v in range(self.nr):
                result.append(self.builder.call(self.fma, [left, lines[v], sums[r * self.nr + v]]))
        return result

    def prefetch(self, address):
        """Prefetch the lines at an address: rows of b may lie pages apart, where the hardware does not prefetch."""
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, INDEX, INDEX, INDEX])
        ask = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        for v in range(self.nr):
            # The last three operands: for reading, into all caches, as data.
            self.builder.call(ask, [self.pointer(address, WORD(v * ALIGNMENT), ir.IntType(8)), *map(INDEX, (0, 3, 1))])

    def loop(self, depth, a, a_row, a_step, b, b_stride, sums):
        """The sums after all p < depth."""
        builder = self.builder
        before = builder.block
        body, after = builder.append_basic_block("tile.k"), builder.append_basic_block("tile.end")
        builder.cbranch(builder.icmp_signed(">", depth, WORD(0)), body, after)
        builder.position_at_end(body)
        moving = [builder.phi(WORD) for _ in range(3)]
        old = [builder.phi(self.line) for _ in sums]
        p, at_a, at_b = moving
        self.prefetch(builder.add(at_b, builder.mul(b_stride, WORD(PREFETCH_ROWS))))
        new = self.add(at_a, a_row, at_b, old)
        steps = [builder.add(p, WORD(1)), builder.add(at_a, a_step), builder.add(at_b, b_stride)]
        for phi, first, then in zip([*moving, *old], [WORD(0), a, b, *sums], [*steps, *new], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(then, body)
        builder.cbranch(builder.icmp_signed("<", steps[0], depth), body, after)
        builder.position_at_end(after)
        return [self._either(first, before, then, body) for first, then in zip(sums, new, strict=True)]

    def _either(self, first, before, then, body):
        phi = self.builder.phi(self.line)
        phi.add_incoming(first, before)
        phi.add_incoming(then, body)
        return phi

    def store(self, out, stride, sums):
        for offset, line in zip(self.offsets(stride), sums, strict=True):
            self.builder.store(line, self.pointer(out, offset, self.line), align=self.size)


@functools.cache
def tile(mr: int, nr: int):
    """The micro-tile of MR rows × NR lines, as a function that compiled code can call.

    tile(zero, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh)

    zero       : a number of the dtype
    out, a, b  : addresses of the first numbers
    out_stride : bytes from out[r] to out[r+1]
    a_row      : bytes from a[r, p] to a[r+1, p]
    a_step     : bytes from a[r, p] to a[r, p+1]
    b_stride   : bytes from b[p] to b[p+1]
    depth      : number of terms of each sum
    fresh      : sums start at 0 if it is not 0, else at what `out` holds
    """

    @intrinsic
    def run(typing_context, zero, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh):
        def codegen(context, builder, signature, args):
            _, out, out_stride, a, a_row, a_step, b, b_stride, depth, fresh = args
            emitter = _Emitter(builder, signature.args[0], mr, nr)
            is_fresh = builder.icmp_signed("!=", fresh, WORD(0))
            sums = emitter.start(out, out_stride, is_fresh)
            sums = emitter.loop(depth, a, a_row, a_step, b, b_stride, sums)
            emitter.store(out, out_stride, sums)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 9), codegen

    return run


def _interleaved(lanes, step):
    """The two shuffles that swap blocks of `step` numbers between rows i and i + step."""
    first = [j if not j & step else lanes + j - step for j in range(lanes)]
    second = [j + step if not j & step else lanes + j for j in range(lanes)]
    kind = ir.VectorType(INDEX, lanes)
    return ir.Constant(kind, first), ir.Constant(kind, second)


@intrinsic
def transpose_square(typing_context, zero, out, out_stride, a, a_stride):
    """out[j, i] = a[i, j] for i, j < n, where n is the number of numbers in a line

    zero : a number of the dtype    out, a : addresses    out_stride, a_stride : in bytes

    In log₂ n steps: rows n/2 apart swap halves, then rows n/4 apart swap quarters, and so on.
    """

    def codegen(context, builder, signature, args):
        _, out, out_stride, a, a_stride = args
        emitter = _Emitter(builder, signature.args[0], 1, 1)
        lanes = ALIGNMENT // emitter.size
        rows = [emitter.load_line(a, builder.mul(a_stride, WORD(i))) for i in range(lanes)]
        step = lanes // 2
        while step:
            masks = _interleaved(lanes, step)
            for i in (i for i in range(lanes) if not i & step):
                pair = rows[i], rows[i + step]
                rows[i], rows[i + step] = (builder.shuffle_vector(*pair, mask) for mask in masks)
            step //= 2
        for i, row in enumerate(rows):
            at = emitter.pointer(out, builder.mul(out_stride, WORD(i)), emitter.line)
            builder.store(row, at, align=emitter.size)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 4), codegen
