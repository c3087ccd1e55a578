"""Trainings that are killed at random moments, again and again, end with the bits of one that never was.

    python -m tests.proofs.kills --size 1000 --seed 0

Each kind of training is one command line, or one script, that is started again until it ends by itself. Each start is a
process of its own, which is killed (SIGKILL) after a time drawn at random. It is forked from this one, where everything
is imported and compiled: so a kill meets the work, on one thread as in every forked process. With --anew it is a Python
of its own with all threads, which takes some seconds more. Pictures are small: drawing takes longer than training here.
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
import traceback
from pathlib import Path

import h5py
import numpy as np

import fastnn as fn
from fastnn.cli import main
from tests.drawings import empty_pictures
from tests.run_bits import arrays_of, rows_of, run_bits

LONGEST = 60.0  # seconds that a start may take before it is called a hang
MOST_KILLS = 50  # of one training; then it may end
RNG = np.random.default_rng(0)
IMAGES, CLASSES = RNG.normal(size=(120, 8, 8, 2)), RNG.integers(0, 3, 120)
IDS, LABELS = RNG.integers(0, 11, (4000, 3)), RNG.integers(0, 11, 4000)


def trigram(folder):
    """The command, two nets side by side."""
    sizes = ["--sizes", "2x8,4x16", "--samples", "10000", "--epochs", "12"]
    return main(["train", "trigram", "--quick", "--compare", "none", *sizes, "--resume", "--out", str(folder / "run")])


def sweep(folder):
    grid = ["--grid", "sizes=2x3,2x4", "--grid", "lr=.1,.2", "--samples", "2000", "--epochs", "8"]
    return main(["sweep", "trigram", "--quick", *grid, "--out", str(folder / "run")])


def halving(folder):
    """A sweep of a model of one's own, whose trials go on from rung to rung."""
    given = {"epochs": 8, "batch_size": 50, "validation_split": 0.25, "verbose": False}
    fn.sweep(
        _words, {"width": [2, 3, 4, 5], "lr": [0.1, 0.4]}, (IDS, LABELS), out=folder / "run", halving=True, **given
    )
    return 0


def _words(width, lr):
    layers = [fn.Embedding(11, width), fn.Flatten(), fn.Dense(11)]
    return fn.Sequential(layers, input_shape=3, seed=1), fn.SGD(lr, momentum=0.8)


