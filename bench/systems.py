"""The training steps that are timed, one row each: networks of the systems, on random data of their shape."""

import copy
import math
from collections.abc import Callable, Iterator

import numpy as np

import fastnn as fn
from bench.system import System
from fastnn.common import random
from fastnn.data.chunk import Chunk
from fastnn.nn.initializers import Normal
from fastnn.nn.optimizers import Optimizer
from fastnn.training.passes.runner import Runner
from fastnn.training.steps.compile import compile_train
from fastnn.training.steps.step import Step
from fastnn_kernels.batch import ROUNDS

SMALL = Normal(0.01)
SUMMED_CROSS_ENTROPY = fn.SoftmaxCrossEntropy(reduction="sum")
WHOLE_PASSES = 1024  # passes over data of which a step takes all samples, as with `fit(steps_per_epoch=)`
LENET5_BATCH = 128  # SimpleChains' depends on the number of threads

Run = Callable[[int], np.ndarray]


def _dense(*widths: int, hidden: str) -> tuple:
    """Dense layers of these widths; the last one gives scores."""
    return (*(fn.Dense(width, hidden) for width in widths[:-1]), fn.Dense(widths[-1]))


def trigram(words: int = 250, hidden: int = 256) -> System:
    """The language model: three words' embeddings of width 32 side by side, scores for every word."""
    layers = (fn.Embedding(words, 32, SMALL), fn.Flatten(), fn.Dense(hidden, "sigmoid", SMALL, SMALL))
    return System(
        "trigram",
        (*layers, fn.Dense(words, "identity", SMALL, SMALL)),
        input_shape=(3,),
        optimizer=fn.SGD(0.15, momentum=0.85),
        batch=200,
        samples=20_000,
        checked=200,
        ids=words,
    )


TRIGRAM = trigram()
MOONS = System(
    "moons",
    _dense(3, 2, hidden="tanh"),
    input_shape=(2,),
    optimizer=fn.SGD(0.01),
    batch=200,
    samples=200,
    checked=50,
    loss=SUMMED_CROSS_ENTROPY,
    l2=0.01,
    scale=1.0,
)
MNIST_MLP = System(
    "mnist-mlp",
    _dense(64, 10, hidden="relu"),
    input_shape=(784,),
    optimizer=fn.SGD(0.01),
    batch=100,
    samples=4_000,
    checked=200,
    zeros=0.81,  # as of the pixels of MNIST's digits
)
MNIST_SGD = System(
    "mnist-sgd",
    _dense(300, 10, hidden="sigmoid"),
    input_shape=(784,),
    optimizer=fn.SGD(0.001),
    batch=1,
    samples=2_000,
    checked=300,
)
CATS_VS_CARS = System(
    "cats-vs-cars",
    (fn.Dense(76, "tanh"), fn.Dense(380, "tanh"), fn.Dense(1, "tanh")),
    input_shape=(1024,),
    optimizer=fn.SGD(0.1, momentum=0.1),
    batch=18,
    samples=1_800,
    checked=100,
    loss=fn.MSE(scale=0.5),
    scale=0.1,
)
CIFAR10_MLP = System(
    "cifar10-mlp",
    _dense(100, 100, 100, 100, 10, hidden="relu"),
    input_shape=(3072,),
    optimizer=fn.Adam(1e-4),
    batch=100,
    samples=2_000,
    checked=50,
)
NOTMNIST_MLP = System(
    "notmnist-mlp",
    _dense(1000, 10, hidden="relu"),
    input_shape=(784,),
    optimizer=fn.SGD(1e-5, momentum=0.99),
    batch=10_000,
    samples=10_000,
    checked=5,
    loss=SUMMED_CROSS_ENTROPY,
    scale=0.1,
)
NOTMNIST_CNN = System(
    "notmnist-cnn",
    (fn.Conv2D(32, 3, "relu"), fn.BatchNorm(), fn.MaxPool2D(2), fn.Flatten(), *_dense(784, 10, hidden="relu")),
    input_shape=(28, 28, 1),
    optimizer=fn.Adam(1e-4),
    batch=32,
    samples=640,
    checked=8,
    rtol=1e-3,  # statistics of a batch, and Adam, which divides by gradients near 0: 1e-4 measured
)
MNIST_CNN = System(
    "mnist-cnn",
    (
        *(fn.Conv2D(32, 5, "relu"), fn.MaxPool2D(2)),
        *(fn.Conv2D(64, 5, "relu"), fn.MaxPool2D(2)),
        fn.Flatten(),
        *_dense(1024, 10, hidden="relu"),
    ),
    input_shape=(28, 28, 1),
    optimizer=fn.Adam(1e-4),
    batch=50,
    samples=500,
    checked=8,
)
# The two networks whose times SimpleChains.jl publishes (`bench.simplechains`).
MATRIX_EXPONENTIAL = System(
    "4-32-16-4",
    _dense(32, 16, 4, hidden="tanh"),
    input_shape=(4,),
    optimizer=fn.Adam(1e-3),
    batch=10_000,
    samples=10_000,
    checked=20,
    loss=fn.MSE(),
    scale=1.0,
    targets=4,
)
LENET5 = System(
    "lenet5",
    (
        *(fn.Conv2D(6, 5, "relu", padding="valid"), fn.MaxPool2D(2)),
        *(fn.Conv2D(16, 5, "relu", padding="valid"), fn.MaxPool2D(2)),
        fn.Flatten(),
        *_dense(120, 84, 10, hidden="relu"),
    ),
    input_shape=(28, 28, 1),
    optimizer=fn.Adam(3e-4),
    batch=LENET5_BATCH,
    samples=20 * LENET5_BATCH,
    checked=20,
    scale=2.0,
    rtol=3e-4,  # Adam divides by gradients near 0, and Keras places its eps elsewhere
)

