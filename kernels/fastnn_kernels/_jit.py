"""The one place that spells Numba's options.

`@kernel` compiles one body twice: a serial version, in which `prange` is `range`, and a parallel version. The two
are called twins. `@inline` is for the helpers on numbers and rows that kernels call.
"""

import functools
import types
from collections.abc import Callable

import numba
import numba.extending
from numba.core import config
from numba.core.ccallback import CFunc
from numba.core.compiler import Compiler

from fastnn_kernels._compile.cache import SourceStampedCache
from fastnn_kernels._compile.folded import Folded
from fastnn_kernels._compile.linked import Linked

# contract: a*b + c becomes one fused multiply-add. nsz: the sign of zero does not matter.
# Not reassoc: it removes the rounding trick of a polynomial exp (8 million ulp off) and makes the
# versions of one kernel differ in their last bits. Not nnan, ninf: NaN must survive.
# No NRT, which counts references to arrays: kernels allocate nothing, and callers keep the arrays. Numba counted one
# for each slice, by atomic additions: a row of `mse` of 4 outputs took 72 ns, now 6; a step of 4-32-16-4 406 µs, now
# 250 (Zen 5, AVX-512 code).
OPTIONS = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True, "_nrt": False}

JIT = not config.DISABLE_JIT


def renamed(function, suffix: str):
    """A copy under another qualified name, from which Numba makes symbol names and the cache makes file names."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__ + suffix, function.__defaults__, function.__closure__
    )
    copy.__qualname__ = function.__qualname__ + suffix
    copy.__module__ = function.__module__
    copy.__doc__ = function.__doc__
    return copy


def compiled(function, *, parallel=False, cached=True, **options):
    """`function` with OPTIONS: compiled on its first call, kept on disk if `cached`."""
    if not JIT:
        return function
    dispatcher = numba.njit(function, parallel=parallel, **OPTIONS, **options)
    if cached:
        dispatcher._cache = SourceStampedCache(f"{function.__module__}.{function.__qualname__}")
    return dispatcher


class Helper:
    """A function that kernels call: plain Python from Python, compiled into the kernels.

    Numba's dispatcher is made when a kernel is compiled. To make all of them took half of the time of importing the
    kernels, and a kernel that is loaded from disk needs none.
    """

    def __init__(self, function: Callable, options: dict):
        functools.update_wrapper(self, function)
        self.py_func = function  # where Numba, too, has the plain function
        self.targetoptions = options  # where Numba looks whether to inline it before types are inferred

    def __call__(self, *args, **keywords):
        return self.py_func(*args, **keywords)

    @property
    def _numba_type_(self):
        """What Numba asks a value for that is none of its own."""
        return self._dispatcher._numba_type_

    @functools.cached_property
    def _dispatcher(self):
        """Without wrappers for Python, which took a sixth of the compilation: to call it from Python would crash."""
        made = numba.njit(
            self.py_func, no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=Linked, **self.targetoptions
        )
        made._insert = lambda *overload: None
        return made


def _helper(function, **options):
    """`function` for callers that are compiled."""
    return Helper(function, options) if JIT else function


def inline(function):
    """A helper that kernels call. Not cached: its code lives inside its callers'."""
    return _helper(function, **OPTIONS)


def of_user(function):
    """A user's function on numbers, for Python and for kernels: with reference counts, as it may make arrays."""
    return numba.njit(function, **OPTIONS | {"_nrt": True}) if JIT else function


def always_inline(function):
    """A helper that is long: LLVM would not inline it by itself, and a call keeps a loop from being vectorised."""
    return _helper(function, forceinline=True, **OPTIONS)


def view(function):
    """A helper that returns a part of an array.

    It becomes a part of its caller before types are inferred: where references are not counted, Numba lets no function
    return an array but one of its arguments.
    """
    return _helper(function, inline="always", **OPTIONS)


def rounded(function):
    """A helper that rounds its products: none of them is fused with an addition.

    In a sum of two products either may be fused with the addition. The compiler chooses, and may choose otherwise in
    the remainder of a vectorised loop than in its body. If one of the two is computed here, there is no choice.
    """
    return _helper(function, **OPTIONS | {"fastmath": {"nsz"}})


def implementation(of, **options):
    """What compiled code calls in place of the function `of`: declared by a function of the operands' types."""
    return numba.extending.overload(of, jit_options={"pipeline_class": Linked}, **options)


def c_function(function, signature, name: str) -> CFunc:
    """`function` with OPTIONS as a C function whose symbol is `name`, compiled or loaded from disk."""
    function.__qualname__ = name
    made = CFunc(function, (signature.args, signature.return_type), {}, OPTIONS)
    made._cache = SourceStampedCache(name, linkable=False)
    made.compile()
    return made


class Kernel:
    """A loop on raw arrays, compiled in a serial and a parallel version (twins) from one body.

    name        the name of the body, which tables, tests and benchmarks use
    body        the plain Python function; it runs as it is with NUMBA_DISABLE_JIT=1
    serial      the version that runs on the calling thread
    parallel    the version whose `prange` loops are divided among threads; the serial version if `work` is None
    work        (*args) -> estimated nanoseconds on one core: callers choose the serial or the parallel version by it.
                None: the body has no `prange`
    cached      whether the compiled code is kept on disk. Not for loops around a user's own functions: the folder's
                stamp does not cover their source
    outputs     how many leading arguments it writes, from nothing or in place; it writes no other
    per_sample  whether row i of its outputs depends on row i of its batched inputs alone: a batch may be cut anywhere
    operands    names of the arguments
    cut         names of the operands of which a slice of the work gets its own rows; it gets all others whole. The
                work is cut along the samples (`per_sample`) or, in kernels with an operand `offset`, along an axis
                of a parameter. `offset` is the number of the slice's first sample, row or column
    scalar      whether its loops take one number at a time, not vectors: see `_compile.folded`
    compiler    Numba's, or a subclass
    """

    def __init__(
        self,
        body: Callable,
        work: Callable[..., float] | None = None,
        cached: bool = True,
        outputs: int = 1,
        per_sample: bool = False,
        cut: tuple[str, ...] = (),
        scalar: bool = False,
    ):
        self.name = body.__name__
        self.body = body
        self.work = work
        self.outputs = outputs
        self.per_sample = per_sample
        self.cut = cut
        self.operands = body.__code__.co_varnames[: body.__code__.co_argcount]
        self.cached = cached
        self.compiler = Folded if scalar else Compiler
        self.__doc__ = body.__doc__
        self._twins: dict[bool, Callable] = {}

    # Made when they are asked for: to make all took a part of the time of every import, and programs call adapters.
    @functools.cached_property
    def serial(self) -> Callable:
        return self._made(False)

    @functools.cached_property
    def parallel(self) -> Callable:
        return self._made(True) if self.work else self.serial

    def _made(self, parallel: bool) -> Callable:
        """The twin, always the same one, also where two threads ask for it at once."""
        body = renamed(self.body, "__parallel" if parallel else "__serial")
        return self._twins.setdefault(
            parallel, compiled(body, parallel=parallel, cached=self.cached, pipeline_class=self.compiler)
        )

    def twin(self, parallel: bool):
        """The parallel or the serial version."""
        return self.parallel if parallel else self.serial

    def __repr__(self):
        return f"<kernel {self.name}>"


def kernel(body=None, **declared):
    """Declare a kernel, as `@kernel` or as `@kernel(work=..., outputs=..., per_sample=..., cut=...)`: see `Kernel`."""
    return Kernel(body) if body else lambda body: Kernel(body, **declared)
