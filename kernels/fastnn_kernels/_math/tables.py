"""Tables of constants, one for each dtype, as compiled code reads them.

AVX2 has 16 vector registers, fewer than the constants of gelu. A constant that LLVM knows is then spread over a
register anew for each vector of a loop, which takes two instructions. A *stored* table is read from a variable: LLVM
does not know its value, but knows that it stays. So it is spread once, before the loop, and what finds no register
waits on the stack, from where a multiply-add reads it. The loop of gelu takes .74 of the time, sigmoid .79, softplus
.82 (Zen 3). Where all constants find a register, as in softmax, stored ones lost: it ran at .88 to .94 of its speed.
AVX-512 and NEON have 32 registers, and every table is one of constants.
"""

import functools
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastnn_kernels._compile.folded import STORED
from fastnn_kernels._jit import implementation
from fastnn_kernels._products.registers import registers

INDEX = ir.IntType(32)


def by_dtype(float32: NamedTuple, float64: NamedTuple, stored: bool = False) -> Callable:
    """A function of a number that gives the table of its dtype, to Python and to compiled code."""

    def table_of(x):
        return float32 if isinstance(x, np.float32) else float64

    @functools.cache  # made when something is compiled: at import they took 2 ms
    def reader(x):
        return _reader(float32 if x == types.float32 else float64, stored)

    @implementation(table_of)
    def compiled_table_of(x):
        read = reader(x)
        return lambda x: read()

    return table_of


def _reader(table: NamedTuple, stored: bool) -> Callable:
    """A function that gives the table to compiled code."""
    kind = typeof(table)

    @intrinsic
    def read(typing_context):
        def codegen(context, builder, signature, args):
            constants = _constant(context, kind, table)
            return _read(builder, constants) if stored and registers() == "ymm" else constants

        return kind(), codegen

    return read


def _constant(context, kind, value):
    """`value`, a number or a tuple of Numba's type `kind`, as a constant of LLVM."""
    if not isinstance(value, tuple):
        return context.get_constant(kind, value)
    return ir.Constant(context.get_value_type(kind), [_constant(context, typeof(part), part) for part in value])


def _read(builder, constants):
    """The same numbers, floats read from a variable. Modules that are linked together share it, by its name."""
    name = STORED + hashlib.sha256(str(constants).encode()).hexdigest()[:16]
    if name not in builder.module.globals:
        variable = cgutils.add_global_variable(builder.module, constants.type, name)
        variable.linkage, variable.initializer = "linkonce_odr", constants
    return _with_floats_read(builder, constants, builder.module.globals[name], ())


def _with_floats_read(builder, constant, variable, path):
    """`constant`, the part of a variable behind the indices `path`, with its floats read."""
    if isinstance(constant.type, (ir.FloatType, ir.DoubleType)):
        number = builder.load(builder.gep(variable, [INDEX(0), *map(INDEX, path)]))
        number.set_metadata("invariant.load", builder.module.add_metadata([]))
        return number
    value = constant
    for at, part in enumerate(constant.constant if isinstance(constant.constant, list) else ()):
        value = builder.insert_value(value, _with_floats_read(builder, part, variable, (*path, at)), at)
    return value
