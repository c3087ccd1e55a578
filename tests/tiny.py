"""Small data and small models that many tests share, and a second Python process to run code in."""

import os
import subprocess
import sys
import sysconfig
import tempfile

import numba
import numpy as np
import pytest

import fastnn as fn
from fastnn_kernels._jit import JIT

THREADS = numba.config.NUMBA_NUM_THREADS  # those that this process may use
jit_only = pytest.mark.skipif(not JIT, reason="about compiled code, or too large for a Python loop")


def _makes_links():
    """Whether this user may make symbolic links: under Windows it is a privilege."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.symlink("there", os.path.join(folder, "link"))
        except OSError:
            return False
    return True


links = pytest.mark.skipif(not _makes_links(), reason="this system lets this user make no symbolic links")
two_threads = pytest.mark.skipif(THREADS < 2, reason="compares one thread with two, and this process may use one")

WORDS = 11


def trigrams(count=40, words=WORDS, seed=0):
    """Word ids (count, 3) and labels (count,) by a rule: the third word's successor if the first is a late word."""
    x = np.random.default_rng(seed).integers(0, words, (count, 3))
    return x, (x[:, 2] + (x[:, 0] >= words // 2)) % words


def tiny_model(*, words=WORDS, width=3, hidden=5, activation="sigmoid", summed=False, std=0.5, seed=0, **keywords):
    """The trigram net in small: embeddings concatenated or summed, one hidden layer, softmax."""
    normal = fn.initializers.Normal(std)
    both = {"initializer": normal, "bias_initializer": normal}
    layers = [
        fn.Embedding(words, width, initializer=normal),
        fn.Sum() if summed else fn.Flatten(),
        fn.Dense(hidden, activation=activation, **both),
        fn.Dense(words, **both),
    ]
    return fn.Sequential(layers, input_shape=(3,), seed=seed, **keywords)


def dense_model(**keywords):
    """A net of numbers, not of words."""
    return fn.Sequential([fn.Dense(4, "tanh"), fn.Dense(3)], input_shape=(5,), **keywords)


def fit(model, count=40, **keywords):
    """Train silently on `trigrams`; returns the model."""
    settings = {"optimizer": fn.SGD(0.3, momentum=0.8), "batch_size": 16, "verbose": False} | keywords
    model.fit(*trigrams(count), **settings)
    return model


def bits(arrays):
    """The bytes of a mapping of arrays: equal only if every bit is."""
    return {name: np.asarray(array).tobytes() for name, array in arrays.items()}


def on_each_number_of_threads(monkeypatch, train, counts=(1, 2, 2)):
    """What `train` returns on so many threads each time, which are used even where that does not pay."""
    monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
    found = []
    for count in counts:
        with fn.threads(count):
            found.append(train())
    return found


class Weights(fn.Callback):
    """Keeps copies of a parameter, one after every so many steps, in `seen`."""

    def __init__(self, name, every):
        self.name, self.every, self.seen = name, every, []

    def on_batch_end(self, run):
        self.seen.append(run.model.parameters[self.name].copy())


class StopAt(fn.Callback):
    """Stops, or fails, after a step or an epoch."""

    def __init__(self, epoch, step=None, error=None):
        self.epoch, self.step, self.error = epoch, step, error
        self.every = step or 0

    def on_epoch_end(self, run):
        if self.step is None:
            self._end(run, run.epoch)

    def on_batch_end(self, run):
        if self.step == run.step:
            self._end(run, run.epoch + 1)

    def _end(self, run, epoch):
        if epoch == self.epoch:
            if self.error:
                raise self.error
            run.stop("far enough")


class Scripted(fn.Callback):
    """Puts given figures into the logs, before the callbacks after it look."""

    def __init__(self, **figures):
        self.figures = figures

    def on_epoch_end(self, run):
        run.logs |= {name: values[run.epoch - 1] for name, values in self.figures.items()}


class Clock:
    """A clock in the place of the module `time`: it stands at `now` until a test moves it."""

    now = 1000.0

    def monotonic(self):
        return self.now


def shown(path):
    """A path as messages show it: by `repr`, which doubles the backslashes that paths of Windows have."""
    return repr(os.fspath(path))[1:-1]


def is_imitated():
    """Whether this Python imitates Windows (`tests/imitated`): there is no other with this name under Linux."""
    return os.name == "nt" and sysconfig.get_platform().startswith("linux")


def environment(**changes):
    """The environment of a further Python process that imports what this one can."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | changes


def python(code, *, arguments=(), **changes):
    """What `code` prints in a process of its own; the test fails with its stderr if it does not end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr}"
    return done.stdout
