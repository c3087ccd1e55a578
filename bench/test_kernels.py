"""Every kernel at the sizes of the systems: checked against its reference, then timed.

`pytest bench/test_kernels.py --benchmark-only`. Each row has dtype, shape and threads, and figures of the
fastest round: GFLOP/s where additions and multiplications are the work, GB/s of the memory that must be touched, and
the percentage of the limit that binds (bench/ceiling.py) for the same dtype and threads.
"""

import numba
import numpy as np
import pytest

from bench.ceiling import limits
from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.tolerances import check

PRODUCTS = ("matmul", "matmul_xt", "matmul_wt")


def _params():
    found = []
    for name, entry in REGISTRY.items():
        for dtype in (np.float32, np.float64) if name in PRODUCTS else (np.float32,):
            for shape in entry.bench:
                for twin in ("serial", "parallel") if JIT and entry.kernel.work else ("serial",):
                    found.append(pytest.param(name, dtype, shape, twin, id=f"{name}-{shape}-{dtype.__name__}-{twin}"))
    return found


def _time(benchmark, function, args, outputs):
    """Many rounds of one call; what the call changes is put back before each, outside the clock."""
    before = [a.copy() for a in args[:outputs]]

    def restore():
        for a, b in zip(args, before, strict=False):
            np.copyto(a, b)
        return args, {}

    benchmark.pedantic(function, setup=restore, rounds=200, warmup_rounds=20)


def _report(benchmark, entry, args, shape, dtype, threads):
    info = benchmark.extra_info
    info.update(dtype=np.dtype(dtype).name, shape=list(shape), threads=threads)
    if benchmark.stats is None:  # --benchmark-disable
        return
    nanoseconds = benchmark.stats.stats.min * 1e9
    if flops := entry.flops(shape):
        info["GFLOP/s"] = round(flops / nanoseconds, 2)
    touched = entry.bytes(args)
    info["GB/s"] = round(touched / nanoseconds, 2)
    if JIT:
        info["% of limit"] = round(100 * _fraction_of_limit(flops, touched, nanoseconds, info["dtype"], threads), 1)


def _fraction_of_limit(flops, touched, nanoseconds, dtype, threads):
    """The fraction of the multiply-add peak; for kernels without flops, of the bandwidth of L2 or memory."""
    if threads == "BLAS":
        threads = numba.get_num_threads()
    if flops:
        return flops / nanoseconds / limits().flops[dtype, threads]
    return touched / nanoseconds / limits().bandwidth_for(touched, threads)


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), _params())
def test_kernel(benchmark, name, dtype, shape, twin):
    entry = REGISTRY[name]
    benchmark.group = f"{name} {shape} {np.dtype(dtype)}"
    size, function = entry.bench[shape], getattr(entry.kernel, twin)
    args = entry.inputs(np.random.default_rng(0), dtype, size)
    check(entry.run(function, args), entry.want(args), entry.terms(size), benchmark.group)
    _time(benchmark, function, args, entry.outputs)
    _report(benchmark, entry, args, size, dtype, numba.get_num_threads() if twin == "parallel" else 1)


def _numpy_matmul(out, x, w):
    np.matmul(x[:, : len(w)], w, out=out)


def _numpy_matmul_xt(dw, x, dout):
    np.matmul(x[:, : len(dw)].T, dout, out=dw)


def _numpy_matmul_wt(dx, dout, wt):
    np.matmul(dout[:, : len(wt)], wt, out=dx)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("shape", REGISTRY["matmul"].bench)
@pytest.mark.parametrize("function", [_numpy_matmul, _numpy_matmul_xt, _numpy_matmul_wt], ids=PRODUCTS)
def test_numpy(benchmark, function, shape, dtype):
    """The same product by NumPy's BLAS, on the same buffers, with as many threads as BLAS takes."""
    name = function.__name__.removeprefix("_numpy_")
    entry = REGISTRY[name]
    benchmark.group = f"{name} {shape} {np.dtype(dtype)}"
    size = entry.bench[shape]
    args = entry.inputs(np.random.default_rng(0), dtype, size)
    check(entry.run(function, args), entry.want(args), entry.terms(size), benchmark.group)
    _time(benchmark, function, args, entry.outputs)
    _report(benchmark, entry, args, size, dtype, "BLAS")
