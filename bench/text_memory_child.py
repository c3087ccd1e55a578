"""The process that `bench.text_memory` measures: it trains a language model on a file of ids, and tells its memory."""

import json
import sys
from pathlib import Path
from typing import Any

import fastnn as fn
from fastnn.data.formats.text_ids import load_ids
from fastnn.data.spans import in_spans
from fastnn.engine.program import Program
from fastnn.language.network import LENGTH, network_of, trained

SHAPES = {"gru": (2, 96, 256), "window": (6, 96, 256)}  # words of an n-gram, numbers of a vector, hidden units
LARGEST = 6  # buffers that are told of a step
EPOCHS = 6


def status(name: str) -> float:
    """A line of what Linux tells of this process, in MB."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(1.024e-3 * int(line.split()[1]) for line in lines if line.startswith(name))


def told(where: str) -> None:
    kinds = {name: status(name) for name in ("VmHWM", "VmRSS", "RssAnon", "RssFile")}
    print(f"{where:22}" + "".join(f"  {name} {size:6.1f}" for name, size in kinds.items()), flush=True)


class Watch(fn.Callback):
    """Tells the memory where it changes."""

    every = 200

    def on_train_begin(self, run: Any) -> None:
        told("before the first step")

    def on_batch_end(self, run: Any) -> None:
        if run.step == self.every:
            told(f"after {self.every} steps")

    def on_epoch_end(self, run: Any) -> None:
        told("validated")
        print(f"of which the training knows {run.memory}")
        _print_buffers("training step", run._runner.step.program)


def _print_buffers(what: str, program: Program) -> None:
    named = sorted(program.arena._arrays.items(), key=lambda item: -item[0].nbytes)
    print(f"{what}: {program.arena.nbytes / 1e6:.1f} MB")
    for buffer, _ in named[:LARGEST]:
        print(f"    {buffer.name:20} {buffer.shape!s:16} {buffer.nbytes / 1e6:6.1f}")


def train(path: str, net: str, seconds: float, sgd: bool, held_out: int) -> None:
    """Train in this process, and print what it took."""
    told("imported")
    order, width, hidden = SHAPES[net]
    data = load_ids(path, order)
    if net == "gru":
        data = in_spans(data, LENGTH)
    told("data opened")
    model = network_of(data, width, hidden, None, 0)
    told("model made")
    judged = type(data)(data.train, data.val.part(0, held_out), data.test, data.meta)
    optimizer = fn.SGD(0.1) if sgd else None
    history = trained(model, judged, optimizer, EPOCHS, None, 2, [fn.TimeLimit(seconds), Watch()], False)
    told("trained")
    for kind, (runner, _) in model._kept._kept.items():
        _print_buffers(str(kind), runner.step.program)
    last = history.epochs[-1]
    words = last["samples_per_second"] * (LENGTH if net == "gru" else 1)
    print(f"{words:,.0f} words a second; loss {last['loss']:.9f}, of validation {last['val_loss']:.9f}")


if __name__ == "__main__":
    train(**json.loads(sys.argv[1]))
