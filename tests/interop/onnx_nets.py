"""Random nets as ONNX: onnxruntime gives what `model.predict` gives.

    python -m tests.interop.onnx_nets --size 100 --seed 0

Net number n is the same in every run. Each is read from a file; every other one is compared by its scores, the others
by what the loss makes of them. In float64 are the nets of float64 whose operators onnxruntime has for it.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import fastnn as fn
from tests.interop.nets import by_name, error, random_net

# The eps of a normalisation is float32 in ONNX, whatever the dtype: that of .1 differs by 1.5e-9.
ALLOWED = {"float32": 1e-5, "float64": 1e-8}
FLOAT32_ALONE = {"Conv", "AveragePool", "Softplus", "Elu", "Erf", "GRU", "LSTM"}  # in onnxruntime


def run(path, inputs):
    """What onnxruntime makes of inputs, by name of output."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def operators(made):
    return {node.op_type for node in made.graph.node}


def check(number, folder):
    """The dtype and the operators of a net's ONNX file, and by how much it differs."""
    model, x = random_net(number)
    path, logits = Path(folder) / "net.onnx", bool(number // 6 % 2)
    made = fn.interop.to_onnx(model, path, logits=logits)
    dtype = model.dtype.name
    if dtype == "float64" and operators(made) & FLOAT32_ALONE:
        dtype = "float32"
        made = fn.interop.to_onnx(model, path, logits=logits, dtype=dtype)
    assert onnx.load(path) == made
    inputs = {name: one.astype(np.int64 if one.dtype.kind == "i" else dtype) for name, one in by_name(model, x).items()}
    want = model.predict(x, logits=logits)
    want = want if isinstance(want, dict) else {model.network.outputs[0].name: want}
    got = run(path, inputs)
    return dtype, operators(made), error(got, {name: one.astype(dtype) for name, one in want.items()})


def report(size, seed):
    """Print a line a dtype and one of all operators; name each net that differs. Whether there is one."""
    worst, counts, seen, failures = dict.fromkeys(ALLOWED, 0.0), dict.fromkeys(ALLOWED, 0), set(), 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(seed, seed + size):
            dtype, found, difference = check(number, folder)
            counts[dtype], seen = counts[dtype] + 1, seen | found
            worst[dtype] = max(worst[dtype], difference)
            if not difference <= ALLOWED[dtype]:
                failures += 1
                print(f"net {number}, {dtype}: differs by {difference:.3g}; again: --size 1 --seed {number}")
    for dtype, count in counts.items():
        print(f"{dtype}: {count} nets, largest difference {worst[dtype]:.3g}, allowed {ALLOWED[dtype]:g}")
    print(f"operators: {', '.join(sorted(seen))}")
    print(f"{size} nets, {failures} failures")
    return bool(failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(report(given.size, given.seed))
