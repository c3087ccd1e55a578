"""The two networks whose times SimpleChains.jl publishes, timed here: core-milliseconds beside the published ones.

    python -m bench.simplechains [--training]

One is 4-32-16-4 with tanh and Adam on 10,000 samples, of which a step takes all. The other is LeNet-5, of 44,000
parameters, with Adam at 3e-4 on 60,000 images. Processors differ, so a time is multiplied by the cores that took part:
that is what one core would need. `--training` trains LeNet-5 for the ten epochs of the publication, on generated images
of MNIST's shape, beside PyTorch where it is installed. Other libraries' steps of both: `bench/test_systems.py`.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numba

import fastnn as fn
from bench import systems
from bench.interleave import clock, steps_a_turn
from bench.machine import complaint
from bench.peers import KEPT, PEERS, Absent
from bench.peers.process import own_process
from bench.system import System
from bench.systems import LENET5, MATRIX_EXPONENTIAL

SOURCE = "https://julialang.org/blog/2022/04/simple-chains/"
EPOCHS, IMAGES = 10, 60_000
TURNS = 9


@dataclass(frozen=True)
class Published:
    """A time of SimpleChains.jl, compiled before the clock started: `seconds` on a processor with that many cores."""

    processor: str
    cores: int
    seconds: float

    @property
    def core_milliseconds(self) -> float:
        return core_milliseconds(self.seconds, self.cores)


EPYC, CORE_I9, LAPTOP = ("EPYC 7513 (AVX2)", 32), ("i9-10980XE (AVX-512)", 18), ("i7-1165G7 (AVX-512)", 4)
PASS = (Published(*EPYC, 72e-6), Published(*CORE_I9, 41e-6))
TRAINING = (Published(*EPYC, 3.084), Published(*CORE_I9, 1.230), Published(*LAPTOP, 5.321))


def core_milliseconds(seconds: float, cores: int) -> float:
    return 1e3 * seconds * cores


def step_seconds(system: System) -> float:
    """The median step of fastnn, over turns."""
    _, run = systems.fastnn_runner(system)
    steps = steps_a_turn(run, system.checked)
    return statistics.median(clock(run, steps) for _ in range(TURNS)) / steps


def fastnn_training(epochs: int, images: int) -> tuple[float, float]:
    """Seconds for these epochs from arrays, and the training accuracy of the last one."""
    x, y = replace(LENET5, samples=images).data()
    model = LENET5.model()
    fit = {"batch_size": LENET5.batch, "verbose": False}
    LENET5.model().fit(x[: LENET5.batch + 1], y[: LENET5.batch + 1], optimizer=fn.Adam(LENET5.optimizer.lr), **fit)
    begin = time.perf_counter()
    history = model.fit(x, y, optimizer=fn.Adam(LENET5.optimizer.lr), epochs=epochs, **fit)
    return time.perf_counter() - begin, history["accuracy"][-1]


def torch_training(epochs: int, images: int) -> tuple[float, float]:
    """The same in eager PyTorch. To be called in a process of its own."""
    import torch

    from bench.peers.torch_peer import network, tensors
    from bench.peers.torch_training import Trainer

    torch.set_num_threads(numba.get_num_threads())
    model = LENET5.model()
    pair = tensors(model, *replace(LENET5, samples=images).data())
    Trainer(model, LENET5.optimizer, network(model)).epoch([part[: LENET5.batch] for part in pair], LENET5.batch, True)
    trainer = Trainer(model, LENET5.optimizer, network(model))
    begin = time.perf_counter()
    for _ in range(epochs):
        figures = trainer.epoch(pair, LENET5.batch, True)
    return time.perf_counter() - begin, figures["accuracy"]


def lines(what: str, seconds: float, published: tuple[Published, ...]) -> list[str]:
    """fastnn's time and core-milliseconds, and below them the published ones, with how many times fastnn's they are."""
    cores = numba.get_num_threads()
    own = core_milliseconds(seconds, cores)
    found = [what, f"  fastnn, {cores} threads: {_time(seconds)} = {own:.4g} core-ms"]
    for one in published:
        theirs = f"{_time(one.seconds)} = {one.core_milliseconds:.4g} core-ms"
        ratio = f"{one.core_milliseconds / own:.2f} x fastnn's"
        found.append(f"  SimpleChains.jl, {one.processor}, {one.cores} cores: {theirs}, {ratio}")
    return found


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.4g} us" if seconds < 0.1 else f"{seconds:.4g} s"


def trained(epochs: int = EPOCHS, images: int = IMAGES) -> list[str]:
    """LeNet-5's training, fastnn and PyTorch each in a process of its own."""
    seconds, accuracy = _elsewhere(fastnn_training, epochs, images)
    found = lines(f"LeNet-5, {epochs} epochs of {images:,} images, batch {LENET5.batch}", seconds, TRAINING)
    try:
        next(peer for peer in PEERS if peer.name == "PyTorch").version()
    except Absent as reason:
        return [*found, f"  PyTorch: {reason}"]
    theirs, their_accuracy = _elsewhere(torch_training, epochs, images)
    times = f"{_time(theirs)}, {theirs / seconds:.2f} x fastnn's"
    accuracies = f"accuracy in the last epoch {their_accuracy:.4f}, fastnn's {accuracy:.4f}"
    return [*found, f"  PyTorch, eager, the same threads: {times}; {accuracies}"]


def _elsewhere(train: Callable[[int, int], tuple[float, float]], epochs: int, images: int) -> tuple[float, float]:
    """In a process that keeps the memory which it frees, as PyTorch's fastest eager form of large steps does."""
    with own_process(KEPT) as pool:
        return pool.submit(train, epochs, images).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training", action="store_true", help="train LeNet-5 for ten epochs too; minutes")
    given = parser.parse_args()
    if reason := complaint():
        parser.exit(1, f"{reason}; try again when it is gone\n")
    found = lines("4-32-16-4, a pass over 10,000 samples", step_seconds(MATRIX_EXPONENTIAL), PASS)
    found += [f"LeNet-5, a step of {LENET5.batch} images: {_time(step_seconds(LENET5))}"]
    print("\n".join([*found, *(trained() if given.training else []), f"Published: {SOURCE}"]))


if __name__ == "__main__":
    main()
