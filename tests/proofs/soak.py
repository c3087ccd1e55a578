"""A process that trains and predicts for ever does not grow.

\b
    python -m tests.proofs.soak --size 1000000

SIZE steps of small nets, in rounds: `fit` of several kinds, also with callbacks and a stream of batches, steps by hand,
predictions of ever new batch sizes, new models. The first rounds are a warm up: compiling, kept tables, the heap.
Afterwards only the history may grow, by 8 bytes a step and the dict of an epoch: each round throws it away half-way,
by taking a new model, so memory must stay as it is. `--leak 2` keeps two bytes a step on purpose: that must be found.
"""

import ctypes
import gc
import itertools
import sys
import time
from pathlib import Path

import click
import numpy as np

import fastnn as fn

# Tables and Python's own caches differ by so much from round to round.
ALLOWED_BYTES = 128 << 10
BLOCK_BYTES = 64  # about, of what Python's heap has given out
ROUNDS = 20


class Counted(fn.Callback):
    """Writes a figure of its own each epoch, as users do."""

    every = 50

    def on_batch_end(self, run):
        run.logs["seen"] = run.samples_done

    def on_epoch_end(self, run):
        run.logs["own"] = float(run.step)


class Soak:
    """What is kept from round to round: a model that is used again and again, and an optimizer."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.x = self.rng.normal(size=(4000, 8)).astype(np.float32)
        self.y = self.rng.integers(0, 3, 4000)
        self.kept, self.adam = model_of("relu"), fn.Adam(1e-3)
        self.kept.train_on_batch(self.x[:40], self.y[:40], optimizer=self.adam)  # the largest: later ones fit into it

    def round(self, steps):
        """About so many steps of training, and what else users do. Returns how many they were."""
        model, epochs = model_of("tanh"), -(-steps // 2000)
        for optimizer in ("sgd", self.adam):
            model.fit(self.x, self.y, batch_size=4, epochs=epochs, optimizer=optimizer, verbose=False)
        stopping = fn.EarlyStopping("loss", patience=99, restore_best=True)
        some = self.x[:500], self.y[:500]
        model.fit(*some, batch_size=7, verbose=False, callbacks=[Counted(), stopping], validation_data=some)
        batches = [(self.x[i : i + 50], self.y[i : i + 50]) for i in range(0, 1000, 50)]
        model.fit(batches, epochs=2, verbose=False)
        by_hand = max(steps // 100, 10)
        for _ in range(by_hand):
            count = int(self.rng.integers(1, 40))
            self.kept.train_on_batch(self.x[:count], self.y[:count], optimizer=self.adam)
            self.kept.predict(self.x[: int(self.rng.integers(1, 900))])
        self.kept.evaluate(self.x, self.y)
        self.kept.loss_and_gradients(self.x[:9], self.y[:9])
        return 2000 * epochs + 72 + 40 + by_hand


def model_of(activation):
    return fn.Sequential([fn.Dense(6, activation), fn.Dense(3)], input_shape=8)


class _Heap(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [
        *[(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")],
        *[(name, ctypes.c_size_t) for name in ("uordblks", "fordblks", "keepcost")],
    ]


def held():
    """The bytes that this process has asked for and not given back, by malloc and by Python's own heap.

    Unlike the pages that the system has given it, which come and go by megabytes, they do not depend on how the heap
    was cut into pieces.
    """
    gc.collect()
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = _Heap
    heap = ask()
    return heap.uordblks + heap.hblkhd + BLOCK_BYTES * sys.getallocatedblocks()


def resident():
    """The pages that the system has given this process, in bytes."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def allowed_bytes(steps):
    """How much more than at the beginning may be held: far less than a byte a step, in a long run."""
    return ALLOWED_BYTES + steps // 4


def growth(sizes):
    """By how much they grow after their first third, but for the largest step.

    Once in a while Python makes its table of interned strings anew, a megabyte or two; a leak grows in each round.
    """
    steps = [after - before for before, after in itertools.pairwise(sizes[len(sizes) // 3 :])]
    return sum(steps) - max(steps)


def soak(steps, tell=lambda line: None, rounds=ROUNDS, leak=0):
    """How many bytes more are held after the warm up, and how many pages."""
    soaked, done, begin, sizes, pages, leaked = Soak(), 0, time.monotonic(), [], [], []
    for number in range(rounds):
        ran = soaked.round(-(-steps // rounds))
        leaked.append(bytes(leak * ran))
        done += ran
        sizes.append(held())
        pages.append(resident())
        told = f"{sizes[-1] / 1e6:.3f} MB held, {pages[-1] / 1e6:.1f} MB resident"
        tell(f"round {number + 1}: {done:,} steps, {told}, {time.monotonic() - begin:.0f} s")
    return growth(sizes), growth(pages)


@click.command(help=__doc__)
@click.option("--size", default=1_000_000, help="Steps of training.")
@click.option("--leak", default=0, help="Bytes a step that are kept on purpose.")
def main(size, leak):
    grown, pages = soak(size, click.echo, leak=leak)
    click.echo(
        f"held: {grown / 1e3:+.1f} kB, at most {allowed_bytes(size) / 1e3:.1f} kB; resident: {pages / 1e6:+.2f} MB"
    )
    sys.exit(int(grown > allowed_bytes(size)))


if __name__ == "__main__":
    main()
