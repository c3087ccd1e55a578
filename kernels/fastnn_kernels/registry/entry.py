"""A row of the registry, and the sizes that families of kernels share."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import fastnn_kernels as kernels
from fastnn_kernels import reference
from fastnn_kernels._jit import Kernel
from fastnn_kernels._tuning import PARALLEL_FROM


@dataclass(frozen=True)
class Entry:
    """A kernel and all that a test or a benchmark needs to know of it.

    inputs   (rng, dtype, shape) -> the full tuple of arguments
    shapes   sizes for tests: 0, 1, primes, one off the tiles, one off the threshold of the parallel twin
    bench    sizes for benchmarks, from the systems of this library
    flops    (shape) -> additions and multiplications; 0 where what counts is memory or a polynomial
    terms    (shape) -> length of the longest sum, on which rounding errors grow
    touched  (args) -> the arrays that are read or written as a whole, for bytes per second
    """

    kernel: Kernel
    reference: Callable
    inputs: Callable
    shapes: dict[str, tuple]
    bench: dict[str, tuple]
    flops: Callable[[tuple], float]
    terms: Callable[[tuple], int]
    touched: Callable[[tuple], tuple]

    @property
    def outputs(self) -> int:
        """How many leading arguments are written, in place or from nothing."""
        return self.kernel.outputs

    def run(self, function: Callable, args: tuple) -> list[np.ndarray]:
        """The outputs of `function` (a twin, the reference) on a copy of `args`."""
        args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
        with np.errstate(all="ignore"):  # NaN and infinity are inputs like any other
            function(*args)
        return list(args[: self.outputs])

    def want(self, args: tuple) -> list[np.ndarray]:
        """The outputs of the reference, in float64 from the start."""
        return self.run(self.reference, tuple(_float64(a) for a in args))

    def bytes(self, args: tuple) -> int:
        """Memory that one call must at least read or write."""
        return sum(a.nbytes for a in self.touched(args) if isinstance(a, np.ndarray))


def _float64(a):
    return a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a


def named(*shapes):
    return {"x".join(map(str, shape)): shape for shape in shapes}


def _around_threshold(name, inputs, shape):
    """Three sizes around the point where the parallel twin takes over; work grows linearly with r in `shape(r)`."""
    work = getattr(kernels, name).work
    first, second = (work(*inputs(np.random.default_rng(0), np.float32, shape(r))) for r in (1, 2))
    r = 1 + math.ceil((PARALLEL_FROM - first) / (second - first))
    return {f"threshold{d:+d}" if d else "threshold": shape(r + d) for d in (-1, 0, 1)}


def row(name, inputs, odd, bench, *, around=None, flops=lambda s: 0, terms=lambda s: 1, touched=lambda a: a):
    """`around`: r -> shape, for kernels with a parallel twin."""
    made = (getattr(kernels, name), getattr(reference, name))
    shapes = odd | _around_threshold(name, inputs, around) if around else odd
    return name, Entry(*made, inputs, shapes, bench, flops, terms, touched)


def gathered(args):
    """For `touched`: of the source, as many bytes as of the output."""
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
