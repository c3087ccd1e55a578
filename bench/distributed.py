"""Training on several ranks: what an exchange costs on this machine's MPI, and what that means for larger clusters.

    python -m bench.distributed             # everything; needs mpi4py and an MPI
    python -m bench.distributed --only overhead

Each figure is of processes of their own, in turns: one process on all threads, one rank, and two ranks of one thread
each; medians over the rounds. `forecast` is arithmetic alone: the time of a step on N machines is its computation
there and the exchange of its bytes, by a latency and a bandwidth.
"""

import argparse
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import fastnn as fn
from fastnn.ranks.sums import FlatSum

ROUNDS = 5
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)  # bytes of an exchange
# Assumptions of the forecast, of a message: seconds that it takes at least, bytes a second.
NETWORKS = {"10 Gbit/s, 20 µs": (20e-6, 10e9 / 8), "100 Gbit/s, 2 µs": (2e-6, 100e9 / 8)}
RANKS = (2, 10, 100, 1_000)


def trigram():
    layers = [fn.Embedding(250, 32), fn.Flatten(), fn.Dense(256, "sigmoid"), fn.Dense(250)]
    return fn.Sequential(layers, input_shape=(3,)), fn.SGD(0.05, 0.9), 250


def words():
    layers = [fn.Embedding(50_000, 64, sparse=True), fn.Flatten(), fn.Dense(128, "relu")]
    return fn.Sequential([*layers, fn.SampledSoftmax(50_000, samples=512)], input_shape=(3,)), fn.Adam(1e-3), 50_000


def cnn():
    layers = [fn.Conv2D(16, 3, "relu"), fn.MaxPool2D(2), fn.Conv2D(32, 3, "relu"), fn.MaxPool2D(2), fn.Flatten()]
    return fn.Sequential([*layers, fn.Dense(64, "relu"), fn.Dense(10)], input_shape=(28, 28, 1)), fn.SGD(0.05, 0.9), 10


# What makes the net, its optimizer and the number of its classes; samples of a step, and of an epoch.
NETS = {"trigram": (trigram, 2_000, 40_000), "50,000 words": (words, 2_000, 40_000), "CNN": (cnn, 256, 5_120)}


def data_of(model, classes, count):
    """Random samples: speed does not depend on them, but for words, whose ids are as frequent as in texts."""
    rng, network = np.random.default_rng(0), model.network
    ids = network.id_count(next(iter(network.graph.inputs)))
    shape = (count, *network.input_shape)
    draw = lambda size: np.minimum(rng.zipf(1.3, size) - 1, classes - 1)  # noqa: E731
    x = rng.standard_normal(shape, np.float32) if ids is None else draw(shape).astype(np.int32)
    return x, (rng.integers(0, classes, count) if ids is None else draw(count)).astype(np.int32)


def train(net, batch=None):
    """Print the samples of a second of a training: the median of its epochs, but for the first."""
    make, usual, count = NETS[net]
    model, optimizer, classes = make()
    x, y = data_of(model, classes, count)
    history = model.fit(x, y, optimizer=optimizer, batch_size=batch or usual, epochs=6, verbose=False)
    return statistics.median(history["samples_per_second"][1:])


