"""Random nets as PyTorch modules: they give what `model.predict` gives, and their state dicts come back bit by bit.

    python -m tests.interop.torch_nets --size 100 --seed 0

Net number n is the same in every run.
"""

import argparse
import sys

import numpy as np
import torch

import fastnn as fn
from tests.interop.nets import by_name, error, random_net

ALLOWED = 1e-6  # of the largest output; sums in float32 are rounded in another order


def in_their_layout(model, x):
    """The inputs as the module takes them: pictures, and sequences that a window slides over, with channels first."""
    if model.preprocessing is not None:
        x = model.preprocessing.converted(x, "x", model.network.input_shape, model.dtype)
    windows = fn.Conv1D | fn.MaxPool1D | fn.AveragePool1D
    slid_over = {name for call in model.network.calls if isinstance(call.layer, windows) for name in call.inputs}
    given = by_name(model, x)
    return [
        torch.tensor(np.moveaxis(given[name], -1, 1) if len(shape) == 3 or name in slid_over else given[name])
        for name, shape in model.network.graph.inputs.items()
    ]


def check(number):
    """By how much a net's module differs, and the names of arrays that do not come back from its state dict."""
    model, x = random_net(number)
    module = fn.interop.to_torch_module(model)
    got = module.predict(*in_their_layout(model, x))
    got = {name: one.numpy() for name, one in got.items()} if isinstance(got, dict) else got.numpy()
    other = fn.interop.from_torch(module.state_dict(), fn.Model.of(model.network, dtype=model.dtype.name, seed=number))
    arrays = {**model.parameters, **model.buffers}
    lost = [name for name in arrays if not np.array_equal(arrays[name], {**other.parameters, **other.buffers}[name])]
    return error(got, model.predict(x)), lost


def report(size, seed):
    """Name each net that differs, then print a total. Whether there is one."""
    worst, failures = 0.0, 0
    for number in range(seed, seed + size):
        difference, lost = check(number)
        worst = max(worst, difference)
        if lost or not difference <= ALLOWED:
            failures += 1
            print(f"net {number}: differs by {difference:.3g}, lost {lost}; again: --size 1 --seed {number}")
    print(f"{size} nets, largest difference {worst:.3g}, allowed {ALLOWED:g}, {failures} failures")
    return bool(failures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(report(given.size, given.seed))
