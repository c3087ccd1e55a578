"""Every kernel at the sizes of the systems: checked against its reference, then timed.

`pytest bench/test_kernels.py --benchmark-only`, with `-m peers` NumPy's products alone. A kernel is compiled before the
clock starts. Each result carries dtype, shape, threads and, of the fastest round: GFLOP/s if the kernel's work is
additions and multiplications, GB/s of the memory that it must read and write, and the shares that this is of the
machine's limits (bench/ceiling.py) for the same dtype and threads; a share above 105 % fails the row.
`python -m bench.report` makes the table.
"""

import time

import numpy as np
import pytest

from bench.ceiling import shares
from bench.machine import blas
from fastnn.engine.threads import usable_threads
from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.tolerances import check

PRODUCTS = ("matmul", "matmul_xt")
SECONDS_A_ROW = 0.2  # of calls on the clock: all kernels together take a minute or two
MOST_ROUNDS, FEWEST_ROUNDS = 200, 7


def _params():
    found = []
    for name, spec in REGISTRY.items():
        for dtype in (np.float32, np.float64) if name in PRODUCTS else (np.float32,):
            for shape in spec.bench:
                for twin in ("serial", "parallel") if JIT and spec.kernel.work else ("serial",):
                    found.append(pytest.param(name, dtype, shape, twin, id=f"{name}-{shape}-{dtype.__name__}-{twin}"))
    return found


def _time(benchmark, function, args, outputs):
    """Rounds of one call. Its outputs are restored before each round, outside the measured time."""
    before = [a.copy() for a in args[:outputs]]

    def restore():
        for a, b in zip(args, before, strict=False):
            np.copyto(a, b)
        return args, {}

    rounds = _rounds(function, restore()[0])
    benchmark.pedantic(function, setup=restore, rounds=rounds, warmup_rounds=max(2, rounds // 10))


def _rounds(function, args):
    """How many calls fill SECONDS_A_ROW, within bounds."""
    begin = time.perf_counter()
    function(*args)
    fitting = int(SECONDS_A_ROW / (time.perf_counter() - begin))
    return min(MOST_ROUNDS, max(FEWEST_ROUNDS, fitting))


def _report(benchmark, name, args, shape, dtype, threads, library="fastnn"):
    info, spec = benchmark.extra_info, REGISTRY[name]
    size = spec.bench[shape]
    info.update(
        kernel=name, sizes=shape, library=library, dtype=np.dtype(dtype).name, shape=list(size), threads=threads
    )
    if benchmark.stats is None:  # --benchmark-disable
        return
    nanoseconds = benchmark.stats.stats.min * 1e9
    info["us"] = nanoseconds / 1e3
    if flops := spec.flops(size):
        info["GFLOP/s"] = round(flops / nanoseconds, 2)
    moved = spec.bytes(args)
    info["GB/s"] = round(moved / nanoseconds, 2)
    if JIT:
        info |= shares(flops, moved, nanoseconds, info["dtype"], threads)


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), _params())
def test_kernel(benchmark, name, dtype, shape, twin):
    spec = REGISTRY[name]
    benchmark.group = f"{name} {shape} {np.dtype(dtype)}"
    size, function = spec.bench[shape], getattr(spec.kernel, twin)
    args = spec.inputs(np.random.default_rng(0), dtype, size)
    check(spec.run(function, args), spec.want(args), spec.terms(size), benchmark.group, spec.precision(args))
    _time(benchmark, function, args, spec.outputs)
    _report(benchmark, name, args, shape, dtype, usable_threads() if twin == "parallel" else 1)


def _numpy_matmul(out, x, w):
    np.matmul(x[:, : len(w)], w, out=out)


def _numpy_matmul_xt(dw, x, dout):
    np.matmul(x[:, : len(dw)].T, dout, out=dw)


@pytest.mark.peers
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("shape", REGISTRY["matmul"].bench)
@pytest.mark.parametrize("function", [_numpy_matmul, _numpy_matmul_xt], ids=PRODUCTS)
def test_numpy(benchmark, function, shape, dtype):
    """The same product by NumPy's BLAS, on the same buffers, with the number of threads that BLAS chooses."""
    name = function.__name__.removeprefix("_numpy_")
    spec = REGISTRY[name]
    benchmark.group = f"{name} {shape} {np.dtype(dtype)}"
    size = spec.bench[shape]
    args = spec.inputs(np.random.default_rng(0), dtype, size)
    check(spec.run(function, args), spec.want(args), spec.terms(size), benchmark.group, spec.precision(args))
    _time(benchmark, function, args, spec.outputs)
    _report(benchmark, name, args, shape, dtype, usable_threads(), "NumPy")
    benchmark.extra_info["blas"] = blas()
