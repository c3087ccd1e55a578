"""One row per kernel: what it is compared with, on which inputs, at which sizes, at what cost.

Tests and benchmarks are loops over `REGISTRY`. A kernel without a row, or a row without a kernel,
fails `tests/kernels/test_registry.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import fastnn_kernels as kernels
from fastnn_kernels import _inputs, reference
from fastnn_kernels._jit import Kernel
from fastnn_kernels._tuning import PARALLEL_FROM


@dataclass(frozen=True)
class Entry:
    """A kernel and all that a test or a benchmark needs to know of it.

    outputs  how many leading arguments are written, in place or from nothing
    inputs   (rng, dtype, shape) -> the full tuple of arguments
    shapes   sizes for tests: 0, 1, primes, one off the tiles, one off the threshold of the parallel twin
    bench    sizes for benchmarks, from the systems of this library
    flops    (shape) -> additions and multiplications; 0 where what counts is memory or a polynomial
    terms    (shape) -> length of the longest sum, on which rounding errors grow
    touched  (args) -> the arrays that are read or written as a whole, for bytes per second
    """

    kernel: Kernel
    reference: Callable
    outputs: int
    inputs: Callable
    shapes: dict[str, tuple]
    bench: dict[str, tuple]
    flops: Callable[[tuple], float]
    terms: Callable[[tuple], int]
    touched: Callable[[tuple], tuple]

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


def _named(*shapes):
    return {"x".join(map(str, shape)): shape for shape in shapes}


def _around_threshold(name, inputs, shape):
    """Three sizes around the point where the parallel twin takes over; work grows linearly with r in `shape(r)`."""
    work = getattr(kernels, name).work
    first, second = (work(*inputs(np.random.default_rng(0), np.float32, shape(r))) for r in (1, 2))
    r = 1 + math.ceil((PARALLEL_FROM - first) / (second - first))
    return {f"threshold{d:+d}" if d else "threshold": shape(r + d) for d in (-1, 0, 1)}


_PAIRS = _named((0, 5), (1, 1), (2, 3), (3, 16), (4, 17), (5, 15), (7, 31), (13, 33), (17, 64))
_TRIPLES = _named(
    *[(0, 3, 5), (1, 1, 1), (3, 0, 5), (3, 5, 0), (4, 16, 16), (5, 17, 15), (3, 15, 17), (7, 13, 11), (13, 4, 33)]
)
_VECTORS = _named((0,), (1,), (3,), (17,), (64,))
_ROWS = {"trigram-scores": (200, 250), "mnist-hidden": (200, 1024)}
_PRODUCTS = {
    "trigram-hidden": (200, 96, 256),
    "trigram-scores": (200, 256, 250),
    "mnist-mlp": (200, 784, 200),
    "moons": (32, 16, 16),
}
_GATHERS = {"trigram": (200, 3, 250, 32)}
_PARAMETERS = {"trigram": (101_376,), "small": (1_000,)}


def _row(name, outputs, inputs, odd, bench, *, around=None, flops=lambda s: 0, terms=lambda s: 1, touched=lambda a: a):
    """`around`: r -> shape, for kernels with a parallel twin."""
    made = (getattr(kernels, name), getattr(reference, name))
    shapes = odd | _around_threshold(name, inputs, around) if around else odd
    return name, Entry(*made, outputs, inputs, shapes, bench, flops, terms, touched)


def _wide(r):
    return r, 64


def _elementwise():
    for name in ("relu", "leaky_relu", "tanh", "sigmoid"):
        yield _row(f"{name}_forward", 1, _inputs.forward, _PAIRS, _ROWS, around=_wide)
        inputs = _inputs.backward(getattr(reference, f"{name}_forward"))
        yield _row(f"{name}_backward", 1, inputs, _PAIRS, _ROWS, around=_wide)
    of_row = {"around": _wide, "terms": lambda s: s[1]}
    yield _row("softmax_forward", 1, _inputs.forward, _PAIRS, _ROWS, **of_row)
    yield _row("softmax_cross_entropy", 3, _inputs.cross_entropy, _PAIRS, _ROWS, **of_row)
    yield _row("bias_forward", 1, _inputs.bias_forward, _PAIRS, _ROWS, around=_wide, flops=math.prod)
    of_column = {"around": _wide, "flops": math.prod, "terms": lambda s: s[0]}
    yield _row("bias_backward", 1, _inputs.bias_backward, _PAIRS, _ROWS, **of_column)


def _products():
    for name, dims, summed in (("matmul", "mn mk kn", 1), ("matmul_xt", "kn mk mn", 0), ("matmul_wt", "mk mn nk", 2)):
        cost = {"flops": lambda s: 2 * math.prod(s), "terms": lambda s, summed=summed: s[summed]}
        inputs = _inputs.product(*dims.split())
        yield _row(name, 1, inputs, _TRIPLES, _PRODUCTS, around=lambda r: (r, 64, 64), **cost)
    yield _row("transpose", 1, _inputs.transpose, _PAIRS, {"trigram": (256, 250)}, around=lambda r: (64, r))


def _gathered(args):
    out, _, ids, *_ = args  # of the source, as many bytes as of the output
    return out, out, ids


def _embedding():
    odd = _named((0, 3, 5, 4), (1, 1, 1, 1), (4, 0, 3, 5), (13, 1, 31, 17), (5, 3, 7, 5), (7, 2, 2, 16))
    size = {"around": lambda r: (r, 3, 10, 16)}
    yield _row("embedding_forward", 1, _inputs.embedding_forward, odd, _GATHERS, touched=_gathered, **size)
    cost = {"flops": lambda s: s[0] * s[1] * s[3], "terms": lambda s: s[0] * s[1]}
    yield _row("embedding_backward", 1, _inputs.embedding_backward, odd, _GATHERS, **size, **cost)
    groups = {name: shape[:3] for name, shape in odd.items()} | {"no ids, no rows": (0, 2, 0)}
    yield _row("group_by_row", 2, _inputs.group, groups, {"trigram": (200, 3, 250)})
    bench, size = {"trigram": (200, 3, 32)}, {"around": lambda r: (r, 3, 16)}
    cost = {"flops": math.prod, "terms": lambda s: s[1]}
    yield _row("sum_forward", 1, _inputs.sum_forward, _TRIPLES, bench, **size, **cost)
    yield _row("sum_backward", 1, _inputs.sum_backward, _TRIPLES, bench, **size)


def _batch():
    odd = _named((0, 5, 3), (0, 0, 3), (1, 1, 1), (5, 3, 16), (7, 31, 17), (13, 2, 0))
    bench = {"mnist": (200, 10_000, 784), "trigram": (200, 372_500, 3)}
    yield _row("gather_rows", 1, _inputs.gather, odd, bench, around=lambda r: (r, 31, 16), touched=_gathered)
    odd = _named((0, 0), (0, 5), (1, 1), (3, 1), (7, 31))
    yield _row("gather_labels", 1, _inputs.gather_labels, odd, {"trigram": (200, 372_500)}, touched=_gathered)
    odd = _named((0, 1), (1, 1), (2, 2), (3, 3), (5, 7), (17, 17), (31, 64), (33, 65), (8, 372_500))
    yield _row("permuted_indices", 1, _inputs.permuted, odd, {"trigram": (200, 372_500)})
    yield _row("sequential_indices", 1, _inputs.sequential, _VECTORS, {"trigram": (200,)})
    yield _row("advance_cursor", 1, _inputs.advance, _VECTORS, {"trigram": (200,)})
    yield _row("record_step", 3, _inputs.record, _VECTORS, {"trigram": (200,)}, terms=lambda s: s[0])


def _updates():
    for name, arrays, rates, flops in (
        ("sgd_update", 2, [0.15], 2),
        ("momentum_update", 3, [0.15, 0.85], 4),
        ("nesterov_update", 3, [0.15, 0.85], 6),
    ):
        inputs, count = _inputs.update(arrays, rates), {"flops": lambda s, flops=flops: flops * s[0]}
        yield _row(name, arrays - 1, inputs, _VECTORS, _PARAMETERS, around=lambda r: (r,), **count)


REGISTRY: dict[str, Entry] = {
    name: entry for family in (_elementwise, _products, _embedding, _batch, _updates) for name, entry in family()
}
