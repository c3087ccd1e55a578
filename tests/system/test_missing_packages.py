"""Without the packages that only some need all else works, and one line says what to install."""

import re
from pathlib import Path

import pytest

from tests.tiny import jit_only, python

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
OPTIONAL = (
    *(
        "IPython",
        "dask",
        "distributed",
        "ipykernel",
        "joblib",
        "mpi4py",
        "onnx",
        "onnxruntime",
        "optuna",
        "pandas",
        "polars",
        "safetensors",
    ),
    *("scipy", "sklearn", "tensorboard", "tensorboardX", "tokenizers", "torch"),
)
WITHOUT = f"""
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
import os
import numpy as np
import fastnn as fn
from fastnn.cli import main
os.chdir(sys.argv[1])
"""

# What each extra is for; the command line says the same as the functions.
CALLS = """
def told(what, call):
    try:
        call()
    except ImportError as error:
        print("told:", what, isinstance(error, fn.FastnnError), error)

model = fn.Sequential([fn.Dense(2)], input_shape=3)
model.fit(np.ones((4, 3)), [0, 1, 0, 1], verbose=False)
told("sklearn", lambda: __import__("fastnn.sklearn"))
told("sklearn", lambda: fn.interop.to_sklearn(model))
told("torch", lambda: fn.interop.to_torch(model))
told("onnx", lambda: fn.interop.to_onnx(model))
told("safetensors", lambda: fn.interop.save_safetensors(model, "a.safetensors"))
told("tensorboard", lambda: model.fit(np.ones((4, 3)), [0, 1, 0, 1], verbose=False, callbacks=[fn.TensorBoard("logs")]))
told("pandas", lambda: model.history.to_frame())

def build(units):
    return fn.Sequential([fn.Dense(units), fn.Dense(2)], input_shape=3)

data = (np.ones((4, 3)), [0, 1, 0, 1])
drawn = {"sampler": "optuna", "trials": 1, "epochs": 1, "validation_data": data}
told("optuna", lambda: fn.sweep(build, {"units": [2]}, data, **drawn))
told("mpi", lambda: fn.distributed().__enter__())
open("book.txt", "w", encoding="utf-8").write("the cat sat on the mat. " * 40)
open("bpe.json", "w", encoding="utf-8").write("{}")
told("tokenizers", lambda: fn.LanguageModel.from_text("book.txt", tokens="bpe.json"))
sweep = ["sweep", "blobs", "--grid", "lr=0.1", "--out", "sweep", "--scheduler", "tcp://127.0.0.1:9"]
print("status:", main(sweep))
"""


def test_one_line_says_what_to_install(tmp_path):
    said = python(f"import sys\nsys.argv = ['', {str(tmp_path)!r}]\nsys.stderr = sys.stdout\n{WITHOUT}{CALLS}")
    lines = [line.removeprefix("told: ") for line in said.splitlines() if line.startswith("told: ")]
    assert [line.split()[0] for line in lines] == [
        *("sklearn", "sklearn", "torch", "onnx", "safetensors", "tensorboard", "pandas", "optuna", "mpi", "tokenizers")
    ], said
    for line in lines:
        package, ours, message = line.split(maxsplit=2)
        command = "pandas" if package == "pandas" else rf'"fastnn\[{package}\]"'
        assert ours == "True"
        assert re.fullmatch(rf".+ is not installed; install it with: pip install {command}", message)
    assert "status: 2" in said
    assert re.search(r'scheduler: .* is not installed; install it with: pip install "fastnn\[cluster\]"', said)


def test_every_extra_is_tried():
    if not PROJECT.exists():
        pytest.skip("an installed copy has no sources")
    table = PROJECT.read_text("utf-8").partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = {line.partition(" = ")[0] for line in table.strip().splitlines()} - {"test", "docs", "bench"}
    tried = {"sklearn", "torch", "onnx", "safetensors", "tensorboard", "cluster", "optuna", "mpi", "tokenizers"}
    assert extras - tried == {
        "sweep"
    }  # without which sweeps use Python's own processes: tests/search/test_processes.py


@jit_only
def test_all_else_works(tmp_path):
    rest = """
from fastnn import plots
from fastnn.data import generate_moons
data = generate_moons(40)
model = fn.Sequential([fn.Dense(3, "tanh"), fn.Dense(2)], input_shape=2)
model.fit(data.train.x, data.train.y, epochs=2, verbose=False).plot()
model.save("m.h5")
print("loads:", fn.load("m.h5").predict(data.train.x).shape)
print("runs:", main(["train", "moons", "--epochs", "2", "--compare", "none", "--hidden", "2", "--quiet"]))
print("found:", sorted(name for name in sys.modules if name in OPTIONAL))
"""
    said = python(f"import sys\nsys.argv = ['', {str(tmp_path)!r}]\n{WITHOUT}\nOPTIONAL = {OPTIONAL!r}\n{rest}")
    answers = dict(line.split(": ", 1) for line in said.splitlines() if re.match("[a-z]+: ", line))
    assert {name: answers.get(name) for name in ("loads", "runs", "found")} == {
        "loads": "(40, 2)",
        "runs": "0",
        "found": "[]",
    }
