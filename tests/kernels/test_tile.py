"""Micro-tiles give the bits of the readable loop, and write nothing beside their output."""

import numpy as np
import pytest
from llvmlite import ir
from numba import types

from fastnn_kernels import _product, _tile
from fastnn_kernels._jit import compiled
from tests.assembly import PROCESSORS, assembly, busiest_block, multiply_adds, spills
from tests.kernels.cases import DTYPES, needs_jit

pytestmark = needs_jit
GUARD = -77.0


@compiled
def _product_into(out, a, b):
    _product.product(out, a, b)


@compiled
def _readable_into(out, a, b):
    _product.readable_product(out, a, b)


@compiled
def _add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
    _product.add_products(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh)


@compiled
def _readable_add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh):
    _product.readable_add(out, at, out_row, a, a_at, a_row, a_step, b, rows, fresh)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 11, 12, 13, 27, 49, 50])
def test_products(rows, dtype):
    rng = np.random.default_rng(rows)
    for depth, columns in ((0, 16), (1, 16), (5, 3), (7, 33), (30, 64), (257, 48), (300, 17)):
        a, b = rng.normal(size=(rows, depth)).astype(dtype), rng.normal(size=(depth, columns)).astype(dtype)
        guarded = np.full((rows + 2, columns), GUARD, dtype)
        want = np.empty((rows, columns), dtype)
        _product_into(guarded[1:-1], a, b)
        _readable_into(want, a, b)
        np.testing.assert_array_equal(guarded[1:-1], want)
        assert (guarded[[0, -1]] == GUARD).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fresh", [True, False])
def test_sums_over_rows_at_any_distance(fresh, dtype):
    rng = np.random.default_rng(1)
    for rows, depth, columns, a_row, a_step in (
        (1, 4, 16, 0, 1),
        (5, 9, 40, 3, 1),
        (13, 28, 7, 1, 5),
        (26, 3, 64, 2, 2),
    ):
        a = rng.normal(size=rows * a_row + depth * a_step + 9).astype(dtype)
        b = rng.normal(size=(depth, columns + 5)).astype(dtype)[:, :columns]
        out_row = columns + 3
        got = np.full(rows * out_row + 20, GUARD, dtype)
        want = got.copy()
        for function, out in ((_add, got), (_readable_add, want)):
            function(out, 4, out_row, a, 2, a_row, a_step, b, rows, fresh)
        np.testing.assert_array_equal(got, want)
        between = np.ones(got.shape, bool)
        for i in range(rows):
            between[4 + i * out_row : 4 + i * out_row + columns] = False
        assert (got[between] == GUARD).all()


@pytest.mark.parametrize(
    ("assembly", "registers"),
    [
        ("vfmadd231ps %zmm1, %zmm2, %zmm0", "zmm"),
        ("vfmadd213ps %ymm4, %ymm2, %ymm0", "ymm"),
        ("fmla v0.4s, v1.4s, v2.4s", "neon"),
        ("callq fmaf@PLT", ""),
    ],
)
def test_registers_are_read_off_the_assembly(assembly, registers):
    assert _tile.registers_in(assembly) == registers
    sizes, nr = _tile.SHAPES[registers]
    assert not sizes or sizes[-2:] == (2, 1)
    assert nr >= 1


@pytest.mark.parametrize(("triple", "processor", "registers", "each"), PROCESSORS)
def test_the_sums_of_the_largest_tile_stay_in_registers(triple, processor, registers, each):
    (mr, *_), nr = _tile.SHAPES[registers]

    def emit(builder, arguments):
        out, out_stride, a, a_row, a_step, b, b_stride, depth = arguments
        emitter = _tile._Emitter(builder, types.float32, mr, nr)
        sums = emitter.start(out, out_stride, ir.Constant(ir.IntType(1), 0))
        emitter.store(out, out_stride, emitter.loop(depth, a, a_row, a_step, b, b_stride, sums))

    loop = busiest_block(assembly(emit, [ir.IntType(64)] * 8, triple, processor))
    assert _tile.registers_in(loop) == registers
    assert len(multiply_adds(loop)) == mr * nr * each
    assert not spills(loop)
