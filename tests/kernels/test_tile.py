"""Micro-tiles give the bits of the readable loop, and write nothing beside their output."""

import numpy as np
import pytest
from llvmlite import ir
from numba import types

from fastnn_kernels._jit import compiled
from fastnn_kernels._products import block, product, tile, window_product
from fastnn_kernels._products.registers import SHAPES, registers_in
from tests.assembly import PROCESSORS, assembly, busiest_block, multiply_adds, spills
from tests.kernels.cases import DTYPES, needs_jit

pytestmark = needs_jit
GUARD = -77.0


@compiled
def _product_into(out, a, b):
    product.product(out, a, b)


@compiled
def _readable_into(out, a, b):
    product.readable_product(out, a, b)


@compiled
def _product_xt_into(out, x, first, b):
    product.product_xt(out, x, first, b)


@compiled
def _product_xt_prefetch_into(out, x, first, b, w):
    product.product_xt_prefetch(out, x, first, b, w)


@compiled
def _add_pixels(out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh):
    window_product.add_pixels(out, at, out_row, rows, a, a_at, a_row, jump, segments, b, fresh)


@compiled
def _add_taps(out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh):
    window_product.add_taps(out, at, out_row, rows, a, a_at, a_step, jump, segments, b, fresh)


@compiled
def _readable_add(out, at, out_row, rows, a, a_at, a_row, a_step, jump, segments, b, fresh):
    window_product.readable_add(out, at, out_row, rows, a, a_at, a_row, a_step, jump, segments, b, fresh)


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


@pytest.mark.parametrize("rows", [9, 13, 25, 200])
@pytest.mark.parametrize("columns", [700, 1024])
def test_products_that_prefetch_lines(rows, columns):
    """b, and of 200 rows out as well, are larger than FAR_BYTES; 544 and 545 terms are two and three parts."""
    rng = np.random.default_rng(rows)
    for depth in (544, 545, 784):
        a, b = (rng.normal(size=shape).astype(np.float32) for shape in ((rows, depth), (depth, columns)))
        guarded, want = np.full((rows + 2, columns), GUARD, np.float32), np.empty((rows, columns), np.float32)
        _readable_into(want, a, b)
        _product_into(guarded[1:-1], a, b)
        np.testing.assert_array_equal(guarded[1:-1], want)
        _product_xt_into(guarded[1:-1], np.ascontiguousarray(a.T), 0, b)
        np.testing.assert_array_equal(guarded[1:-1], want)
        assert (guarded[[0, -1]] == GUARD).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [1, 16, 31, 33, 64, 130, 1024])
def test_products_of_a_transpose(columns, dtype):
    """Every height of the tiles, rows of b that compete for the first cache, and columns of x that are copied."""
    rng = np.random.default_rng(columns)
    sizes = [(7, rows, 9) for rows in range(15)] + [
        (300, 43, 9),
        (257, 200, 9),
        (0, 5, 9),
        (257, 11, 140),
        (288, 187, 9),
    ]
    for depth, rows, others in sizes:
        x, b = rng.normal(size=(depth, rows + others)).astype(dtype), rng.normal(size=(depth, columns)).astype(dtype)
        guarded, want = np.full((rows + 2, columns), GUARD, dtype), np.empty((rows, columns), dtype)
        _product_xt_into(guarded[1:-1], x, 4, b)
        _readable_into(want, np.ascontiguousarray(x[:, 4 : 4 + rows].T), b)
        np.testing.assert_array_equal(guarded[1:-1], want)
        assert (guarded[[0, -1]] == GUARD).all()


@pytest.mark.parametrize("kind", ["f4", "u2"])
@pytest.mark.parametrize("size", [0, 5, 300, 900])
def test_a_product_that_prefetches_rows_has_the_bits_of_one_that_does_not(size, kind):
    """Of rows there are none, fewer than a tile prefetches, and more than all tiles do; 545 terms are three parts."""
    rng = np.random.default_rng(size)
    for depth, rows, columns in ((32, 48, 784), (3, 5, 33), (545, 2, 16), (0, 3, 16)):
        x, b = rng.normal(size=(depth, rows + 9)).astype("f4"), rng.normal(size=(depth, columns)).astype("f4")
        w = np.zeros((rows, size), kind)
        guarded, want = np.full((rows + 2, columns), GUARD, "f4"), np.empty((rows, columns), "f4")
        _product_xt_prefetch_into(guarded[1:-1], x, 4, b, w)
        _product_xt_into(want, x, 4, b)
        np.testing.assert_array_equal(guarded[1:-1], want)
        assert (guarded[[0, -1]] == GUARD).all()
        assert not w.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("kind", ["pixels", "taps"])
