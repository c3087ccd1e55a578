"""The proof of careless calls in small, and what it finds: signals, hangs, foreign errors, reads beyond arrays."""

import os
import sys

import numpy as np
import pytest

import fastnn as fn
from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.proofs import calls_made, careless_calls
from tests.proofs.guarded import guarded_run

CALLS = 300 if JIT else 75


def test_calls():
    wrong = [(seed, told) for seed, _, told in careless_calls.calls(0, CALLS) if told]
    assert wrong == []


def test_errors_of_fastnn_and_of_others():
    assert calls_made.outcome(fn.SGD, {"lr": "x"})[0] == "refusal"
    assert calls_made.outcome(fn.ops.matmul, {"x": [[1.0]], "w": [[2.0]]}) == ("answer", np.array([[2.0]]))
    ended, told = calls_made.outcome(lambda: [][1], {})
    assert ended == "foreign"
    assert told.startswith("IndexError: 'list index out of range'")


def looks_beyond(out, x, n):
    out[:] = np.lib.stride_tricks.as_strided(x.reshape(-1), (x.size + 1,))[x.size]


def writes_beyond(out, x, n):
    np.lib.stride_tricks.as_strided(out.reshape(-1), (out.size + 1,))[out.size] = 7


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (looks_beyond, "what lies outside of an array shows in an output"),
        (writes_beyond, "wrote outside of argument 0"),
    ],
)
def test_a_kernel_that_leaves_its_arrays_is_found(monkeypatch, body, told):
    spec = REGISTRY["relu_forward"]
    monkeypatch.setattr(spec.kernel, "serial", body)
    monkeypatch.setattr(spec.kernel, "parallel", body)
    assert told in {guarded_run("relu_forward", seed, np.random.default_rng(seed)) for seed in range(5)}


# A call that ends its process, and one that does not end: its seed is named, and a new process makes those after it.
ENDING = """
import os, signal, sys, time
from tests.proofs import calls_made, careless_calls

class Caller(calls_made.Caller):
    def call(self, seed):
        if seed == 3:
            signal.raise_signal(signal.SIGSEGV)
        if seed == 5:
            time.sleep(100)
        return "answer", ""

careless_calls.Caller = Caller
careless_calls.worker(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_and_a_hang_are_told(tmp_path, monkeypatch):
    script = tmp_path / "ending.py"
    script.write_text(ENDING, "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setattr(careless_calls, "COMMAND", [sys.executable, str(script)])
    monkeypatch.setattr(careless_calls, "SECONDS", 1)
    results = careless_calls.run(0, 7, tmp_path)
    told = {seed: (ended, what.partition(" [")[0]) for seed, ended, what in results}
    assert told == dict.fromkeys(range(7), ("answer", "")) | {
        3: ("end", "SIGSEGV"),
        5: ("hang", "no end within 1 s"),
    }
