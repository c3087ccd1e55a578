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
from fastnn_kernels._tuning import ELEMENT, MULTIPLY_ADD, PARALLEL_FROM, TRANSCENDENTAL


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
        return self.run(self.reference, tuple(_wide(a) for a in args))

    def bytes(self, args: tuple) -> int:
        """Memory that one call must at least read or write."""
        return sum(a.nbytes for a in self.touched(args) if isinstance(a, np.ndarray))


def _wide(a):
    return a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a


def _named(*shapes):
    return {"x".join(map(str, shape)): shape for shape in shapes}


def _edges(odd, cost, row_work, shape, fixed=0):
    """The odd sizes, and three around the threshold: `shape(rows)` costs `cost` · (`fixed` + rows · `row_work`)."""
    rows = math.ceil((PARALLEL_FROM / cost - fixed) / row_work)
    around = {f"threshold{d:+d}" if d else "threshold": shape(rows + d) for d in (-1, 0, 1)}
    return odd | around


_PAIRS = _named((0, 5), (1, 1), (2, 3), (3, 16), (4, 17), (5, 15), (7, 31), (13, 33), (17, 64))
_TRIPLES = _named(
    *[(0, 3, 5), (1, 1, 1), (3, 0, 5), (3, 5, 0), (4, 16, 16), (5, 17, 15), (3, 15, 17), (7, 13, 11), (13, 4, 33)]
)
_ROWS = {"trigram-scores": (200, 250), "mnist-hidden": (200, 1024)}
_PRODUCTS = {
    "trigram-hidden": (200, 96, 256),
    "trigram-scores": (200, 256, 250),
    "mnist-mlp": (200, 784, 200),
    "moons": (32, 16, 16),
}
_GATHERS = {"trigram": (200, 3, 250, 32)}
_PARAMETERS = {"trigram": (101_376,), "small": (1_000,)}


def _row(name, outputs, inputs, shapes, bench, *, flops=lambda shape: 0, terms=lambda shape: 1, touched=lambda a: a):
    made = (getattr(kernels, name), getattr(reference, name))
    return name, Entry(*made, outputs, inputs, shapes, bench, flops, terms, touched)


def _activation(name):
    shapes = _edges(_PAIRS, TRANSCENDENTAL, 64, lambda r: (r, 64))
    yield _row(f"{name}_forward", 1, _inputs.forward, shapes, _ROWS)
    inputs = _inputs.backward(getattr(reference, f"{name}_forward"))
    yield _row(f"{name}_backward", 1, inputs, shapes, _ROWS)


def _product(name, dims, terms, threshold):
    shapes = _edges(_TRIPLES, MULTIPLY_ADD, 64 * 64, threshold)
    return _row(name, 1, _inputs.product(*dims), shapes, _PRODUCTS, flops=lambda s: 2 * math.prod(s), terms=terms)


def _gathered(args):
    out, source, ids, *_ = args  # of the source, as many bytes as of the output
    return out, out, ids


def _rows():
    for name in ("relu", "leaky_relu", "tanh", "sigmoid"):
        yield from _activation(name)

    rows = _edges(_PAIRS, TRANSCENDENTAL, 64, lambda r: (r, 64))
    yield _row("softmax_forward", 1, _inputs.forward, rows, _ROWS, terms=lambda s: s[1])
    yield _row("softmax_cross_entropy", 3, _inputs.cross_entropy, rows, _ROWS, terms=lambda s: s[1])

    rows = _edges(_PAIRS, ELEMENT, 64, lambda r: (r, 64))
    yield _row("bias_forward", 1, _inputs.bias_forward, rows, _ROWS, flops=math.prod)
    yield _row("bias_backward", 1, _inputs.bias_backward, rows, _ROWS, flops=math.prod, terms=lambda s: s[0])

    yield _product("matmul", ("mn", "mk", "kn"), lambda s: s[1], lambda r: (r, 64, 64))
    yield _product("matmul_xt", ("kn", "mk", "mn"), lambda s: s[0], lambda r: (r, 64, 64))
    yield _product("matmul_wt", ("mk", "mn", "nk"), lambda s: s[2], lambda r: (r, 64, 64))
    columns = _edges(_PAIRS, ELEMENT, 64, lambda r: (64, r))
    yield _row("transpose", 1, _inputs.transpose, columns, {"trigram": (256, 250)})

    odd = _named((0, 3, 5, 4), (1, 1, 1, 1), (4, 0, 3, 5), (13, 1, 31, 17), (5, 3, 7, 5), (7, 2, 2, 16))
    shapes = _edges(odd, ELEMENT, 3 * 16, lambda r: (r, 3, 10, 16))
    yield _row("embedding_forward", 1, _inputs.embedding_forward, shapes, _GATHERS, touched=_gathered)
    shapes = _edges(odd, ELEMENT, 3 * 16, lambda r: (r, 3, 10, 16), fixed=10 * 16)
    args = {"flops": lambda s: s[0] * s[1] * s[3], "terms": lambda s: s[0] * s[1]}
    yield _row("embedding_backward", 1, _inputs.embedding_backward, shapes, _GATHERS, **args)
    groups = {name: shape[:3] for name, shape in odd.items()} | {"no ids, no rows": (0, 2, 0)}
    yield _row("group_by_row", 2, _inputs.group, groups, {"trigram": (200, 3, 250)})

    bench, flops = {"trigram": (200, 3, 32)}, math.prod
    shapes = _edges(_TRIPLES, ELEMENT, 3 * 16, lambda r: (r, 3, 16))
    yield _row("sum_forward", 1, _inputs.sum_forward, shapes, bench, flops=flops, terms=lambda s: s[1])
    yield _row("sum_backward", 1, _inputs.sum_backward, shapes, bench)

    odd = _named((0, 5, 3), (0, 0, 3), (1, 1, 1), (5, 3, 16), (7, 31, 17), (13, 2, 0))
    shapes = _edges(odd, ELEMENT, 16, lambda r: (r, 31, 16))
    bench = {"mnist": (200, 10_000, 784), "trigram": (200, 372_500, 3)}
    yield _row("gather_rows", 1, _inputs.gather, shapes, bench, touched=_gathered)
    shapes = _named((0, 1), (1, 1), (2, 2), (3, 3), (5, 7), (17, 17), (31, 64), (33, 65), (8, 372_500))
    yield _row("permuted_indices", 1, _inputs.permuted, shapes, {"trigram": (200, 372_500)})
    vectors = _named((0,), (1,), (3,), (17,), (64,))
    yield _row("sequential_indices", 1, _inputs.sequential, vectors, {"trigram": (200,)})
    yield _row("advance_cursor", 1, _inputs.advance, vectors, {"trigram": (200,)})
    yield _row("record_step", 3, _inputs.record, vectors, {"trigram": (200,)}, terms=lambda s: s[0])

    shapes = _edges(vectors, ELEMENT, 1, lambda r: (r,))
    yield _row("sgd_update", 1, _inputs.update(2, [0.15]), shapes, _PARAMETERS, flops=lambda s: 2 * s[0])
    shapes = _edges(vectors, 2 * ELEMENT, 1, lambda r: (r,))
    for name, flops in (("momentum_update", 4), ("nesterov_update", 6)):
        made = _inputs.update(3, [0.15, 0.85])
        yield _row(name, 2, made, shapes, _PARAMETERS, flops=lambda s, flops=flops: flops * s[0])


REGISTRY: dict[str, Entry] = dict(_rows())