def test_sums_over_a_window(kind, fresh, dtype):
    rng = np.random.default_rng(1)
    add = _add_pixels if kind == "pixels" else _add_taps
    for rows, segments, depth, columns, stride, jump in (
        (1, 1, 4, 16, 0, 0),
        (5, 3, 9, 40, 3, 20),
        (13, 2, 28, 7, 1, 5),
        (26, 1, 3, 64, 2, 2),
        (4, 0, 3, 16, 2, 2),
        (40, 3, 14, 6, 6, 90),  # six filters: no whole line, and b as narrow as that
        (9, 2, 7, 33, 4, 40),
        (7, 5, 1, 130, 1, 3),
        (17, 3, 90, 130, 128, 12_000),  # with AVX2 the columns of a are copied
    ):
        a = rng.normal(size=rows * stride + segments * jump + depth * max(stride, 1) + rows).astype(dtype)
        b = rng.normal(size=(segments * depth, columns + (0 if rows > 8 else 5))).astype(dtype)[:, :columns]
        out_row = columns + 3
        got = np.full(rows * out_row + 20, GUARD, dtype)
        want = got.copy()
        add(got[: 4 + rows * out_row], 4, out_row, rows, a, 2, stride, jump, segments, b, fresh)
        both = (stride, 1) if kind == "pixels" else (1, stride)
        _readable_add(want, 4, out_row, rows, a, 2, *both, jump, segments, b, fresh)
        written, elsewhere = np.zeros((2, *got.shape), bool)
        elsewhere[:] = True
        behind = 64 // got.itemsize if fresh and kind == "pixels" else 0  # there fresh sums of pixels leave anything
        for i in range(rows):
            first = 4 + i * out_row
            written[first : first + columns] = True
            elsewhere[first : min(first + columns + behind, 4 + rows * out_row)] = False
        np.testing.assert_array_equal(got[written], want[written])
        assert (got[elsewhere] == GUARD).all()


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
    assert registers_in(assembly) == registers
    assert (SHAPES[registers].rows > 0) == bool(registers)


@pytest.mark.parametrize("tall", [True, False])
@pytest.mark.parametrize(("triple", "processor", "registers", "each"), PROCESSORS)
def test_the_sums_of_the_largest_tiles_stay_in_registers(triple, processor, registers, each, tall):
    sizes = SHAPES[registers]
    for mr in (sizes.rows, 4, 1, 2):
        nr = sizes.width(mr)

        def emit(builder, arguments, mr=mr, nr=nr):
            emitter = tile.Emitter(builder, types.float32, mr, nr, tall, sizes.terms, sizes.prefetches(mr))
            emitter.emit(tile.Operands(*arguments))

        loop = busiest_block(assembly(emit, [ir.IntType(64)] * len(tile.Operands._fields), triple, processor))
        assert registers_in(loop) == registers
        assert len(multiply_adds(loop)) % (mr * nr * each) == 0
        assert not spills(loop)


@pytest.mark.parametrize("registers", ["ymm", "zmm", "neon"])
def test_tiles_of_few_rows_have_eight_chains(registers):
    """A chain waits some four cycles for itself, and two units work."""
    sizes, each = SHAPES[registers], {"zmm": 1, "ymm": 2, "neon": 4}[registers]
    for mr in range(1, sizes.rows + 1):
        assert mr * sizes.width(mr) * each >= 8


def test_blocks_have_symbols_of_their_own():
    """Code is found by the name of its symbol: two blocks of one name would be taken for each other."""
    names = {block.symbol(real, tall) for real in block.DTYPES for tall in (True, False)}
    assert len(names) == 4


def test_no_term_reads_behind_the_end():
    """A tile reads whole lines: of rows that are shorter, the last ones are left to the readable loop."""
    for dtype in DTYPES:
        for terms, width, column in (
            (9, 6, 0),
            (9, 33, 32),
            (1, 5, 0),
            (0, 5, 0),
            (30, 16, 0),
            (4, 17, 16),
            (8, 40, 32),
        ):
            b = np.zeros((terms, width), dtype)
            safe = window_product._terms_before_the_end(b, column)
            last = ((safe - 1) * width + column) * b.itemsize + 64
            assert safe == 0 or last <= b.nbytes
            assert safe == terms or last + width * b.itemsize > b.nbytes  # and no more are left than need be
