"""What `fit` says that a training takes of memory, beside what a process really takes.

\b
    python -m tests.proofs.memory --size 100

Each case is a process of its own. It trains a small model of the same kinds first, so that compiling does not count,
then a model made for about SIZE megabytes, and compares `run.memory` with how much its peak (VmHWM) has grown.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

import fastnn as fn
from fastnn.common.text import bytes_text
from fastnn.engine.threads import threads, usable_threads
from fastnn.training.callbacks.base import Callback

TOLERANCE = 0.10  # which the issue asks for
NOISE_MB = 4  # of Python itself, of the system's pages: two runs of one case differ by up to 2 MB
# So freed arrays go back to the system at once, and what is measured is what is held.
PROCESS = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def mlp(scale, batch=32, optimizer="adam", samples=2_000, stopping=False, dtype="float32", split=0.0, half=False):
    """A net whose weights are about `scale` megabytes."""
    units = max(int((scale * 1e6 / 4) ** 0.5), 8)
    model = fn.Sequential([fn.Dense(units, "relu"), fn.Dense(10)], input_shape=units, dtype=dtype)
    x = np.zeros((samples, units), np.float16 if half else np.float32)
    return model, (x, np.zeros(samples, int)), _settings(batch, optimizer, stopping) | {"validation_split": split}


def wide_batch(scale, batch=10_000, optimizer="sgd"):
    """A net whose step takes about `scale` megabytes."""
    units = max(int(scale * 1e6 / 4 / batch / 4), 8)
    model = fn.Sequential([fn.Dense(units, "tanh"), fn.Dense(10)], input_shape=20)
    return (
        model,
        (np.zeros((2 * batch + 10, 20), np.float32), np.zeros(2 * batch + 10, int)),
        _settings(batch, optimizer),
    )


def trigram(scale, batch=100, optimizer=None, stopping=False):
    """Word ids, an embedding, a softmax over many words."""
    words, hidden = max(int(scale * 1e6 / 4 / 200), 20), 200
    layers = [fn.Embedding(words, 30), fn.Flatten(), fn.Dense(hidden, "sigmoid"), fn.Dense(words)]
    model = fn.Sequential(layers, input_shape=(3,))
    x = np.zeros((2 * batch + 7, 3), np.int32)
    return model, (x, x[:, 0].copy()), _settings(batch, optimizer or fn.SGD(0.1, momentum=0.9), stopping)


def cnn(scale, batch=64, optimizer="adam"):
    """Images; the batch decides."""
    side = max(int((scale * 1e6 / 4 / batch / 60) ** 0.5), 8)
    layers = [fn.Conv2D(8, 3, activation="relu"), fn.MaxPool2D(2), fn.Conv2D(8, 3), fn.Flatten(), fn.Dense(10)]
    model = fn.Sequential(layers, input_shape=(side, side, 1))
    x = np.zeros((3 * batch, side, side, 1), np.uint8)
    return model, (x, np.zeros(len(x), int)), _settings(batch, optimizer)


def stream(scale, batch=100):
    """Rows that are read while training goes on: far more than a chunk of them."""
    import h5py

    width, rows = 500, max(int(scale * 2e6 / 2000), 200)
    path = Path(tempfile.mkdtemp()) / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (rows, width), "float32", chunks=(min(rows, 100), width), fillvalue=0.5)
    units = max(int(scale * 1e6 / 8000), 8)  # a quarter of the megabytes: more would train for minutes
    model = fn.Sequential([fn.Dense(units, "relu"), fn.Dense(3)], input_shape=width)
    return model, (fn.H5Stream(path, "x"), np.zeros(rows, int)), _settings(batch, "adam") | {"epochs": 1}


def checkpointed(scale, batch=32):
    """A net that is kept on disk, the best parameters too."""
    model, data, settings = mlp(scale, batch, stopping=True, samples=200)
    path = Path(tempfile.mkdtemp()) / "a.h5"
    return model, data, settings | {"callbacks": [*settings["callbacks"], fn.Checkpoint(path)]}


CASES = {
    "mlp, batch 32, adam": (mlp, {}),
    "mlp, batch 1, sgd": (mlp, {"batch": 1, "optimizer": "sgd", "samples": 50}),
    "mlp, batch 1000, momentum": (mlp, {"batch": 1000, "optimizer": fn.SGD(0.1, momentum=0.9)}),
    "mlp, batch 32, adam, best kept": (mlp, {"stopping": True}),
    "mlp, batch 32, adam, float64, validation": (mlp, {"dtype": "float64", "split": 0.1}),
    "mlp, samples of float16, which are copied": (mlp, {"half": True, "samples": 8_000}),
    "mlp, gradients clipped": (mlp, {"optimizer": fn.Adam(1e-3, clip_norm=1.0)}),
    "mlp, state in bfloat16": (mlp, {"optimizer": fn.Adam(1e-3, state_dtype="bfloat16")}),
    "wide batch of 10,000, sgd": (wide_batch, {}),
    "wide batch of 10,000, adam": (wide_batch, {"optimizer": "adam"}),
    "wide batch of 500, sgd": (wide_batch, {"batch": 500}),
    "trigram, batch 100, momentum": (trigram, {}),
    "trigram, batch 5000, adam, best kept": (trigram, {"batch": 5000, "optimizer": "adam", "stopping": True}),
    "cnn, batch 64, adam": (cnn, {}),
    "cnn, batch 1": (cnn, {"batch": 1}),
    "stream": (stream, {}),
    "checkpoints, best kept": (checkpointed, {}),
}  # fmt: skip


def _settings(batch, optimizer, stopping=False):
    kept = [fn.EarlyStopping("loss", restore_best=True)] if stopping else []
    return {"batch_size": batch, "optimizer": optimizer, "epochs": 3, "verbose": False, "callbacks": kept}


class Noted(Callback):
    """Keeps what the training said that it takes."""

    def on_train_begin(self, run):
        self.said = run.memory


def status(field):
    """A figure of this process from /proc, in bytes."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def measured(make, scale, keywords):
    """(what was said without the parameters, by how much the peak grew, the parts), in bytes."""
    _train(make(min(scale, 1), **keywords))
    model, data, settings = make(scale, **keywords)
    said = Noted()
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak begins anew
    before = status("VmRSS")
    _train((model, data, settings | {"callbacks": [*settings["callbacks"], said]}))
    memory = said.said
    return memory.total - memory.parameters, status("VmHWM") - before, memory.parts


