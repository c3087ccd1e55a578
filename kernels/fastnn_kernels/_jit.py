"""The one place that spells Numba's options.

`@kernel` compiles one body twice: a serial twin, in which `prange` is `range`, and a parallel one.
`@inline` is for the scalar and row helpers that kernels call.
"""

import types
from collections.abc import Callable

import numba
from numba.core import config

from fastnn_kernels._cache import SourceStampedCache

# contract: a*b + c becomes one fused multiply-add. nsz: the sign of zero does not matter.
# Not reassoc: it folds the rounding trick of a polynomial exp (8 million ulp off) and makes the
# variants of one kernel differ in their last bits. Not nnan, ninf: NaN must survive.
OPTIONS = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}

JIT = not config.DISABLE_JIT


def _renamed(function, suffix: str):
    """A copy under another qualified name: Numba derives symbol names from it, the cache file names."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__ + suffix, function.__defaults__, function.__closure__
    )
    copy.__qualname__ = function.__qualname__ + suffix
    copy.__module__ = function.__module__
    copy.__doc__ = function.__doc__
    return copy


def compiled(function, *, parallel=False, cached=True):
    """`function` under the house's options, compiled on first call, cached on disk if `cached`."""
    if not JIT:
        return function
    dispatcher = numba.njit(function, parallel=parallel, **OPTIONS)
    if cached:
        dispatcher._cache = SourceStampedCache(f"{function.__module__}.{function.__qualname__}")
    return dispatcher


def inline(function):
    """A helper that kernels call. Not cached: its code lives inside its callers'."""
    return numba.njit(function, **OPTIONS) if JIT else function


def always_inline(function):
    """A helper so long that LLVM would leave it a call, which keeps the loop around it from vectorising."""
    return numba.njit(function, forceinline=True, **OPTIONS) if JIT else function


def rounded(function):
    """A helper whose products are rounded before anything is added to them.

    In a sum of two products either may be fused with the addition: the compiler's choice, and another one in a
    vectorised loop than in its remainder. Computing one of them here leaves no choice.
    """
    options = OPTIONS | {"fastmath": {"nsz"}}
    return numba.njit(function, **options) if JIT else function


class Kernel:
    """A loop on raw arrays, in two twins made from one body.

    name      what tables, tests and benchmarks call it
    outputs   how many leading arguments it writes, in place or from nothing
    per_sample  whether row i of what it writes depends on row i of its batched inputs alone
    body      the plain Python function; what runs with NUMBA_DISABLE_JIT=1
    serial    the twin that runs on the calling thread
    parallel  the twin whose `prange` loops are shared among threads; `serial` where the body has none
    cached    whether its code is kept on disk: not for loops around a user's own functions, whose source has no stamp
    work      (*args) -> number of innermost operations, by which the serial or parallel twin is chosen
    """

    def __init__(
        self,
        body: Callable,
        work: Callable[..., float] | None,
        cached: bool = True,
        outputs: int = 1,
        per_sample: bool = False,
    ):
        self.name = body.__name__
        self.body = body
        self.work = work
        self.outputs = outputs
        self.per_sample = per_sample
        self.cached = cached
        self.__doc__ = body.__doc__
        self.serial = compiled(_renamed(body, "__serial"), cached=cached)
        self.parallel = compiled(_renamed(body, "__parallel"), parallel=True, cached=cached) if work else self.serial

    def twin(self, parallel: bool):
        return self.parallel if parallel else self.serial

    def __repr__(self):
        return f"<kernel {self.name}>"


def kernel(function=None, *, work: Callable[..., float] | None = None, outputs: int = 1, per_sample: bool = False):
    """Declare a kernel. Without `work` it has a serial twin only."""
    if function is None:
        return lambda body: Kernel(body, work, outputs=outputs, per_sample=per_sample)
    return Kernel(function, work)
