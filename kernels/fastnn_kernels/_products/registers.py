"""The vector registers of the processor that Numba compiles for, and the tiles that fit into them."""

import functools
from typing import NamedTuple

import llvmlite.binding as llvm
from numba.core.registry import cpu_target


class Shape(NamedTuple):
    """The tiles of a processor.

    rows         of the tallest tile; 0 where there is no tile and the readable loop is to run
    lines        of a tile with many rows
    few          lines of a tile with 1, 2 and 3 rows: a tile of few rows is wider, because eight chains of sums and
                 more keep both multipliers busy while each chain waits for itself
    terms        a tile of L lines of sums adds terms / L terms, rounded down, between two counts of its loop
    prefetching  whether tiles of more rows prefetch a line of the next panel with each term
    page         rows of b that lie a multiple of so many bytes apart compete for a few lines of the first cache
    spread       so do rows of b, if their number times the largest power of two that divides their distance in bytes
                 is more than this
    packing      whether xᵀ · dout copies columns of x, where they lie far apart
    """

    rows: int
    lines: int
    few: tuple[int, int, int]
    terms: int
    prefetching: bool = False
    page: int = 4096
    spread: int = 1 << 62
    packing: bool = False

    def prefetches(self, rows: int) -> bool:
        """Whether tiles of this number of rows prefetch a line with each term."""
        return self.prefetching and rows > len(self.few)

    def width(self, rows: int) -> int:
        """The lines of the widest tile with so many rows."""
        return self.few[rows - 1] if rows <= len(self.few) else self.lines


# AVX-512 has 32 registers of a line each, AVX2 has 16 of half a line, NEON has 32 of a quarter. With AVX2 a tile of
# three rows and two lines needs one register more than there are; it still reaches 78 % of the limit, one line 67 %.
SHAPES = {
    "zmm": Shape(12, 2, (8, 4, 4), 24, True),
    "ymm": Shape(6, 1, (6, 3, 2), 24, spread=32 << 10, packing=True),
    "neon": Shape(6, 1, (6, 3, 2), 1),
    "": Shape(0, 1, (1, 1, 1), 1),
}

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


def shape() -> Shape:
    """The sizes of this processor's micro-tiles."""
    return SHAPES[registers()]