def _train(made):
    model, data, settings = made
    model.fit(*data, **settings)


def run_case(name, scale, count):
    """The same, in a process of its own, on so many threads."""
    command = [
        sys.executable,
        "-m",
        "tests.proofs.memory",
        "--case",
        name,
        "--size",
        str(scale),
        "--threads",
        str(count),
    ]
    found = subprocess.run(command, capture_output=True, text=True, env=os.environ | PROCESS, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def is_right(said, grown):
    """Whether what was said is what was taken."""
    return abs(said - grown) <= TOLERANCE * grown + NOISE_MB * 1e6


@click.command(help=__doc__)
@click.option("--size", default=100.0, help="Megabytes of what a case is about.")
@click.option("--only", default="", help="Cases whose name has this in it.")
@click.option("--case", "name", type=click.Choice(list(CASES)), help="This one alone, its figures as JSON.")
@click.option("--threads", "count", default=0, help="With --case; 0: as many as there are.")
def main(size, only, name, count):
    if name:
        make, keywords = CASES[name]
        with threads(count or usable_threads()):
            click.echo(json.dumps(measured(make, size, keywords)))
        return
    wrong = 0
    chosen = [(name, count) for name in CASES if only in name for count in (1, 2)]
    for name, count in chosen:
        said, grown, parts = run_case(name, size, count)
        right = is_right(said, grown)
        wrong += not right
        told = ", ".join(f"{part} {bytes_text(taken)}" for part, taken in parts.items() if taken > 1e5)
        mark = "ok " if right else "BAD"
        click.echo(f"{mark} said {bytes_text(said)}, taken {bytes_text(grown)}: {name}, {count} threads ({told})")
    click.echo(f"{len(chosen)} trainings, {wrong} of them took more or less than was said")
    sys.exit(int(wrong > 0))


if __name__ == "__main__":
    main()
