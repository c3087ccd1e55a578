"""Random shapes of any kernel of the registry, made from the sizes of its tests."""

import math
import zlib

import numpy as np

from fastnn_kernels import narrow_losses, narrow_softmax
from fastnn_kernels._tuning import NARROW
from fastnn_kernels.registry import REGISTRY

NETS = ("narrow_forward", "narrow_backward", "narrow_sgd", "narrow_sgd_two", "narrow_many")
NARROW_LOSSES = (*narrow_losses.__all__, *narrow_softmax.__all__)
NUMBERS = 30_000  # of one array, at most about: a call takes some 20 µs, so that thousands are a matter of seconds


def drawn(name, seed, numbers=NUMBERS):
    """(shape, dtype, arguments) of the kernel: the same for the same seed."""
    spec = REGISTRY[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    dtype = (np.float32, np.float64)[rng.integers(2)]
    shape = random_shape(name, rng, numbers)
    return shape, dtype, spec.inputs(rng, dtype, shape)


def random_shape(name, rng, numbers=NUMBERS):
    """A shape that the kernel may be called with: that of a test, grown where what must fit together still does."""
    bases = [shape for key, shape in REGISTRY[name].shapes.items() if not key.startswith("threshold")]
    shape = bases[rng.integers(len(bases))]
    grown = shape[:1] if name in NETS else shape
    if any(isinstance(size, str) for size in grown):  # an image: windows, strides and padding stay
        places = [0, 1, 2, 3] + ([len(shape) - 1] if isinstance(shape[-1], int) else [])
    else:
        places = list(range(len(grown)))
    shape = list(shape)
    for place in rng.permutation(places).tolist():
        if shape[place]:  # 0 stays 0: of no rows nothing can be chosen
            others = math.prod(shape[other] or 1 for other in places if other != place)
            most = max(0, numbers // others - shape[place])
            shape[place] += int(min(rng.choice([0, 1, rng.integers(2, 20), rng.integers(20, 200)]), most))
    return _fitting(name, tuple(shape))


def _fitting(name, shape):
    """The shape, with sizes that must not be larger than others made so."""
    if name == "permuted_indices":  # a batch of at most all samples
        return min(shape), max(shape)
    if name in NARROW_LOSSES:  # a few scores
        return shape[0], min(shape[1], NARROW - 1)
    if name in ("standardise_columns", "category_rows"):  # columns chosen from a table
        return shape[0], max(shape[1:]), min(shape[1:])
    if name.startswith(("gru_", "lstm_")):  # the outputs are the last state or those of all steps
        B, T, n, outputs = shape
        return B, T, n, T if outputs > 1 else 1
    if name in ("copy_columns", "take_columns"):  # first + n ≤ width
        B, P, width, first, n = shape
        return B, P, max(width, first + n), first, n
    return shape
