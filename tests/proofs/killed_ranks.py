"""Trainings of several ranks, one of which is killed at random moments, end with the bits of one that never was.

    python -m tests.proofs.killed_ranks --size 100 --seed 0

A training is `mpiexec -n RANKS python -m tests.proofs.killed_ranks --train FOLDER`: dropout, sample weights, Adam, a
learning rate by schedule, a checkpoint every few steps. After a time drawn at random one of its ranks, drawn at random,
gets SIGKILL; the same command is then started again, until it ends by itself.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fastnn as fn

LONGEST = 120.0  # seconds that a start may take before it is called a hang
MOST_KILLS = 8  # of one training; then it may end
RESULT = "result.npz"


def mpiexec():
    """The command of the MPI that this Python's mpi4py uses: of the packages beside it, else of the system."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def started(ranks, module, *arguments, **given):
    """A process of `mpiexec` that runs a module of the tests."""
    command = [mpiexec(), "-n", str(ranks), sys.executable, "-m", module, *map(str, arguments)]
    settings = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given)


def train(folder):
    """On each rank: train, and on rank 0 leave the result."""
    (folder / f"{os.getpid()}.pid").touch()
    rng = np.random.default_rng(0)
    x, y, weights = rng.standard_normal((3000, 12)), rng.integers(0, 4, 3000), rng.random(3000)
    layers = [fn.Dense(32, "relu"), fn.Dropout(0.2), fn.Dense(4)]
    model = fn.Sequential(layers, input_shape=12, seed=2)
    with fn.distributed() as group:
        kept = fn.Checkpoint(folder / "checkpoint.h5", resume=True, every=40)
        given = {"batch_size": 20, "epochs": 8, "sample_weight": weights, "callbacks": [kept], "verbose": False}
        model.fit(x, y, optimizer=fn.Adam(fn.CosineDecay(0.01, 1000)), **given)
        if group.rank == 0:
            losses = np.array(model.history.steps["loss"])
            np.savez(folder / RESULT, parameters=model.parameters.flat, losses=losses)


def result(folder):
    """The arrays that a training left."""
    with np.load(folder / RESULT) as file:
        return {name: file[name].tobytes() for name in file}


def whole(ranks, folder):
    """The result of a training that nobody kills, and the seconds that it took."""
    folder.mkdir()
    began = time.monotonic()
    process = started(ranks, "tests.proofs.killed_ranks", "--train", folder)
    told = process.communicate(timeout=LONGEST)[0]
    if process.returncode:
        raise RuntimeError(told.decode(errors="replace"))
    return result(folder), time.monotonic() - began


def killed(ranks, folder, seconds, draw):
    """The result of a training that is killed again and again, and how often it was."""
    folder.mkdir()
    kills = 0
    while True:
        pids: list[int] = []
        for left in folder.glob("*.pid"):
            left.unlink()
        process = started(ranks, "tests.proofs.killed_ranks", "--train", folder)
        if kills < MOST_KILLS:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0, 1.1 * seconds))
            pids = [int(path.stem) for path in folder.glob("*.pid")]
            if process.poll() is None and pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(pids), signal.SIGKILL)
                    kills += 1
        told = process.communicate(timeout=LONGEST)[0]
        if process.returncode == 0:
            return result(folder), kills
        if kills >= MOST_KILLS and not pids:
            raise RuntimeError(told.decode(errors="replace"))


def prove(ranks, size, seed):
    """Kill so many times at least; (kills, the failures as lines)."""
    draw, kills, failures, number = random.Random(seed), 0, [], 0
    with tempfile.TemporaryDirectory() as name:
        want, seconds = whole(ranks, Path(name) / "whole")
        while kills < size:
            number += 1
            folder = Path(name) / str(number)
            got, of_this = killed(ranks, folder, seconds, draw)
            kills += of_this
            if got != want:
                failures.append(f"{ranks} ranks, seed {seed}, training {number}, {of_this} kills: other bits")
    return kills, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100, help="how many kills, of each number of ranks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ranks", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(given.train)
        return 0
    total, failed = 0, []
    for ranks in given.ranks:
        kills, failures = prove(ranks, given.size, given.seed)
        print(f"{ranks} ranks: {kills} kills, {len(failures)} failures", *failures, sep="\n  ", flush=True)
        total, failed = total + kills, failed + failures
    print(f"total: {total} kills, {len(failed)} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
