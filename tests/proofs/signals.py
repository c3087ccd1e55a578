"""Ctrl-C and SIGTERM end a training at once with a checkpoint, which goes on to the bits of a training not ended.

    python -m tests.proofs.signals --size 40 --seed 0

`size` trainings of a word net and of a net of images, each ended by one of the two signals at a random moment. Printed
is how long `fit` went on after it; more than 250 ms, or than one batch where that takes longer, is a failure. (What
Python and Numba take to end the process comes on top.) Only epochs and signals write checkpoints here: of how many
trainings the file is of the middle of an epoch is printed, too; none at all is a failure.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fastnn.training.models import storage
from tests.proofs.same_bits import NETS, OPTIMIZERS, digest

SECONDS = 0.25
EPOCHS, ROWS = 40, 3000
NUMBERS = (signal.SIGINT, signal.SIGTERM)


def train(name, folder, callbacks=()):
    """Train the net, from its checkpoint if that is there; the digest of its state."""
    import fastnn as fn

    model, x, y = NETS[name](ROWS, 0)
    kept = fn.Checkpoint(Path(folder) / "kept.h5", resume=True)
    settings = {"batch_size": 50, "epochs": EPOCHS, "verbose": False}
    model.fit(x, y, optimizer=OPTIMIZERS["momentum"](), callbacks=[kept, *callbacks], **settings)
    return digest(model.snapshot())


def child(name, folder):
    """A process that trains, and says when it has begun and how long its batches take."""
    import fastnn as fn

    class Tells(fn.Callback):
        every = 1
        before = None
        longest = 0.0

        def on_batch_end(self, run):
            now = time.perf_counter()
            if self.before is not None:
                self.longest = max(self.longest, now - self.before)
            self.before = now
            if run.step == 7 and run.epoch == 0:
                print(self.longest, flush=True)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        train(name, folder, [Tells()])
    finally:
        print(time.perf_counter(), flush=True)  # one clock for all processes


def ended(name, number, wait, folder):
    """(seconds that `fit` went on after the signal, what is wrong or "")"""
    command = [sys.executable, "-m", "tests.proofs.signals", "--child", name, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        batch = float(process.stdout.readline())
        time.sleep(wait)
        begin = time.perf_counter()
        process.send_signal(number)
        status = process.wait()
        told = process.stdout.read()  # nothing, of a process that the signal ended without Python
        seconds = (float(told) if told else time.perf_counter()) - begin
    if status == 0:
        return 0.0, ""  # it had ended
    if status != -number:
        return seconds, f"{name} ended with {status}, expected {-number}"
    return seconds, f"{name} ended after {1e3 * seconds:.0f} ms" if seconds > max(SECONDS, batch) else ""


def is_within(path):
    """Whether a file is there, and of the middle of an epoch."""
    return path.exists() and "position" in storage.read(path).training


def main(size, seed):
    rng, failures, within = np.random.default_rng(seed), [], 0
    taken, want = {number: [] for number in NUMBERS}, {}
    for i in range(size):
        name, number = ("words", "images")[i % 2], NUMBERS[i // 2 % 2]
        if name not in want:
            with tempfile.TemporaryDirectory() as folder:
                want[name] = train(name, folder)
        with tempfile.TemporaryDirectory() as folder:
            seconds, wrong = ended(name, number, rng.uniform(0, 0.5), folder)
            taken[number].append(seconds)
            within += is_within(Path(folder) / "kept.h5")
            if not wrong and train(name, folder) != want[name]:
                wrong = f"{name}: the training that went on has other bits"
            failures += [f"call {i}, {number.name}: {wrong}"] if wrong else []
    for number, seconds in taken.items():
        print(
            f"{number.name}: {len(seconds)} trainings ended, median {1e3 * np.median(seconds):.0f} ms, "
            f"longest {1e3 * max(seconds, default=0):.0f} ms"
        )
    failures += [] if within else ["no checkpoint is of the middle of an epoch"]
    print(f"{within} checkpoints are of the middle of an epoch")
    print(*failures, f"{size} trainings: {len(failures)} failures", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        os.chdir(given.child[1])
        child(*given.child)
    else:
        sys.exit(main(given.size, given.seed))
