"""The limits of this machine, measured in the run; kernels are compared with them.

`python -m bench.ceiling` prints them, each on one thread and on all: multiply-adds of each dtype, in registers alone
and by a tile whose operands lie in the first cache; the bandwidth of each cache and of memory; and what an empty
parallel region costs.

The loop in registers is the limit of the processor. The tile also feels a busy neighbour, for example a hyper-thread
of the same core, which takes loads and first cache. So a product's share of the first says what the processor could
still give, and its share of the second what better code around the tile could.
"""

import functools
import math
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

import fastnn as fn
from bench import probes
from fastnn_kernels._products.registers import registers
from fastnn_kernels._run.team import team_words

ROUNDS = 15  # the best of them counts: the one that was disturbed least
STEPS = 500_000  # a round of each limit lasts a few milliseconds
TILES = 5_000
REGIONS = 2_000
MOST = 105.0  # percent of a limit that a kernel may reach: beyond it the limit is wrong
BYTES_A_ROUND = 256 << 20
CACHES = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
LEVELS = {"L1": ("index0", 32 << 10), "L2": ("index2", 1 << 20), "L3": ("index3", 16 << 20)}
SHARED = ("L3", "memory")  # all cores have them together


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
    lanes = probes.REGISTER_BITS[registers()] // (8 * out.itemsize)
    operations = 2 * STEPS * probes.CHAINS * threads * lanes
    with fn.threads(threads):
        return operations / _best(probes.registers_only, out, STEPS, out.dtype.type(0.5)) / 1e9


def tile_peak(dtype: type, threads: int) -> float:
    """GFLOP/s of the largest micro-tile on operands in the first cache; that of registers where there is no tile."""
    if not (run := probes.hot_tile()):
        return peak(dtype, threads)
    out, a, b = probes.tile_operands(dtype, threads)
    operations = 2 * TILES * out.size * a.shape[2]
    with fn.threads(threads):
        return operations / _best(run, out, a, b, TILES) / 1e9


def bandwidth(total: int, threads: int) -> float:
    """GB/s at most of loops over arrays of `total` bytes together: triad, only reading, or only writing."""
    with fn.threads(threads):
        return max(_triad(total, threads), _read(total, threads), _fill(total, threads))