def exchange(group):
    """Seconds of the sum of so many bytes over all ranks: medians."""
    found = []
    for size in SIZES:
        one, seconds = FlatSum(group, [np.ones(size // 4, np.float32)]), []
        for _ in range(50):
            group.communicator.collect(None)
            begin = time.perf_counter()
            one.add()
            seconds.append(time.perf_counter() - begin)
        found.append(statistics.median(seconds))
    return found


def part(given):
    """What one process does."""
    if given.part == "alone":
        print(train(given.net, given.batch))
        return
    with fn.distributed(sync_every=given.sync_every) as group:
        told = exchange(group) if given.part == "exchange" else train(given.net, given.batch)
        if group.rank == 0:
            print(*(told if isinstance(told, list) else [told]))


def run(ranks, threads, part, net="trigram", batch=None, sync_every=1):
    """The numbers that a part prints, run by so many ranks (0: without mpiexec) on so many threads each."""
    beside = Path(sys.executable).with_name("mpiexec")
    launch = (
        [str(beside) if beside.exists() else shutil.which("mpiexec") or "mpiexec", "-n", str(ranks)] if ranks else []
    )
    command = [*launch, sys.executable, "-m", "bench.distributed", "--part", part, "--net", net]
    command += ["--sync-every", str(sync_every), *(["--batch", str(batch)] if batch else [])]
    settings = os.environ | {"OMP_NUM_THREADS": str(threads)}
    told = subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in told.split()]


def overhead(rounds, nets):
    """One rank, or two of one thread each, against one process on two threads."""
    for net, batch in nets:
        kinds = {"one process, 2 threads": (0, 2, "alone"), "one rank, 2 threads": (1, 2, "train")}
        kinds |= {"one process, 1 thread": (0, 1, "alone"), "two ranks, 1 thread": (2, 1, "train")}
        found = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, how in kinds.items():
                found[kind] += run(*how, net=net, batch=batch)
        first = found["one process, 2 threads"]
        for kind, speeds in found.items():
            ratio = statistics.median(mine / its for mine, its in zip(speeds, first, strict=True))
            print(f"{net}, batch {batch}, {kind}: {statistics.median(speeds):,.0f} samples/s, {ratio:.2f} of the first")


def messages(rounds):
    """The seconds of an exchange by two ranks, and the latency and the bandwidth that they fit."""
    found = [statistics.median(one) for one in zip(*(run(2, 1, "exchange") for _ in range(rounds)), strict=True)]
    for size, seconds in zip(SIZES, found, strict=True):
        print(f"{size:>10,} bytes: {seconds * 1e6:,.0f} µs")
    print(f"latency {found[0] * 1e6:.0f} µs, bandwidth {SIZES[-1] / found[-1] / 1e9:.2f} GB/s of summed gradients")


def bytes_of(net):
    """The bytes that a rank sends in a step of a net: of gradients summed whole, and of rows that occur."""
    make, batch, _ = NETS[net]
    model, _, classes = make()
    whole = sum(array.nbytes for name, array in model.parameters.items() if len(array) < 4096)
    x, y = data_of(model, classes, batch)
    rows = 0
    if whole < model.parameters.nbytes / 2:
        width = [array.shape[1] for array in model.parameters.values() if array.ndim == 2 and len(array) >= 4096]
        rows = len(np.unique(x)) * 4 * width[0] + (len(np.unique(y)) + 512) * 4 * (width[1] + 1)
    return whole, rows


def seconds_of(ranks, whole, rows, latency, bandwidth):
    """The exchange of a step: two messages of the dense part, of which each rank sums a share; all rows go to all."""
    dense = 2 * latency * math.log2(ranks) + 2 * whole * (ranks - 1) / ranks / bandwidth
    return dense + (latency * math.log2(ranks) * 2 + rows * (ranks - 1) / bandwidth if rows else 0)


def forecast(speeds):
    """The share of the time that machines compute: each on a batch of its own, or all on parts of one batch."""
    for net, speed in speeds.items():
        whole, rows = bytes_of(net)
        compute = NETS[net][1] / speed
        print(f"{net}: {compute * 1e3:.2f} ms a step of {NETS[net][1]}; {whole:,} bytes whole, {rows:,} bytes of rows")
        for name, network in NETWORKS.items():
            for kind, parts in (("a batch each", dict.fromkeys(RANKS, 1)), ("one batch", {n: n for n in RANKS})):
                seconds = {n: compute / part for n, part in parts.items()}
                sent = {n: seconds_of(n, whole, rows / parts[n], *network) for n in RANKS}
                told = ", ".join(f"{n:,}: {seconds[n] / (seconds[n] + sent[n]):.0%}" for n in RANKS)
                print(f"    {name}, {kind}: {told}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["overhead", "messages", "forecast"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--net", default="trigram", help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sync-every", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        part(given)
        return
    if given.only in (None, "messages"):
        messages(given.rounds)
    if given.only in (None, "overhead"):
        usual = [("trigram", 2_000), ("trigram", 200), ("50,000 words", 2_000), ("CNN", 256)]
        overhead(given.rounds, [(given.net, given.batch)] if given.batch else usual)
    if given.only in (None, "forecast"):
        forecast({net: statistics.median(run(0, 2, "alone", net)[0] for _ in range(3)) for net in NETS})


if __name__ == "__main__":
    main()
