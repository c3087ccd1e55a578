"""Sixteen numbers of a row read into lanes, and lanes written into a row.

The functions run as they stand with JIT off; then come their compiled forms.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._lanes.lanes import INDEX, LANES, Lanes, emit_spread


def load(x, i, j):
    """x[i, j : j + LANES]"""
    return x[i, j : j + LANES].copy()


def load_first(x, i, j, count, other):
    """x[i, j : j + count], then `other`, of x's dtype; 0 ≤ count ≤ LANES"""
    lanes = np.full(LANES, other)
    lanes[:count] = x[i, j : j + count]
    return lanes


def store(lanes, x, i, j):
    """x[i, j : j + LANES] = lanes"""
    x[i, j : j + LANES] = lanes


def store_first(lanes, x, i, j, count):
    """x[i, j : j + count] = the first `count` lanes; 0 ≤ count ≤ LANES"""
    x[i, j : j + count] = lanes[:count]


def _is_matrix(x):
    """Whether x is a matrix of which sixteen numbers of a row are neighbours in memory."""
    return isinstance(x, types.Array) and x.ndim == 2 and x.layout == "C"


type_callable(load)(lambda context: lambda x, i, j: Lanes(x.dtype) if _is_matrix(x) else None)
type_callable(load_first)(lambda context: lambda x, i, j, count, other: Lanes(x.dtype) if _is_matrix(x) else None)
type_callable(store)(lambda context: lambda lanes, x, i, j: types.none if _is_matrix(x) else None)
type_callable(store_first)(lambda context: lambda lanes, x, i, j, count: types.none if _is_matrix(x) else None)


def _place(context, builder, kind, array, at):
    """Where the sixteen elements from `at` on are, and their alignment in bytes."""
    array = context.make_array(kind)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, kind, array, at, wraparound=False)
    element = context.get_value_type(kind.dtype)
    return builder.bitcast(pointer, ir.VectorType(element, LANES).as_pointer()), context.get_abi_sizeof(element)


def _masked(builder, name, result, vector, count, operands):
    """LLVM's masked load or store, which touches no memory behind the first `count` elements."""
    before = emit_spread(builder, builder.trunc(count, INDEX))
    numbers = ir.Constant(before.type, list(range(LANES)))
    operands = operands(builder.icmp_signed("<", numbers, before))
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    element = {ir.FloatType(): "f32", ir.DoubleType(): "f64"}.get(vector.element, str(vector.element))
    name = f"llvm.masked.{name}.v{LANES}{element}.p0"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)


@lower_builtin(load, types.Array, types.Integer, types.Integer)
def _emit_load(context, builder, signature, args):
    place, alignment = _place(context, builder, signature.args[0], args[0], args[1:])
    return builder.load(place, align=alignment)


@lower_builtin(load_first, types.Array, types.Integer, types.Integer, types.Integer, types.Float)
def _emit_load_first(context, builder, signature, args):
    place, alignment = _place(context, builder, signature.args[0], args[0], args[1:3])
    vector, other = context.get_value_type(signature.return_type), emit_spread(builder, args[4])
    return _masked(builder, "load", vector, vector, args[3], lambda mask: [place, INDEX(alignment), mask, other])


@lower_builtin(store, Lanes, types.Array, types.Integer, types.Integer)
def _emit_store(context, builder, signature, args):
    place, alignment = _place(context, builder, signature.args[1], args[1], args[2:])
    builder.store(args[0], place, align=alignment)
    return context.get_dummy_value()


@lower_builtin(store_first, Lanes, types.Array, types.Integer, types.Integer, types.Integer)
def _emit_store_first(context, builder, signature, args):
    place, alignment = _place(context, builder, signature.args[1], args[1], args[2:4])
    vector = args[0].type
    _masked(builder, "store", ir.VoidType(), vector, args[4], lambda mask: [args[0], place, INDEX(alignment), mask])
    return context.get_dummy_value()