def _triad(total: int, threads: int) -> float:
    """Two arrays are read and one is written; the line that a write first fetches is not counted, as in STREAM."""
    arrays = [np.ones((threads, total // (3 * 4 * threads)), np.float32) for _ in range(3)]
    moved, repeats = _repeats(arrays)
    return moved / _best(probes.triad, *arrays, repeats) / 1e9


def _read(total: int, threads: int) -> float:
    array = np.ones((threads, total // (8 * threads)), np.int64)
    moved, repeats = _repeats([array])
    return moved / _best(probes.read, np.zeros(threads, np.int64), array, repeats) / 1e9


def _fill(total: int, threads: int) -> float:
    array = np.ones((threads, total // (4 * threads)), np.float32)
    moved, repeats = _repeats([array])
    return moved / _best(probes.fill, array, repeats) / 1e9


def _repeats(arrays: list[np.ndarray]) -> tuple[int, int]:
    """(bytes moved in a round, passes over the arrays in a round)"""
    size = sum(array.nbytes for array in arrays)
    repeats = max(1, BYTES_A_ROUND // size)
    return repeats * size, repeats


def barrier(threads: int) -> float:
    """Microseconds of a barrier of a team, of the fastest round in which all threads were there."""
    team = np.zeros(team_words(threads), np.int64)
    with fn.threads(threads):
        probes.barriers(team, threads, 1)
        rounds = [_barriers(team, threads) for _ in range(ROUNDS)]
    return min(rounds)


def _barriers(team: np.ndarray, threads: int) -> float:
    begin = time.perf_counter()
    passed = probes.barriers(team, threads, 10 * REGIONS)
    return 1e6 * (time.perf_counter() - begin) / passed if passed else math.inf


def cache_bytes(level: str) -> int:
    """The size of a cache, as Linux tells it; elsewhere a common size."""
    folder, guess = LEVELS[level]
    try:
        return int((CACHES / folder / "size").read_text("utf-8").strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return guess


@dataclass(frozen=True)
class Limits:
    """Ceilings of this machine at the time of the run.

    flops      GFLOP/s by (dtype name, threads), in registers
    tile       the same, of a tile on operands in the first cache
    bandwidth  GB/s by (level, threads), levels from the first cache to memory
    sizes      bytes of each cache, of one core
    region     microseconds of an empty parallel region on all threads
    barrier    microseconds of a barrier of all threads within a region; infinite where they never ran together
    """

    flops: dict[tuple[str, int], float]
    tile: dict[tuple[str, int], float]
    bandwidth: dict[tuple[str, int], float]
    sizes: dict[str, int]
    region: float
    barrier: float = math.inf

    def seconds_for(self, size: int, threads: int) -> float:
        """The least time in which `size` bytes can be read or written, if each cache is full of them from before.

        The first cache holds a part, the second the next part, and so on: no order of access does better.
        """
        seconds, below = 0.0, 0
        for level in [*LEVELS, "memory"]:
            capacity = self._capacity(level, threads)
            part = max(0, min(size, capacity) - below)
            seconds += part / self.bandwidth[level, threads] / 1e9
            below = max(below, capacity)
        return seconds

    def bandwidth_for(self, size: int, threads: int) -> float:
        """GB/s at most for arrays of `size` bytes together."""
        return size / self.seconds_for(size, threads) / 1e9 if size else math.inf

    def _capacity(self, level: str, threads: int) -> float:
        return math.inf if level == "memory" else self.sizes[level] * (1 if level in SHARED else threads)


def _measured_at(level: str, sizes: dict[str, int], threads: int) -> int:
    """Bytes that lie in `level`: half of a core's own cache, three times what the caches before a shared one hold.

    A shared cache gives less where much of it is used: 69 to 76 GB/s at 16 MB, 93 at the 3 MB of the largest kernels.
    """
    if level == "memory":
        return 6 * max(sizes.values())
    below = max([0, *(size * threads for other, size in sizes.items() if size < sizes[level])])
    return min(3 * below, sizes[level]) if level in SHARED else sizes[level] * threads // 2


@functools.cache
def limits() -> Limits:
    """Measured once a process, within some seconds, on 1 thread and on all that Numba now uses."""
    every = numba.get_num_threads()
    sizes = {level: cache_bytes(level) for level in LEVELS}
    counts = sorted({1, every})
    kinds = [(dtype, threads) for threads in counts for dtype in (np.float32, np.float64)]
    return Limits(
        flops={(np.dtype(dtype).name, threads): peak(dtype, threads) for dtype, threads in kinds},
        tile={(np.dtype(dtype).name, threads): tile_peak(dtype, threads) for dtype, threads in kinds},
        bandwidth={
            (level, threads): bandwidth(_measured_at(level, sizes, threads), threads)
            for threads in counts
            for level in [*LEVELS, "memory"]
        },
        sizes=sizes,
        region=1e6 * _best(probes.regions, np.zeros(every), REGIONS) / REGIONS,
        barrier=barrier(every),
    )


def shares(flops: float, size: int, nanoseconds: float, dtype: str, threads: int) -> dict[str, float]:
    """Percentages of the limits: "% of limit", of the multiply-adds in registers or without `flops` of the bandwidth
    for `size` bytes; and "% of tile", only with `flops`.

    RuntimeError if a share is more than MOST: then a limit is wrong, or what the registry says that the kernel must
    read, and every share with it. Limits that a neighbour
    had disturbed are measured once more before.
    """
    for _ in range(2):
        found = limits()
        if flops:
            rate = flops / nanoseconds
            percent = {"% of limit": rate / found.flops[dtype, threads], "% of tile": rate / found.tile[dtype, threads]}
        else:
            percent = {"% of limit": found.seconds_for(size, threads) * 1e9 / nanoseconds}
        percent = {name: round(100 * share, 1) for name, share in percent.items()}
        if max(percent.values()) <= MOST:
            return percent
        limits.cache_clear()
    raise RuntimeError(f"more than the machine can: {percent} of what bench/ceiling.py measured, {MOST} % at most")


def main() -> None:
    found = limits()
    for dtype, threads in found.flops:
        registers, tile = found.flops[dtype, threads], found.tile[dtype, threads]
        print(f"multiply-adds, {dtype}, {threads} threads: {registers:.0f} GFLOP/s in registers, {tile:.0f} in a tile")
    for (level, threads), value in found.bandwidth.items():
        print(f"{level}, {threads} threads: {value:.0f} GB/s")
    print(f"an empty parallel region: {found.region:.2f} us; a barrier within one: {found.barrier:.2f} us")


if __name__ == "__main__":
    main()
