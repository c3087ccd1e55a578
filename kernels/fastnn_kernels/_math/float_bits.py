"""The bits of a float as a whole number, and back: so exponents and signs are read and written.

With JIT off the functions run as they stand; after each comes its compiled form.
"""

import numpy as np
from numba import types
from numba.extending import lower_builtin, type_callable


def bits_of(x):
    """The bits of a float as an integer of its size."""
    return np.asarray(x).view(f"i{np.asarray(x).itemsize}")[()]


@type_callable(bits_of)
def _type_bits(context):
    return lambda x: {types.float32: types.int32, types.float64: types.int64}.get(x)


@lower_builtin(bits_of, types.Float)
def _lower_bits(context, builder, signature, args):
    return builder.bitcast(args[0], context.get_value_type(signature.return_type))


def float_of(bits, like):
    """The float of the type of `like` whose bits are the low ones of the integer `bits`."""
    size = np.asarray(like).itemsize
    return type(like)(np.asarray(bits).astype(f"i{size}").view(f"f{size}")[()])


@type_callable(float_of)
def _type_from_bits(context):
    return lambda bits, like: like


@lower_builtin(float_of, types.Integer, types.Float)
def _lower_from_bits(context, builder, signature, args):
    width = context.get_value_type(types.Integer.from_bitwidth(signature.return_type.bitwidth))
    bits = args[0] if args[0].type == width else builder.trunc(args[0], width)
    return builder.bitcast(bits, context.get_value_type(signature.return_type))
