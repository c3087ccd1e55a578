"""A sweep of 24 trials on a local Dask cluster of two workers, one of which is killed, beside `jobs=2`.

    python -m bench.sweeps

Each worker has one thread, as each of the two processes has. The worker is killed (SIGKILL) after some trials; its
nanny starts another one. Kernels are compiled, and the workers have imported fastnn, before anything is timed. The
processes of `jobs=2` start anew, as they do for a user: their imports count.
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import fastnn as fn
from tests.search.clusters import cluster

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20_000, 20)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def build(width, seed=0):
    layers = [fn.Dense(width, "tanh"), fn.Dense(width, "tanh"), fn.Dense(2)]
    return fn.Sequential(layers, input_shape=20, seed=seed)


def timed(epochs, **place):
    """Seconds and the result of a sweep of 24 trials."""
    begin = time.monotonic()
    space = {"width": [32, 40, 48, 56, 64, 72, 80, 88]}
    result = fn.sweep(build, space, (X, Y), seeds=3, epochs=epochs, validation_split=0.1, verbose=False, **place)
    seconds, each = time.monotonic() - begin, [row["seconds"] for row in result.rows]
    threads = {row["threads"] for row in result.rows}
    told = f"{sum(each):.1f} s in trials, the longest {max(each):.2f} s, threads {threads}"
    print(f"  {' '.join(place)}: {seconds:.1f} s, {told}", flush=True)
    return seconds, result


def kill_one(client, after):
    """Kill a worker after so many seconds; prints its number."""
    pids = client.run(os.getpid)
    time.sleep(after)
    pid = next(iter(pids.values()))
    os.kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)  # Windows: at once, too
    print(f"  killed worker {pid} after {after:g} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=24, help="of each trial")
    parser.add_argument("--kill-after", type=float, default=3.0, help="seconds")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as (address, _), Client(address) as client:
        client.run(warm)
        for _ in range(given.rounds):
            here, one = timed(given.epochs, jobs=2, threads=2)
            killer = threading.Thread(target=kill_one, args=(client, given.kill_after))
            killer.start()
            there, other = timed(given.epochs, scheduler=client)
            killer.join()
            same = [row["val_loss"] for row in one.rows] == [row["val_loss"] for row in other.rows]
            done = [row["status"] for row in other.rows].count("finished")
            print(f"jobs=2 {here:.1f} s, cluster {there:.1f} s: {there / here:.2f} x; {done} of 24 done, same: {same}")


def warm():
    build(32).fit(X[:100], Y[:100], verbose=False)


if __name__ == "__main__":
    main()
