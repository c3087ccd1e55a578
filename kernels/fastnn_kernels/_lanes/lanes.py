"""Sixteen numbers at once, for sums and maxima of rows: arithmetic lane by lane, `total`, `largest`.

The compiler turns loops over independent elements into vector code by itself, but no sum: vector code adds in another
order. Here the order is written down. Element j of a row belongs to lane j mod LANES, and at the end the upper half of
the lanes is added to the lower one, until one is left. So a sum has the same bits on every processor.

In compiled code sixteen numbers are one LLVM vector: in float32 one register of 512 bits, two of 256, four of 128.
With JIT off they are a NumPy array, and the same source runs on it. As in all kernels, a product may be fused with
an addition. `_lanes.memory` reads and writes them.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable

LANES = 16
INDEX = ir.IntType(32)


class Lanes(types.Type):
    """The Numba type of LANES numbers of one dtype."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, ir.VectorType(manager.lookup(lanes.dtype).get_value_type(), LANES))


# The functions below run as they stand with JIT off. After each family comes its compiled form.


def spread(value):
    """`value` in every lane"""
    return np.full(LANES, value)


type_callable(spread)(lambda context: lambda value: Lanes(value) if isinstance(value, types.Float) else None)


def emit_spread(builder, value):
    """Emit the scalar in every lane."""
    one = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    one = builder.insert_element(one, value, INDEX(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(INDEX, LANES), [0] * LANES))


@lower_builtin(spread, types.Float)
def _lower_spread(context, builder, signature, args):
    return emit_spread(builder, args[0])


def size(a):
    """|a|"""
    return np.abs(a)


def sign(a):
    """1, 0 or −1; NaN stays NaN."""
    return np.sign(a)


def half(a):
    """½ · a"""
    return a * a.dtype.type(0.5)


def negative(a):
    """−a"""
    return -a


def _emit_sign(builder, a):
    zero, one, less = (emit_spread(builder, a.type.element(value)) for value in (0.0, 1.0, -1.0))
    below = builder.select(builder.fcmp_ordered("<", a, zero), less, a)
    return builder.select(builder.fcmp_ordered(">", a, zero), one, below)


def _emit_size(builder, a):
    zero = emit_spread(builder, a.type.element(0.0))
    return builder.select(builder.fcmp_ordered("<", a, zero), builder.fneg(a), a)


def _of_one(function, emit):
    type_callable(function)(lambda context: lambda a: a if isinstance(a, Lanes) else None)
    lower_builtin(function, Lanes)(lambda context, builder, signature, args: emit(builder, *args))


_of_one(half, lambda builder, a: builder.fmul(a, emit_spread(builder, a.type.element(0.5))))
_of_one(negative, lambda builder, a: builder.fneg(a))
_of_one(size, _emit_size)
_of_one(sign, _emit_sign)


def larger(a, b):
    """a where a > b, else b: so b where one of them is NaN"""
    return np.where(a > b, a, b)


def smaller(a, b):
    """a where a < b, else b"""
    return np.where(a < b, a, b)


def holds(lanes, value):
    """Whether any lane is equal to `value`"""
    return bool((lanes == value).any())


type_callable(holds)(lambda context: lambda lanes, value: types.boolean if isinstance(lanes, Lanes) else None)


@lower_builtin(holds, Lanes, types.Float)
def _emit_holds(context, builder, signature, args):
    equal = builder.fcmp_ordered("==", args[0], emit_spread(builder, args[1]))
    bits = builder.bitcast(equal, ir.IntType(LANES))
    return builder.icmp_unsigned("!=", bits, bits.type(0))


def widened(a):
    """a in float64"""
    return a.astype(np.float64)


type_callable(widened)(lambda context: lambda a: Lanes(types.float64) if isinstance(a, Lanes) else None)


@lower_builtin(widened, Lanes)
def _emit_widened(context, builder, signature, args):
    wide = ir.VectorType(ir.DoubleType(), LANES)
    return args[0] if args[0].type == wide else builder.fpext(args[0], wide)


def rounded_product(a, b):
    """a · b, which is not fused with an addition"""
    return a * b


FLAGS = ("contract", "nsz")  # those of `_jit.OPTIONS`
_TWO = {
    operator.add: lambda builder, a, b: builder.fadd(a, b, flags=FLAGS),
    operator.sub: lambda builder, a, b: builder.fsub(a, b, flags=FLAGS),
    operator.mul: lambda builder, a, b: builder.fmul(a, b, flags=FLAGS),
    operator.truediv: lambda builder, a, b: builder.fdiv(a, b, flags=FLAGS),
    rounded_product: lambda builder, a, b: builder.fmul(a, b, flags=("nsz",)),
    larger: lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b),
    smaller: lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b),
}


def _of_two(function, emit):
    type_callable(function)(lambda context: lambda a, b: a if isinstance(a, Lanes) and a == b else None)
    lower_builtin(function, Lanes, Lanes)(lambda context, builder, signature, args: emit(builder, *args))


for _function, _emit in _TWO.items():
    _of_two(_function, _emit)


def multiply_add(a, b, c):
    """a · b + c, fused in compiled code, with one rounding"""
    return a * b + c


def choose(a, b, x, y):
    """x where a > b, else y: so y where one of a and b is NaN"""
    return np.where(a > b, x, y)


type_callable(multiply_add)(lambda context: lambda a, b, c: a if isinstance(a, Lanes) and a == b == c else None)
type_callable(choose)(lambda context: lambda a, b, x, y: x if isinstance(a, Lanes) and a == b and x == y else None)


@lower_builtin(multiply_add, Lanes, Lanes, Lanes)
def _emit_multiply_add(context, builder, signature, args):
    vector = args[0].type
    name = f"llvm.fma.v{LANES}f{32 if vector.element == ir.FloatType() else 64}"
    kind = ir.FunctionType(vector, [vector] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


@lower_builtin(choose, Lanes, Lanes, Lanes, Lanes)
def _emit_choose(context, builder, signature, args):
    a, b, x, y = args
    return builder.select(builder.fcmp_ordered(">", a, b), x, y)


def _halved(lanes, combine):
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = combine(lanes[:half], lanes[half:])
    return lanes[0]


def total(lanes):
    """The sum of all lanes."""
    return _halved(lanes, operator.add)


def largest(lanes):
    """The largest of all lanes; none of them may be NaN."""
    return _halved(lanes, larger)


def _of_all(function, emit):
    def fold(context, builder, signature, args):
        (vector,) = args
        while (half := vector.type.count // 2) > 0:
            kind = ir.VectorType(INDEX, half)
            low, high = (ir.Constant(kind, list(range(first, first + half))) for first in (0, half))
            parts = (builder.shuffle_vector(vector, vector, chosen) for chosen in (low, high))
            vector = emit(builder, *parts)
        return builder.extract_element(vector, INDEX(0))

    type_callable(function)(lambda context: lambda lanes: lanes.dtype if isinstance(lanes, Lanes) else None)
    lower_builtin(function, Lanes)(fold)


_of_all(total, _TWO[operator.add])
_of_all(largest, _TWO[larger])
