"""Adapters: the C functions by which the driver calls kernels, one for a kernel, serial or parallel, and operand types.

An adapter turns the words of an entry back into arrays (no allocation, about 1 ns each) and calls the kernel. Its code
is compiled together with the kernel's body, as one library: by way of the kernel's twin, as a library that is linked
into another, every body would pass through LLVM twice.
"""

import functools
import itertools
from collections.abc import Mapping

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from fastnn_kernels._compile.cache import SourceStampedCache
from fastnn_kernels._compile.collection import no_collection
from fastnn_kernels._jit import OPTIONS, Kernel, renamed
from fastnn_kernels._memory.array_value import array_value

WORD = ir.IntType(64)


def operand_type(operand):
    """The Numba type of one operand: a C-contiguous array, or int64 for a whole number."""
    if isinstance(operand, np.ndarray):
        return _array_type(operand.dtype, operand.ndim)
    return types.int64


@functools.cache  # to make the type anew took 6 µs, for each operand that a call binds
def _array_type(dtype: np.dtype, dimensions: int):
    return types.Array(numba.from_dtype(dtype), dimensions, "C")


def operand_words(operand) -> list[int]:
    """One operand as the int64 words of an entry; the inverse of `_read_operand`."""
    if isinstance(operand, np.ndarray):
        if not operand.flags.c_contiguous:
            raise ValueError(f"an entry takes C-contiguous arrays, got strides {operand.strides}")
        return [operand.__array_interface__["data"][0], *operand.shape]  # `ctypes.data` takes 3 times as long
    return [int(operand)]


def _short(kind) -> str:
    """The type of an operand in a few letters: a file is named by all of them, and 255 letters are the most."""
    return f"{kind.dtype}.{kind.ndim}" if isinstance(kind, types.Array) else str(kind)


class Adapter:
    """The C function `void(int64 entry)` that calls a kernel, serial or parallel, on the operands of an entry.

    kinds    the Numba types of the operands, a tuple
    title    for messages
    name     of the C function. The types are part of it: all adapters have the same signature, and two of one kernel
             (float32, float64) in one process must not have the same symbol
    address  of the code, once it is made
    """

    def __init__(self, kernel: Kernel, parallel: bool, kinds: tuple):
        body = f"{kernel.name}__{'parallel' if parallel else 'serial'}"
        self.name = "-".join([f"entry.{body}", *map(_short, kinds)])
        self.kernel, self.parallel, self.kinds = kernel, parallel, kinds
        self.title = kernel.name
        self.address = 0
        self._signature = types.void(*kinds)
        self._cache = SourceStampedCache(self.name, linkable=False) if kernel.cached else None
        self._result: compiler.CompileResult | None = None  # keeps the code alive

    def description(self) -> list:
        """What another process must know to make it, as JSON; `described` reads it."""
        return [self.title, self.parallel, [_description_of(kind) for kind in self.kinds]]

    def on_disk(self) -> bool:
        """Whether the cache has a file for it."""
        return self._cache is not None and self._cache.holds(self._signature, cpu_target.target_context)

    @global_compiler_lock
    def make(self) -> None:
        """Load the code from the cache, or compile it."""
        if self.address:
            return
        if self._cache is not None:
            self._result = self._cache.load_overload(self._signature, cpu_target.target_context)
        if self._result is None:
            with no_collection():  # it took a tenth of the time of a compilation, which makes no garbage
                self._result = self._compiled()
            if self._cache is not None:
                self._cache.save_overload(self._signature, self._result)
        self.address = self._result.library.get_pointer_to_function(self.name)

    def _compiled(self) -> compiler.CompileResult:
        """The kernel's body and the adapter, as one library."""
        # A name of its own: the kernel's twin may be loaded as well.
        body = renamed(self.kernel.body, "__entry_parallel" if self.parallel else "__entry_serial")
        flags = compiler.Flags()
        options = OPTIONS | {"nopython": True, "parallel": self.parallel}
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        cpu_target.options.parse_as_flags(flags, options)
        flags.no_compile = True  # not before the adapter is added
        contexts = cpu_target.typing_context, cpu_target.target_context
        result = compiler.compile_extra(
            *contexts, body, self.kinds, types.none, flags, {}, pipeline_class=self.kernel.compiler
        )
        module = self._module(result.target_context, result.fndesc.llvm_func_name)
        result.library.add_ir_module(module)
        return result

    def _module(self, context, body: str):
        """The LLVM module of the adapter: it reads the operands of an entry and calls `body` with them."""
        module = context.create_module("adapter")
        callee = ir.Function(module, context.call_conv.get_function_type(types.none, self.kinds), body)
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD]), self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        words, position = builder.inttoptr(function.args[0], WORD.as_pointer()), itertools.count()

        def load():
            return builder.load(builder.gep(words, [WORD(next(position))]))

        operands = [_read_operand(context, builder, kind, load) for kind in self.kinds]
        # noinline: the body is there anyway, for its own symbol, and would be compiled a second time.
        status, _ = context.call_conv.call_function(
            builder, callee, types.none, self.kinds, operands, attrs=("noinline",)
        )
        with builder.if_then(status.is_error, likely=False):
            _print_error(context, builder, status)
        builder.ret_void()
        return module


def _read_operand(context, builder, kind, load):
    """Emit the value of one operand; `load()` emits the next word of the entry."""
    if not isinstance(kind, types.Array):
        return load()
    data = builder.inttoptr(load(), context.get_data_type(kind.dtype).as_pointer())
    shape = [load() for _ in range(kind.ndim)]
    itemsize = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [WORD(itemsize)]
    for extent in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], extent))
    return array_value(context, builder, kind, data, shape, strides, WORD(itemsize))


def _print_error(context, builder, status):
    """Emit the printing of an exception, as of a user's own function: no caller is there to raise it to."""
    api = context.get_python_api(builder)
    lock = api.gil_ensure()
    context.call_conv.raise_error(builder, api, status)
    where = api.string_from_string(context.insert_const_string(builder.module, "a kernel of fastnn"))
    api.err_write_unraisable(where)
    api.decref(where)
    api.gil_release(lock)


_adapters: dict[tuple, Adapter] = {}


def adapter(kernel: Kernel, parallel: bool, kinds: tuple) -> Adapter:
    """The adapter of a kernel, serial or parallel, for operands of these types; always the same one. Not made yet."""
    key = kernel, parallel, kinds
    if key not in _adapters:
        _adapters[key] = Adapter(kernel, parallel, kinds)
    return _adapters[key]


def _description_of(kind) -> list | None:
    """An operand's type: data type and dimensions of an array, None for a whole number."""
    return [str(kind.dtype), kind.ndim] if isinstance(kind, types.Array) else None


def _kind_of(description: list | None):
    """The type of which `_description_of` made this."""
    if description is None:
        return types.int64
    dtype, dimensions = description
    return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C")


def described(description: list, kernels: Mapping[str, Kernel]) -> Adapter:
    """The adapter of a description, one of these kernels."""
    name, parallel, kinds = description
    return adapter(kernels[name], parallel, tuple(map(_kind_of, kinds)))
