"""Sixteen numbers at once, for the largest of several and where it lies: compare, choose, number.

The functions run as they stand with JIT off; then come their compiled forms.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from fastnn_kernels._lanes.lanes import INDEX, LANES, Lanes, emit_spread


def exceeds(v, best):
    """In each lane: whether v is larger than best, or is the first NaN"""
    return (v > best) | ((v != v) & (best == best))


def where(condition, a, b):
    """a in the lanes that fulfil the condition, b in the others"""
    return np.where(condition, a, b)


def numbers_from(first):
    """first, first + 1, … as int32"""
    return np.arange(first, first + LANES, dtype=np.int32)


type_callable(exceeds)(lambda context: lambda v, best: Lanes(types.boolean) if isinstance(v, Lanes) else None)
type_callable(where)(lambda context: lambda condition, a, b: a if isinstance(a, Lanes) and a == b else None)
type_callable(numbers_from)(
    lambda context: lambda first: Lanes(types.int32) if isinstance(first, types.Integer) else None
)


@lower_builtin(exceeds, Lanes, Lanes)
def _emit_exceeds(context, builder, signature, args):
    v, best = args
    # "Not at most" is true of NaN, too.
    return builder.and_(builder.fcmp_unordered(">", v, best), builder.fcmp_ordered("ord", best, best))


@lower_builtin(where, Lanes, Lanes, Lanes)
def _emit_where(context, builder, signature, args):
    return builder.select(*args)


@lower_builtin(numbers_from, types.Integer)
def _emit_numbers_from(context, builder, signature, args):
    first = emit_spread(builder, builder.trunc(args[0], INDEX))
    return builder.add(first, ir.Constant(first.type, list(range(LANES))))
