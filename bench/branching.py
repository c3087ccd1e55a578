"""Two networks that branch, a step of each beside eager PyTorch's: python -m bench.branching [--threads N]

residual  8 layers of 64 units, each added to its input; 10 classes
table     10 numbers and 8 columns of categories (5 to 100 of them, vectors of 8), layers of 64 and 32 units, 2 classes

Batches of 128, SGD with momentum, float32. Losses of the first 100 steps are compared before the clock starts. fastnn
trains by `fit`, 1,000 steps a call; PyTorch runs its usual loop. Turns alternate; printed are medians and quartiles.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

import fastnn as fn
from fastnn.engine.threads import threads_at_hand

BATCH, STEPS, EPOCHS, TURNS = 128, 100, 10, 15
COUNTS = (5, 7, 12, 30, 3, 100, 50, 8)


class Pair(NamedTuple):
    """One network in both libraries, and the data of both."""

    model: fn.Model
    net: nn.Module
    layers: list[nn.Linear]
    x: np.ndarray
    inputs: tuple[torch.Tensor, ...]
    classes: int


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([*(nn.Linear(64, 64) for _ in range(8)), nn.Linear(64, 10)])

    def forward(self, x: torch.Tensor) -> Any:
        *blocks, last = self.layers
        for block in blocks:
            x = x + torch.relu(block(x))
        return last(x)


class Table(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.ModuleList([nn.Embedding(count, 8) for count in COUNTS])
        self.layers = nn.ModuleList([nn.Linear(74, 64), nn.Linear(64, 32), nn.Linear(32, 2)])

    def forward(self, numbers: torch.Tensor, ids: torch.Tensor) -> Any:
        x = torch.cat([numbers, *(table(ids[:, i]) for i, table in enumerate(self.vectors))], 1)
        first, second, last = self.layers
        return last(torch.relu(second(torch.relu(first(x)))))


def residual(rng: np.random.Generator) -> Pair:
    value = x = fn.Input(64)
    for _ in range(8):
        value = fn.Add()(value, fn.Dense(64, "relu")(value))
    net, data = Residual(), rng.standard_normal((BATCH * STEPS, 64), np.float32)
    return Pair(fn.Model(x, fn.Dense(10)(value)), net, list(net.layers), data, (torch.from_numpy(data),), 10)


def table(rng: np.random.Generator) -> Pair:
    numbers = rng.standard_normal((BATCH * STEPS, 10), np.float32)
    ids = np.stack([rng.integers(0, count, BATCH * STEPS) for count in COUNTS], 1)
    columns = fn.Columns(range(10), {10 + i: count for i, count in enumerate(COUNTS)}, standardise=False)
    layers = [columns, fn.Dense(64, "relu"), fn.Dense(32, "relu"), fn.Dense(2)]
    model, net = fn.Sequential(layers, input_shape=18), Table()
    begins = np.cumsum([0, *COUNTS])
    with torch.no_grad():
        for vectors, begin, count in zip(net.vectors, begins, COUNTS, strict=False):
            vectors.weight.copy_(torch.from_numpy(model.parameters["columns.w"][begin : begin + count].copy()))
    data = np.concatenate([numbers, ids.astype(np.float32)], 1)
    return Pair(model, net, list(net.layers), data, (torch.from_numpy(numbers), torch.from_numpy(ids)), 2)


def trainings(pair: Pair, y: np.ndarray) -> tuple[Callable[[int], None], Callable[[int], list[float]]]:
    """What trains for some epochs: fastnn, and PyTorch, which returns its losses. Both begin with the same weights."""
    names = ["dense", *(f"dense_{i}" for i in range(1, len(pair.layers)))]
    with torch.no_grad():
        for name, layer in zip(names, pair.layers, strict=True):
            layer.weight.copy_(torch.from_numpy(pair.model.parameters[f"{name}.w"].T.copy()))
            layer.bias.zero_()
    ours, theirs = fn.SGD(0.01, momentum=0.9), torch.optim.SGD(pair.net.parameters(), 0.01, momentum=0.9)
    targets, loss_of = torch.from_numpy(y), nn.CrossEntropyLoss()

    def fastnn(epochs: int) -> None:
        pair.model.fit(pair.x, y, optimizer=ours, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=False)

    def pytorch(epochs: int) -> list[float]:
        losses = []
        for begin in list(range(0, len(y), BATCH)) * epochs:
            theirs.zero_grad(set_to_none=True)
            rows = slice(begin, begin + BATCH)
            loss = loss_of(pair.net(*(one[rows] for one in pair.inputs)), targets[rows])
            loss.backward()
            theirs.step()
            losses.append(loss.detach())
        return [loss.item() for loss in losses]

    return fastnn, pytorch


def seconds(call: Callable[[int], Any]) -> float:
    begin = time.perf_counter()
    call(EPOCHS)
    return (time.perf_counter() - begin) / (EPOCHS * STEPS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=threads_at_hand(), metavar="N")
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    for make in (residual, table):
        pair = make(rng := np.random.default_rng(0))
        with fn.threads(threads):
            fastnn, pytorch = trainings(pair, rng.integers(0, pair.classes, BATCH * STEPS))
            want = pytorch(1)
            fastnn(1)
            np.testing.assert_allclose(pair.model.history.steps["loss"], want, rtol=1e-4)
            turns = np.array([(seconds(fastnn), seconds(pytorch)) for _ in range(TURNS)]) * 1e6
        low, ratio, high = np.percentile(turns[:, 1] / turns[:, 0], [25, 50, 75])
        ours, theirs = np.median(turns, axis=0)
        print(f"{make.__name__:9} {threads} threads: fastnn {ours:6.1f} µs, PyTorch {theirs:6.0f} µs a step;", end=" ")
        print(f"PyTorch / fastnn {ratio:.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
