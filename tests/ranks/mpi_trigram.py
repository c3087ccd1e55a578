"""What ranks of MPI run for `test_mpi`: 100 steps of the trigram net, and what else real processes can show.

mpiexec -n 2 python -m tests.ranks.mpi_trigram FOLDER WHAT
"""

import sys
from pathlib import Path

import numpy as np

import fastnn as fn

STEPS, BATCH, WORDS = 100, 40, 250


def net(dtype):
    layers = [fn.Embedding(WORDS, 8), fn.Flatten(), fn.Dense(16, "sigmoid"), fn.Dense(WORDS)]
    return fn.Sequential(layers, input_shape=(3,), dtype=dtype, seed=1)


def trained(dtype, callbacks=()):
    rng = np.random.default_rng(0)
    count = STEPS * BATCH - 7  # the last batch is shorter
    x, y = rng.integers(0, WORDS, (count, 3)), rng.integers(0, WORDS, count)
    model = net(dtype)
    optimizer = fn.SGD(0.3, momentum=0.9)
    model.fit(x, y, optimizer=optimizer, batch_size=BATCH, callbacks=list(callbacks), verbose=False)
    return model


class Fails(fn.Callback):
    every, everywhere = 10, True

    def __init__(self, rank):
        self.rank = rank

    def on_batch_end(self, run):
        if self.rank == 1:
            raise RuntimeError("a fault of rank 1 alone")


def main(folder, what):
    with fn.distributed() as group:
        for dtype in ("float64", "float32"):
            model = trained(dtype, [Fails(group.rank)] if what == "fail" else [])
            losses = np.array(model.history.steps["loss"])
            file = folder / f"{dtype}-{group.size}-{group.rank}.npz"
            np.savez(file, parameters=model.parameters.flat, losses=losses)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
