"""Digests of what trainings end in: print them before and after a change that must not change a bit, and compare.

    python -m bench.digests > before.txt          a dozen nets: weights, optimizer state, figures of every step
    python -m bench.digests --quick > before.txt  every system's --quick run: weights, history, metrics

A digest holds for one processor type and one set of versions. Two runs of the same code must agree.
"""

import argparse
import contextlib
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import fastnn as fn
from bench.digest_nets import NETS, OPTIMIZERS, SAMPLES, VALUES
from fastnn.recipes import RECIPES

TIMES = ("seconds", "samples_per_second")


def digest(*arrays) -> str:
    """SHA-256, shortened, over dtype, shape and bytes of each array."""
    total = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()[:16]


def state_of(model, optimizer, x, y) -> str:
    """Everything that a training leaves, in one digest."""
    arrays = [model.parameters[name] for name in model.parameters] + [model.buffers[name] for name in model.buffers]
    arrays += [part for parts in optimizer.state.values() for part in parts.values()]
    arrays += [np.array(values) for values in model.history.steps.values()]
    for epoch in model.history.epochs:
        arrays.append(np.array([float(value) for name, value in epoch.items() if name not in TIMES]))
    arrays.append(model.predict(x))
    arrays.append(np.array(list(model.evaluate(x, y).values())))
    return digest(*arrays)


def net_and_optimizer(net: str, optimizer: str, epochs: int = 3, **fit) -> str:
    model, (x, y) = NETS[net](seed=3)
    opt = OPTIMIZERS[optimizer]()
    settings = {"batch_size": 37, "epochs": epochs, "verbose": False} | fit
    with contextlib.suppress(fn.NonFiniteError):  # then the state from before the step that failed is what counts
        model.fit(x, y, optimizer=opt, **settings)
    return state_of(model, opt, x, y)


def weighted(net: str) -> str:
    by_sample = np.random.default_rng(1).random(SAMPLES)
    return net_and_optimizer(net, "adam", sample_weight=by_sample, class_weight={1: 2.0, 3: 0.5}, validation_split=0.2)


def stopped(net: str) -> str:
    stopping = fn.EarlyStopping("val_loss", 2, restore_best=True)
    slower = fn.ReduceOnPlateau("loss", 0.5, 1)
    return net_and_optimizer(net, "sgd", 8, validation_split=0.3, callbacks=[stopping, slower])


def resumed(net: str, optimizer: str) -> str:
    """Three epochs, then three more from the checkpoint, in another model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.h5"
        net_and_optimizer(net, optimizer, 3, callbacks=[fn.Checkpoint(path)])
        return net_and_optimizer(net, optimizer, 6, callbacks=[fn.Checkpoint(path, resume=True)])


def streamed(net: str, shuffle: bool) -> str:
    """From a file, in chunks; the arrays repeated, so that a file has several blocks."""
    model, (x, y) = NETS[net](seed=3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.h5"
        with h5py.File(path, "w") as file:
            file["x"], file["y"] = np.tile(x, (40, *[1] * (x.ndim - 1))), np.tile(y, 40)
        with fn.H5Stream(path, "x") as xs, fn.H5Stream(path, "y") as ys:
            opt = fn.Adam(0.01)
            model.fit(
                xs, ys, optimizer=opt, batch_size=100, epochs=2, shuffle=shuffle, validation_split=0.1, verbose=False
            )
            return state_of(model, opt, x, y)


def own_loss() -> str:
    loss = fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3)
    model = fn.Sequential([fn.Dense(9, "tanh"), fn.Dense(3)], input_shape=(20,), loss=loss, seed=2)
    opt = fn.SGD(0.01)
    model.fit(*VALUES, optimizer=opt, batch_size=50, epochs=3, verbose=False)
    return state_of(model, opt, *VALUES)


def by_hand() -> str:
    """Gradients of one batch, a step on them, gradient check."""
    model, (x, y) = NETS["deep"](seed=3)
    loss, gradients = model.loss_and_gradients(x, y)
    opt = fn.Adam(0.01, clip_norm=0.1)
    opt.step(model.parameters, gradients)
    errors = fn.check_gradients(model, x[:20], y[:20], entries=3)
    return digest(np.array(loss), *gradients.values(), *model.parameters.values(), np.array(list(errors.values())))


CASES: dict[str, Callable[[], str]] = {
    **{f"{net}, {opt}": lambda net=net, opt=opt: net_and_optimizer(net, opt) for net in NETS for opt in OPTIMIZERS},
    **{
        f"{net}, adam, gradients kept": lambda net=net: net_and_optimizer(net, "adam", callbacks=[fn.GradientNorms(2)])
        for net in NETS
    },
    **{
        f"{net}, momentum, whole batch": lambda net=net: net_and_optimizer(net, "momentum", 7, batch_size=None)
        for net in NETS
    },
    **{
        f"{net}, sgd, whole batch, watched": lambda net=net: net_and_optimizer(
            net, "sgd", 5, batch_size=None, validation_split=0.2
        )
        for net in ("words", "deep")
    },
    **{f"{net}, weighted": lambda net=net: weighted(net) for net in ("words", "deep", "deep sum", "images")},
    **{f"{net}, stopped": lambda net=net: stopped(net) for net in ("words", "images")},
    **{
        f"{net}, {opt}, resumed": lambda net=net, opt=opt: resumed(net, opt)
        for net, opt in (("words", "momentum"), ("deep", "adam"), ("images l2", "adamw"))
    },
    **{f"words, stream, shuffle {s}": lambda s=s: streamed("words", s) for s in (True, False)},
    "images, stream": lambda: streamed("images", True),
    "words, unshuffled": lambda: net_and_optimizer("words", "nesterov", shuffle=False),
    "own loss": own_loss,
    "by hand": by_hand,
}


def nets() -> None:
    for name, case in CASES.items():
        for threads in (1, 2):
            with fn.threads(threads):
                print(f"{name}, {threads} threads: {case()}", flush=True)


def figures_of(folder: Path) -> str:
    """The model's arrays, the history without times, the metrics of every run."""
    with h5py.File(folder / "model.h5") as file:
        arrays = [file[group][name][()] for group in ("parameters", "buffers") for name in sorted(file[group])]
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        rows = [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    told = [rows, summary["metrics"], [(run["label"], run["metrics"]) for run in summary["runs"]], sorted(summary)]
    return digest(*arrays, np.frombuffer(json.dumps(told).encode(), np.uint8))


def quick_runs() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for system in RECIPES:
            out = Path(folder) / system
            command = [
                sys.executable,
                "-m",
                "fastnn",
                "train",
                system,
                "--quick",
                "--compare",
                "all",
                "--out",
                str(out),
            ]
            subprocess.run(command, capture_output=True, check=True)
            print(f"{system}: {figures_of(out)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every system's --quick run instead of the nets")
    quick_runs() if parser.parse_args().quick else nets()
