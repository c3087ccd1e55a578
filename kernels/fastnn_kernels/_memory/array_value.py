"""An array as a value of compiled code, made of its parts."""


def array_value(context, builder, kind, data, shape, strides, itemsize):
    """Emit a C-contiguous array of Numba's type `kind`, which owns no memory: data at an address, sizes in bytes."""
    from numba.np import arrayobj  # takes 20 ms, which a process that only loads compiled code does without

    array = context.make_array(kind)(context, builder)
    arrayobj.populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()
