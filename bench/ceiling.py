"""The limits of this machine, measured in the run; kernels are compared with them.

`python -m bench.ceiling` prints them: multiply-adds of each dtype, bandwidth from the second-level cache and from
memory, each on one thread and on all, and what an empty parallel region costs.
"""

import functools
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

import fastnn as fn

# Each chain waits some four cycles for itself: this many chains keep two units busy on every recent processor.
CHAINS = 16
VECTORS = {types.float32: (ir.FloatType(), 16, "f32"), types.float64: (ir.DoubleType(), 8, "f64")}
ROUNDS = 15  # the best of them counts: the one that was disturbed least
STEPS = 500_000  # a round of each limit lasts a few milliseconds
REGIONS = 2_000
L2_BYTES_A_ROUND = 512 << 20
MEMORY_BYTES = 192 << 20  # several times the size of a last-level cache
L2_FILE = pathlib.Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
L2_GUESS = 1 << 20


@intrinsic
def multiply_adds(typingctx, steps, a, b):
    """A number made by `steps` multiply-adds on each of CHAINS independent 512-bit vectors, all in registers."""
    real, lanes, suffix = VECTORS[a]

    def codegen(context, builder, signature, arguments):
        count, *factors = arguments
        vector = ir.VectorType(real, lanes)
        kind = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{lanes}{suffix}")
        left, right = (_filled(builder, vector, factor) for factor in factors)
        chains = [cgutils.alloca_once_value(builder, ir.Constant(vector, [i / 16] * lanes)) for i in range(CHAINS)]
        with cgutils.for_range(builder, count):
            for chain in chains:
                builder.store(builder.call(fma, [builder.load(chain), left, right]), chain)
        total = functools.reduce(builder.fadd, [builder.load(chain) for chain in chains])
        return builder.extract_element(total, ir.IntType(32)(0))

    return a(types.int64, a, a), codegen


def _filled(builder, vector, number):
    """A vector with `number` in every lane."""
    filled = ir.Constant(vector, ir.Undefined)
    for lane in range(vector.count):
        filled = builder.insert_element(filled, number, ir.IntType(32)(lane))
    return filled


@numba.njit(parallel=True)
def _work(out, steps, factor):
    """Multiply-adds on as many threads as `out` has elements; the factor is below 1, so that no sum grows."""
    for t in prange(out.shape[0]):
        out[t] = multiply_adds(steps, factor, factor)


@numba.njit(parallel=True, fastmath={"contract"})
def _triad(a, b, c, repeats):
    """a = b + r·c, `repeats` times: each row belongs to one thread."""
    for t in prange(a.shape[0]):
        for r in range(repeats):
            s = a.dtype.type(r)
            for i in range(a.shape[1]):
                a[t, i] = b[t, i] + s * c[t, i]


@numba.njit(parallel=True)
def _region(out):
    for t in prange(out.shape[0]):
        out[t] = t


@numba.njit
def _regions(out, count):
    """Parallel regions one after the other, entered from compiled code, as the driver enters them."""
    for _ in range(count):
        _region(out)


def _best(function: Callable, *arguments) -> float:
    """Seconds of the fastest round, after one that compiles and warms up."""
    function(*arguments)
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def peak(dtype: type, threads: int) -> float:
    """Additions and multiplications in registers, 10⁹ a second: GFLOP/s."""
    out = np.zeros(threads, dtype)
    operations = 2 * STEPS * CHAINS * threads * (64 // out.itemsize)
    with fn.threads(threads):
        return operations / _best(_work, out, STEPS, out.dtype.type(0.5)) / 1e9


def bandwidth(total: int, threads: int) -> float:
    """GB/s of the triad over three arrays of `total` bytes together: two read, one written, as STREAM counts."""
    columns = total // (3 * 4 * threads)
    arrays = [np.ones((threads, columns), np.float32) for _ in range(3)]
    repeats = max(1, L2_BYTES_A_ROUND // total)
    moved = repeats * sum(array.nbytes for array in arrays)
    with fn.threads(threads):
        return moved / _best(_triad, *arrays, repeats) / 1e9


def l2_bytes() -> int:
    """The second-level cache of one core, as Linux tells it; elsewhere a common size."""
    try:
        return int(L2_FILE.read_text().strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return L2_GUESS


@dataclass(frozen=True)
class Limits:
    """Ceilings of this machine at the time of the run.

    flops   GFLOP/s by (dtype name, threads)
    triad   GB/s by ("L2" or "memory", threads)
    region  microseconds of an empty parallel region on all threads
    l2      bytes of one core's second-level cache
    """

    flops: dict[tuple[str, int], float]
    triad: dict[tuple[str, int], float]
    region: float
    l2: int

    def bandwidth_for(self, size: int, threads: int) -> float:
        """GB/s at most for arrays of `size` bytes together."""
        return self.triad["L2" if size <= self.l2 * threads else "memory", threads]


@functools.cache
def limits() -> Limits:
    """Measured once a process, within a few seconds, on 1 thread and on all that Numba now uses."""
    every, l2 = numba.get_num_threads(), l2_bytes()
    flops, triad = {}, {}
    for threads in sorted({1, every}):
        for dtype in (np.float32, np.float64):
            flops[np.dtype(dtype).name, threads] = peak(dtype, threads)
        triad["L2", threads] = bandwidth(l2 * threads // 2, threads)
        triad["memory", threads] = bandwidth(MEMORY_BYTES, threads)
    region = 1e6 * _best(_regions, np.zeros(every), REGIONS) / REGIONS
    return Limits(flops, triad, region, l2)


def main() -> None:
    found = limits()
    for (dtype, threads), value in found.flops.items():
        print(f"multiply-adds, {dtype}, {threads} threads: {value:.0f} GFLOP/s")
    for (memory, threads), value in found.triad.items():
        print(f"triad from {memory}, {threads} threads: {value:.0f} GB/s")
    print(f"an empty parallel region: {found.region:.2f} us")


if __name__ == "__main__":
    main()