def cnn(folder):
    """Convolutions, dropout, batch normalisation, Adam with a schedule, and all that callbacks keep."""
    layers = [fn.Conv2D(4, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten(), fn.Dropout(0.3), fn.Dense(3)]
    model = fn.Sequential(layers, input_shape=(8, 8, 2), seed=1)
    given = {"optimizer": fn.Adam(fn.CosineDecay(0.01, 100)), "batch_size": 7, "epochs": 6}
    return _fit(model, IMAGES, CLASSES, folder, **given)


def stream(folder):
    """A file that is read in shuffled blocks."""
    path = folder / "data.h5"
    if not path.exists():
        with h5py.File(folder / ".data", "w") as file:
            file["x"], file["y"] = IDS, LABELS
        os.replace(folder / ".data", path)
    layers = [fn.Embedding(11, 4), fn.Flatten(), fn.Dense(9, "tanh"), fn.Dense(11)]
    model = fn.Sequential(layers, input_shape=3, seed=1)
    with fn.H5Stream(path, "x") as x, fn.H5Stream(path, "y") as y:
        return _fit(model, x, y, folder, optimizer=fn.SGD(0.1, momentum=0.9), batch_size=40, epochs=3)


def _fit(model, x, y, folder, **settings):
    callbacks = [
        fn.EarlyStopping("loss", patience=50, restore_best=True),
        fn.GradientNorms(5),
        fn.Monitor(20, folder / "monitor.h5"),
        fn.CSVLogger(folder / "history.csv"),
        fn.Checkpoint(folder / "checkpoint.h5", resume=True, every=11),
    ]
    model.fit(x, y, callbacks=callbacks, verbose=False, **settings)
    model.save(folder / "model.h5")
    return 0


def script_bits(folder):
    """What `_fit` leaves: weights, history, what the Monitor saw."""
    records = [{name: np.asarray(v).tobytes() for name, v in r.items()} for r in _monitor(folder / "monitor.h5")]
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    files = [arrays_of(folder / name) for name in ("model.h5", "checkpoint.h5")]
    return *files, rows_of(folder / "history.csv"), records, names


def _monitor(path):
    from fastnn.training.callbacks.monitor import load_monitor

    return load_monitor(path)


def command_bits(folder):
    return run_bits(folder / "run"), sorted(path.name for path in folder.iterdir())


def sweep_bits(folder):
    return rows_of(folder / "run" / "sweep.csv"), sorted(path.name for path in (folder / "run").iterdir())


def halving_bits(folder):
    models = {path.name: arrays_of(path) for path in (folder / "run" / "models").iterdir()}
    return sweep_bits(folder), models


KINDS = {
    "trigram": (trigram, command_bits),
    "cnn": (cnn, script_bits),
    "stream": (stream, script_bits),
    "sweep": (sweep, sweep_bits),
    "halving": (halving, halving_bits),
}


def run(kind, folder):
    """The training, with pictures that are quick to draw; returns its status."""
    with empty_pictures():
        return KINDS[kind][0](folder)


def start(kind, folder, output, *, anew=False):
    """The number of a process that runs a training and ends with its status; what it says is in the file `output`."""
    if anew:
        with open(output, "w", encoding="utf-8") as file:
            command = [sys.executable, "-m", "tests.proofs.kills", "--kind", kind, "--run", str(folder)]
            return subprocess.Popen(command, stdout=file, stderr=file).pid
    return in_child(lambda: run(kind, folder), output)


def in_child(job, output):
    """The number of a forked process that calls `job()` and ends with its status; what it says is in `output`."""
    number = os.fork()
    if number:
        return number
    status = 1
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        status = job()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def end_of(number, seconds):
    """The status of a process; after so many seconds it is killed, and that is −9."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        found, status = os.waitpid(number, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(0.001, max(last - time.monotonic(), 0)))
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def whole(kind, folder, output, anew):
    """The bits of a training that nothing interrupts, and the seconds that it takes."""
    folder.mkdir()
    with (
        open(output, "w", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        status = run(kind, folder)
    assert status == 0, output.read_text("utf-8")
    again, begin = folder.with_name("again"), time.monotonic()
    again.mkdir()
    status = end_of(start(kind, again, output, anew=anew), LONGEST)
    assert status == 0, output.read_text("utf-8")
    return KINDS[kind][1](folder), time.monotonic() - begin


def killed_until_it_ends(kind, folder, output, seconds, drawn, anew):
    """How often the training was killed; AssertionError, with what it said, if it ends with an error or hangs."""
    folder.mkdir()
    for kills in range(MOST_KILLS + 1):
        number = start(kind, folder, output, anew=anew)
        status = end_of(number, drawn.uniform(0, seconds) if kills < MOST_KILLS else LONGEST)
        if status == 0:
            return kills
        assert status == -signal.SIGKILL, (
            f"ended with {status} after {kills} kills: {output.read_text('utf-8')[-1000:]}"
        )
    raise AssertionError(f"hangs after {MOST_KILLS} kills")


def prove(kind, size, seed, *, most=None, anew=False):
    """Kill trainings of one kind at least `size` times in all. Returns (kills, trainings, failures as texts).

    most : seconds after which no further training is begun
    """
    begin, kills, trainings, failures = time.monotonic(), 0, 0, []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        want, seconds = whole(kind, place / "whole", place / "output", anew)
        while kills < size and not (most and time.monotonic() - begin > most):
            drawn = random.Random(f"{kind} {seed} {trainings}")
            folder = place / f"training {trainings}"
            try:
                kills += killed_until_it_ends(kind, folder, place / "output", seconds, drawn, anew)
                assert KINDS[kind][1](folder) == want, "other bits than those of a training never interrupted"
                shutil.rmtree(folder)
            except AssertionError as error:
                kept = shutil.copytree(folder, tempfile.mkdtemp(prefix=f"killed-{kind}-"), dirs_exist_ok=True)
                failures.append(f"{kind}, --seed {seed}, training {trainings}: {error}; its folder: {kept}")
            trainings += 1
    return kills, trainings, failures


def report(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000, help="kills in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append", help="again for a further one; all if not given")
    parser.add_argument("--seconds", type=float, help="begin no further training after so many seconds of a kind")
    parser.add_argument("--anew", action="store_true", help="a Python of its own for each start")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)  # what a start with --anew is asked for
    given = parser.parse_args(arguments)
    if given.run:
        return run(*given.kind, given.run)
    total, failed = 0, []
    kinds = given.kind or list(KINDS)
    for kind in kinds:
        share = -(-given.size // len(kinds))
        kills, trainings, failures = prove(kind, share, given.seed, most=given.seconds, anew=given.anew)
        print(f"{kind:<8} {kills:5} kills of {trainings} trainings, {len(failures)} failures", flush=True)
        total, failed = total + kills, failed + failures
    print(*failed, f"{total} kills, {len(failed)} failures", sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(report())