ALL = (
    *(TRIGRAM, MOONS, MNIST_MLP, MNIST_SGD, CATS_VS_CARS),
    *(CIFAR10_MLP, NOTMNIST_MLP, NOTMNIST_CNN, MNIST_CNN),
    *(MATRIX_EXPONENTIAL, LENET5),
)

# The net of the recipe `scalar`, in its float64, which the peers are not set up for.
SCALAR = System(
    "scalar",
    _dense(3, 2, hidden="sigmoid"),
    input_shape=(2,),
    optimizer=fn.SGD(0.01),
    batch=1,
    samples=60_000,
    checked=2_000,
    scale=1.0,
    dtype="float64",
)
ALONE = (SCALAR,)  # systems that no peer is timed with


def fastnn_runner(system: System, shuffle: bool = True) -> tuple[fn.Sequential, Run]:
    """A model and what trains it on: run(steps) -> the losses of these steps, from one epoch into the next.

    The whole step is timed: the order of the samples, gathering the batch, all gradients, the update. Without
    `shuffle` batches follow each other as the samples stand, as a peer's do.
    """
    model, _, run = fastnn_step(system, shuffle)
    return model, run


def fastnn_step(system: System, shuffle: bool = True) -> tuple[fn.Sequential, Step, Run]:
    """The same, with the compiled step that runs."""
    model, optimizer = system.model(), copy.deepcopy(system.optimizer)
    step = compile_train(
        model.network, model.state, system.batch, optimizer, shuffle=shuffle, fused=True, full_batch=system.whole
    )
    x, y = system.data()
    return model, step, _continued(Runner(step), optimizer, Chunk((x,), (y,)))


def _continued(runner: Runner, optimizer: Optimizer, data: Chunk) -> Run:
    def scalars(steps: int) -> np.ndarray:
        return optimizer.scalars(optimizer.iteration + np.arange(steps))

    def start(epoch: int) -> None:
        runner.start(data, order_key=_order_key(epoch), passes=WHOLE_PASSES if runner.step.full_batch else 1)

    def pieces(steps: int) -> Iterator[np.ndarray]:
        while steps:
            if runner.next_batch <= 0:
                start(optimizer.iteration)
            first, done = runner.steps_done, runner.advance(steps, scalars)
            optimizer.iteration += done
            steps -= done
            yield runner.losses[first : first + done].copy()

    start(0)
    return lambda steps: np.concatenate(list(pieces(steps)))


def _order_key(epoch: int) -> np.ndarray:
    """The words that choose an epoch's order, drawn as `fit` draws them."""
    return random.key(0, "order", epoch, words=2 * ROUNDS)


def parameters(model: fn.Sequential) -> int:
    """How many numbers training changes."""
    return sum(math.prod(array.shape) for array in model.parameters.values())
