"""A small model for tests of sweeps, built here and in other processes, and epochs that are counted."""

import numpy as np

import fastnn as fn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
DATA = (X[:40], Y[:40])
VAL = (X[40:], Y[40:])
GRID = {"hidden": [2, 4], "lr": [0.01, 0.1]}
COMMON = {"epochs": 2, "validation_data": VAL, "verbose": False}

EPOCHS = []  # (name of the model, epoch) of each epoch that was trained in this process


def build(hidden, lr=0.01, seed=0, name=""):
    model = fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dropout(0.2), fn.Dense(2)], input_shape=3, seed=seed)
    model.meta["name"] = f"{name}{hidden} {lr:g} {seed}"
    return model, fn.Adam(lr)


class Counted(fn.Callback):
    """Notes each epoch; copies of it write into the same list."""

    def on_epoch_end(self, run):
        EPOCHS.append((run.model.meta.get("name"), run.epoch))


class Fixed(fn.Callback):
    """Puts a figure into the logs that depends on the settings and the epoch alone."""

    def on_epoch_end(self, run):
        hidden = run.model.network.layers[0].units
        run.logs["val_error"] = abs(hidden - 5) + 1 / run.epoch
