"""Trainings in threads, in children of every kind, beside other libraries, and ended by signals."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.tiny import bits, fit, jit_only, python, tiny_model

SCRIPT = """
import hashlib, sys
import numpy as np

def train(seed=0):
    import fastnn as fn
    from tests.tiny import tiny_model, trigrams
    model = tiny_model(words=60, width=8, hidden=32, seed=seed)
    model.fit(*trigrams(400, 60), optimizer=fn.SGD(0.15, momentum=0.8), batch_size=150, epochs=2, verbose=False)
    model.predict(trigrams(40, 60)[0])
    return hashlib.sha256(model.parameters.flat.tobytes()).hexdigest()

"""


def run(tmp_path, code, **environment):
    """The last line that a script prints, whose functions other processes can import."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + code, "utf-8")
    paths = os.pathsep.join(filter(None, [str(tmp_path), *sys.path]))
    done = subprocess.run(
        [sys.executable, str(path)], env=os.environ | {"PYTHONPATH": paths} | environment, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr}"
    return done.stdout.splitlines()[-1]


def test_eight_trainings_in_eight_threads():
    want = [bits(fit(tiny_model(seed=seed), epochs=3).parameters) for seed in range(8)]
    got, start = [None] * 8, threading.Barrier(8)

    def train(seed):
        start.wait()
        got[seed] = bits(fit(tiny_model(seed=seed), epochs=3).parameters)

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == want


# All kinds of children in one process: what takes the time is that each imports fastnn anew.
CHILDREN = """
if __name__ == "__main__":
    import multiprocessing
    want = [train(seed) for seed in range(2)]
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(train, range(2), chunksize=1) == want, method
        assert train() == want[0], method
    print("same")
"""


@jit_only
def test_children_train_after_a_fit_in_the_parent(tmp_path):
    """The same bits in children that are forked, spawned or forked by a server, and in the parent afterwards."""
    assert run(tmp_path, CHILDREN, PYTHONWARNINGS="ignore", NUMBA_NUM_THREADS="2") == "same"


JOBLIB = """
if __name__ == "__main__":
    import joblib
    want = [train(seed) for seed in range(2)]
    for backend in ("loky", "threading", "multiprocessing"):
        got = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(train)(seed) for seed in range(2))
        assert got == want, backend
    print("same")
"""


@jit_only
def test_joblib(tmp_path):
    pytest.importorskip("joblib")
    assert run(tmp_path, JOBLIB, NUMBA_NUM_THREADS="2") == "same"


# PyTorch brings an OpenMP of its own. Both libraries use all their threads, in turns, in either order of import.
TORCH = """
{first}
{second}
if __name__ == "__main__":
    import torch
    want = train()
    x = torch.randn(300, 300)
    product = x @ x
    for _ in range(3):
        assert torch.equal(x @ x, product)
        assert train() == want
    print(want)
"""


@jit_only
def test_pytorch_imported_before_and_after(tmp_path):
    pytest.importorskip("torch")
    orders = ("import torch", "import fastnn"), ("import fastnn", "import torch")
    alone = run(tmp_path, "print(train())", NUMBA_NUM_THREADS="2")
    for first, second in orders:
        assert run(tmp_path, TORCH.format(first=first, second=second), NUMBA_NUM_THREADS="2") == alone


ENDED = """
import os, signal, threading, time
import numpy as np
import fastnn as fn
from tests.tiny import bits, tiny_model, trigrams

def train(epochs, *callbacks):
    model = tiny_model()
    callbacks = [fn.Checkpoint("kept.h5", resume=True, every=5), *callbacks]
    settings = {"optimizer": fn.SGD(0.1, momentum=0.5), "batch_size": 4, "verbose": False}
    model.fit(*trigrams(40), **settings, epochs=epochs, callbacks=callbacks)
    return model
"""
END = """
class End(fn.Callback):
    every = 7

    def on_batch_end(self, run):
        if run.epoch == 3:
            signal.raise_signal(signal.%s)

signal.signal(signal.SIGINT, signal.default_int_handler)
train(1_000_000, End())
"""
RESUMED = """
assert os.path.exists("kept.h5")
before = fn.load("kept.h5").epoch
got = train(6)
os.remove("kept.h5")
print(before, got.epoch, bits(got.parameters) == bits(train(6).parameters))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_training_at_once_and_leaves_the_checkpoint(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = ENDED + END % name
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=300, check=False)
    assert -done.returncode == getattr(signal, name)
    assert python(ENDED + RESUMED).split() == ["3", "6", "True"]
