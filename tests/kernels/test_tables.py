"""Tables of constants in compiled code: stored ones are read from memory where registers are few; all numbers stay."""

from typing import NamedTuple

import numba
import numpy as np
import pytest

from fastnn_kernels._compile.folded import STORED
from fastnn_kernels._jit import OPTIONS, compiled, inline, kernel
from fastnn_kernels._math import constants, normal, tables
from tests.kernels.cases import needs_jit

DTYPES = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_kind = pytest.mark.parametrize("registers", ["ymm", "zmm"])
every_table = pytest.mark.parametrize(
    "table_of", [constants.constants_of, constants.stored_constants_of, normal._coefficients]
)


class Quadratic(NamedTuple):
    coefficients: tuple


def flat(numbers):
    """All numbers of a table in a row, each a float64."""
    return [float(n) for part in numbers for n in (flat(part) if isinstance(part, tuple) else [part])]


def polynomial(stored):
    """A kernel's loop over a polynomial, whose coefficients are stored or not."""
    tables_of_dtypes = [Quadratic(tuple(map(dtype, (3, -0.5, 0.25)))) for dtype in DTYPES]
    table_of = tables.by_dtype(*tables_of_dtypes, stored=stored)

    @inline
    def value(x):
        a, b, c = table_of(x).coefficients
        return (a * x + b) * x + c

    def loop(out, x):
        for i in range(x.shape[0]):
            out[i] = value(x[i])

    return loop


@every_table
@every_dtype
def test_compiled_code_has_the_numbers_of_python(table_of, dtype):
    copy = compiled(lambda x: table_of(x), cached=False)
    assert flat(copy(dtype(0))) == flat(table_of(dtype(0)))


@needs_jit
@every_table
@every_dtype
@every_kind
def test_each_number_is_read_from_its_own_place(table_of, dtype, registers, monkeypatch):
    monkeypatch.setattr(tables, "registers", lambda: registers)
    copy = numba.njit(lambda x: table_of(x), **OPTIONS)
    assert flat(copy(dtype(0))) == flat(table_of(dtype(0)))


@needs_jit
@pytest.mark.parametrize(("stored", "registers"), [(True, "ymm"), (True, "zmm"), (False, "ymm")])
def test_only_stored_tables_are_read_and_only_where_registers_are_few(stored, registers, monkeypatch):
    monkeypatch.setattr(tables, "registers", lambda: registers)
    loop = compiled(polynomial(stored), cached=False)
    x = np.arange(-3, 4, dtype=np.float32)
    out = np.empty_like(x)
    loop(out, x)
    assert (out == (3 * x - np.float32(0.5)) * x + np.float32(0.25)).all()
    assert (STORED in loop.inspect_llvm(loop.signatures[0])) == (stored and registers == "ymm")


@needs_jit
@pytest.mark.parametrize("scalar", [True, False])
def test_kernels_that_take_one_number_at_a_time_have_constants(scalar, monkeypatch):
    monkeypatch.setattr(tables, "registers", lambda: "ymm")
    loop = kernel(cached=False, scalar=scalar)(polynomial(stored=True)).serial
    x = np.arange(-3, 4, dtype=np.float64)
    out = np.empty_like(x)
    loop(out, x)
    assert (out == (3 * x - 0.5) * x + 0.25).all()
    assert (STORED in loop.inspect_llvm(loop.signatures[0])) != scalar
