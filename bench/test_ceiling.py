"""The limits of the machine, as rows beside the kernels: `pytest bench/test_ceiling.py --benchmark-only`."""

import numba
import pytest

from bench.ceiling import limits
from fastnn_kernels._jit import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="limits are measured by compiled loops")


@pytest.mark.benchmark(group="limits of this machine")
def test_limits(benchmark, whole_machine):
    """One row; its figures stand in extra_info, named like 'float32 GFLOP/s, 2 threads'."""
    found = benchmark.pedantic(limits, rounds=1)
    info = {f"{dtype} GFLOP/s, {threads} threads": value for (dtype, threads), value in found.flops.items()}
    info |= {f"{dtype} GFLOP/s in a tile, {threads} threads": value for (dtype, threads), value in found.tile.items()}
    info |= {f"{level} GB/s, {threads} threads": value for (level, threads), value in found.bandwidth.items()}
    info |= {"empty parallel region us": found.region, "barrier us": found.barrier} | {
        f"{level} bytes": size for level, size in found.sizes.items()
    }
    benchmark.extra_info |= info
    every = numba.get_num_threads()
    assert found.flops["float32", 1] > found.flops["float64", 1]  # twice as many numbers in a vector
    assert found.bandwidth["L1", 1] > found.bandwidth["L2", 1]
    assert found.bandwidth["L2", every] > found.bandwidth["memory", every]
