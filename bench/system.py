"""What a training step is that is timed: a network, its optimizer, a batch, and random data of their shape.

The data is made here, the same in every run: the cost of a step does not depend on the numbers, as long as they
are finite and gradients are not denormal; but on how many inputs of a first dense layer are 0. Labels are partly noise,
so that no loss falls so far.
"""

from dataclasses import dataclass

import numpy as np

import fastnn as fn
from fastnn.nn.optimizers import Optimizer
from fastnn.training.models.dtypes import DtypeName

CROSS_ENTROPY = fn.SoftmaxCrossEntropy()
SIGNAL = 0.2  # of a class's own pattern, beside noise of deviation 1
NOISY_LABELS = 0.3  # the fraction of samples whose label is drawn anew

Data = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class System:
    """A training step.

    samples  of the data set, a multiple of `batch`; equal to it where every step takes them all
    checked  how many steps must give a peer's losses before the clock starts
    rtol     how closely; by default so that a learning rate 5 % off, or no penalty, fails every system (tried)
    scale    deviation of the inputs
    zeros    the fraction of the inputs that are 0, as the background of pictures is
    ids      how many words there are, where inputs are word ids
    targets  how many numbers a sample's target has, where it is not a label and not the sign of one output
    dtype    of all arithmetic
    """

    id: str
    layers: tuple
    input_shape: tuple[int, ...]
    optimizer: Optimizer
    batch: int
    samples: int
    checked: int
    loss: fn.SoftmaxCrossEntropy | fn.MSE = CROSS_ENTROPY
    l2: float = 0.0
    scale: float = 0.5
    zeros: float = 0.0
    ids: int = 0
    targets: int = 0
    rtol: float = 1e-4
    dtype: DtypeName = "float32"

    @property
    def whole(self) -> bool:
        """Whether a step takes all samples: then there is no shuffling."""
        return self.samples == self.batch

    def model(self) -> fn.Sequential:
        return fn.Sequential(self.layers, input_shape=self.input_shape, loss=self.loss, l2=self.l2, dtype=self.dtype)

    def data(self) -> Data:
        """Inputs (N, *input_shape), int32 or float32; labels (N,) int32, or float32 targets: (N, targets), with
        noise as large as its signal, or (N, 1), of -1 and 1.
        """
        rng = np.random.default_rng(0)
        if self.ids:
            x = rng.integers(0, self.ids, (self.samples, *self.input_shape), np.int32)
            return x, (7 * x[:, -1] + rng.integers(0, self.ids // 10, self.samples, np.int32)) % self.ids
        if self.targets:
            x = self.scale * rng.standard_normal((self.samples, *self.input_shape), np.float32)
            wanted = np.tanh(x @ rng.standard_normal((*self.input_shape, self.targets), np.float32))
            return x, wanted + rng.standard_normal(wanted.shape, np.float32)
        classes = self.layers[-1].units if self.loss.takes_labels else 2
        labels = rng.integers(0, classes, self.samples, np.int32)
        patterns = SIGNAL * rng.standard_normal((classes, *self.input_shape), np.float32)
        x = self.scale * (patterns[labels] + rng.standard_normal((self.samples, *self.input_shape), np.float32))
        if self.zeros:
            x[rng.random(x.shape) < self.zeros] = 0
        noisy = rng.random(self.samples) < NOISY_LABELS
        labels[noisy] = rng.integers(0, classes, noisy.sum(), np.int32)
        return x, labels if self.loss.takes_labels else (2 * labels[:, None] - 1).astype(np.float32)
