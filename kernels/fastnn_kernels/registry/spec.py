"""What the registry holds of a kernel, and the sizes that several families use."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import fastnn_kernels as kernels
from fastnn_kernels import reference
from fastnn_kernels._jit import Kernel
from fastnn_kernels._tuning import PARALLEL_FROM


@dataclass(frozen=True)
class KernelSpec:
    """A kernel and all that a test or a benchmark needs to know of it.

    reference  the function of the same name in `fastnn_kernels.reference`
    inputs     (rng, dtype, shape) -> the full tuple of arguments
    shapes     sizes for tests: 0, 1, primes, one off the tiles, one off the threshold of the parallel version
    bench      sizes for benchmarks, from the systems of this library
    flops      (shape) -> number of additions and multiplications; 0 if memory or a polynomial decides the speed
    terms      (shape) -> length of the longest sum: its rounding errors are the largest
    memory_of  (args) -> arrays that together have the bytes that a call must read or write
    rounded    whether float64 outputs are sums of numbers that the kernel itself has rounded to the dtype of the others
    """

    kernel: Kernel
    reference: Callable
    inputs: Callable
    shapes: dict[str, tuple]
    bench: dict[str, tuple]
    flops: Callable[[tuple], float]
    terms: Callable[[tuple], int]
    memory_of: Callable[[tuple], tuple]
    rounded: bool = False

    @property
    def outputs(self) -> int:
        """How many leading arguments the kernel writes."""
        return self.kernel.outputs

    def precision(self, args: tuple) -> np.dtype | None:
        """The dtype by whose rounding errors all outputs are judged; None: each by its own."""
        kinds = (a.dtype for a in args[: self.outputs] if a.dtype.kind == "f")
        return min(kinds, key=lambda kind: kind.itemsize) if self.rounded else None

    def run(self, function: Callable, args: tuple) -> list[np.ndarray]:
        """The outputs of `function` (a version of the kernel, or the reference) on a copy of `args`."""
        args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
        with np.errstate(all="ignore"):  # NaN and infinity are inputs like any other
            function(*args)
        return list(args[: self.outputs])

    def want(self, args: tuple) -> list[np.ndarray]:
        """The outputs of the reference, in float64 from the start."""
        return self.run(self.reference, tuple(_float64(a) for a in args))

    def bytes(self, args: tuple) -> int:
        """How many bytes one call must at least read or write."""
        return sum(a.nbytes for a in self.memory_of(args) if isinstance(a, np.ndarray))


def _float64(a):
    return a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a


def named(*shapes):
    return {"x".join(map(str, shape)): shape for shape in shapes}


def _around_threshold(name, inputs, shape):
    """Three sizes around the least work of the parallel version; work must grow linearly with r in `shape(r)`."""

    def work(r):
        return getattr(kernels, name).work(*inputs(np.random.default_rng(0), np.float32, shape(r)))

    more = (PARALLEL_FROM - work(1)) / (work(2) - work(1))
    r = 1 + math.ceil(more)
    # Rounding decides only here. To make inputs of that size for each kernel took 2 s of every import.
    if abs(more - round(more)) < 1e-6:
        r += work(r) < PARALLEL_FROM
    return {f"threshold{d:+d}" if d else "threshold": shape(r + d) for d in (-1, 0, 1)}


def spec(
    name, inputs, odd, bench, *,
    around=None, flops=lambda s: 0, terms=lambda s: 1, memory_of=lambda a: a, rounded=False,
):  # fmt: skip
    """(name, KernelSpec), for the registry.

    odd     the sizes for tests, by name
    around  r -> shape, for kernels with a parallel version: three sizes around its threshold join those of `odd`
    """
    made = (getattr(kernels, name), getattr(reference, name))
    shapes = odd | _around_threshold(name, inputs, around) if around else odd
    return name, KernelSpec(*made, inputs, shapes, bench, flops, terms, memory_of, rounded)


def gathered(args):
    """For `memory_of`: a gather reads as many bytes of its source as it writes."""
    out, _, ids, *_ = args
    return out, out, ids


def wide(r):
    """A shape of r rows, for `around`."""
    return r, 64


PAIRS = named((0, 5), (1, 1), (2, 3), (3, 16), (4, 17), (5, 15), (7, 31), (13, 33), (17, 64))
TRIPLES = named(
    *[(0, 3, 5), (1, 1, 1), (3, 0, 5), (3, 5, 0), (4, 16, 16), (5, 17, 15), (3, 15, 17), (7, 13, 11), (13, 4, 33)]
)
VECTORS = named((0,), (1,), (3,), (17,), (64,))
ROWS = {"trigram-scores": (200, 250), "mnist-hidden": (200, 1024)}
PRODUCTS = {
    "trigram-hidden": (200, 96, 256),
    "trigram-scores": (200, 256, 250),
    "mnist-mlp": (200, 784, 200),
    "moons": (32, 16, 16),
}
GATHERS = {"trigram": (200, 3, 250, 32)}
PARAMETERS = {"trigram": (101_376,), "small": (1_000,)}
