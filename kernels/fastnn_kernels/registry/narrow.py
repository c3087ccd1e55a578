"""Specs of the kernels for narrow layers. A shape: samples, widths of the layers, activation, whether with biases."""

import itertools

import numpy as np

from fastnn_kernels import reference
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._narrow.layout import DenseLayout, in_chains, laid_out
from fastnn_kernels._tuning import ALIGNMENT, BLOCK
from fastnn_kernels.narrow_many import CHAINS
from fastnn_kernels.registry import losses
from fastnn_kernels.registry.inputs import GARBAGE, normal, padded, random_ids, scores
from fastnn_kernels.registry.spec import VECTORS, spec

AT = 2  # the row of the first score, in blocks that hold little else


def net(rng, dtype, shape):
    """Flat parameters, geometry, rows of a block of values and of gradients. The last layer has no activation."""
    _, widths, activation, bias = shape
    parts, layers, at = [], [], 3
    for i, (inputs, units) in enumerate(itertools.pairwise(widths)):
        w = normal(rng, dtype, inputs + bias, units) / dtype(np.sqrt(inputs))
        last = i == len(widths) - 2
        layers.append(DenseLayout(inputs, units, bias, at, w.shape[1], "identity" if last else activation))
        parts.append(w.reshape(-1))
        at += w.size
    return np.concatenate([np.full(3, GARBAGE, dtype), *parts]), *laid_out(layers)


def blocks(dtype, samples, rows, values=GARBAGE):
    return padded(dtype, -(-samples // BLOCK), rows * BLOCK, values)


def forward(rng, dtype, shape):
    samples, widths, *_ = shape
    parameters, geometry, rows, _ = net(rng, dtype, shape)
    values, indices = blocks(dtype, samples, rows), random_ids(rng, 9, samples, np.int64)
    reference.gather_lanes(values, rng.standard_normal((9, widths[0])), indices)
    return values, indices, parameters, geometry


def backward(rng, dtype, shape):
    values, indices, parameters, geometry = forward(rng, dtype, shape)
    reference.narrow_forward(values, indices, parameters, geometry)
    samples, widths, *_ = shape
    gradients = blocks(dtype, samples, net(rng, dtype, shape)[3])
    reference.rows_to_lanes(gradients, normal(rng, dtype, samples, widths[-1]), widths[-1])
    return padded(dtype, len(values), parameters.size, GARBAGE), gradients, values, indices, parameters, geometry


def gather(rng, dtype, shape):
    samples, columns = shape
    source = rng.standard_normal((9, columns)).astype(dtype)
    return blocks(dtype, samples, columns + 2), source, random_ids(rng, 9, samples, np.int64)


def to_rows(rng, dtype, shape):
    samples, n = shape
    values = blocks(dtype, samples, n + AT)
    values[:] = rng.standard_normal(values.shape)
    return padded(dtype, samples, n, GARBAGE), values, AT, n


def to_lanes(rng, dtype, shape):
    samples, n = shape
    return blocks(dtype, samples, n + 1), normal(rng, dtype, samples, n), n


def cross_entropy(rng, dtype, shape):
    samples, n = shape
    x, labels = scores(rng, dtype, samples, n), rng.integers(0, n, samples).astype(np.int32)
    labels[::2] = x[::2, :n].argmax(axis=1)
    values = blocks(dtype, samples, n + AT)
    for j in range(n):
        put(values, AT + j, x[:, j])
    loss, correct = np.full((2, samples), GARBAGE, dtype)
    return loss, correct, blocks(dtype, samples, n + 3), values, labels, rng.random(samples).astype(dtype), AT, n


def targeted(of_rows):
    """Inputs of a loss against numbers, from those of the same loss of rows."""

    def inputs(rng, dtype, shape):
        samples, n = shape
        loss, correct, _, x, target, loss_weight, *scalars, _ = of_rows(rng, dtype, shape)
        values, targets = blocks(dtype, samples, n + AT), blocks(dtype, samples, n + 1)
        for j in range(n):
            put(values, AT + j, x[:, j])
            put(targets, j, target[:, j])
        return loss, correct, blocks(dtype, samples, n + 1), values, targets, loss_weight, *scalars, AT, n

    return inputs


def sgd(rng, dtype, shape):
    """Steps at rates of about .1, from the third one of a call on."""
    samples, widths, *_ = shape
    parameters, geometry, rows, gradients = net(rng, dtype, shape)
    loss, correct = np.full((2, samples), GARBAGE, dtype)
    x, labels = normal(rng, dtype, samples, widths[0]), rng.integers(0, widths[-1], samples).astype(np.int32)
    weight, table = rng.random(samples).astype(dtype), (0.2 * rng.random((samples + 3, 2))).astype(dtype)
    memory = np.full((2, max(rows, gradients)), GARBAGE, dtype)
    return loss, correct, parameters, memory, x, labels, weight, table, np.array([9, 4, 3, 0]), geometry


def nets_at_once(rng, dtype, shape):
    """Three steps of LANES nets, half of whose layers have a penalty."""
    samples, widths, *_ = shape
    lanes = ALIGNMENT // np.dtype(dtype).itemsize
    made = [net(rng, dtype, shape) for _ in range(LANES)]
    _, geometry, rows, down = made[0]
    order, chains = in_chains(samples, lanes)
    weights = int(((geometry[:, 0] + geometry[:, 2]) * geometry[:, 1]).sum())
    columns = int(np.diff(chains[::CHAINS]).max(initial=0)) * LANES
    sizes = (
        (weights, LANES),
        (weights * lanes, LANES),
        (samples, LANES),
        (samples, LANES),
        (rows, columns),
        (down, columns),
    )
    rates, l2 = (0.2 * rng.random((3, LANES))).astype(dtype), (0.1 * rng.random((len(geometry), LANES))).astype(dtype)
    l2[1::2] = 0
    x = normal(rng, dtype, samples, widths[0])[:, : widths[0]].copy()
    data = x, rng.integers(0, widths[-1], samples).astype(np.int32)
    weight = (rng.random(samples) / max(samples, 1)).astype(dtype)
    record = padded(np.float64, 3, 4 * LANES, GARBAGE)
    written = record, np.stack([one[0] for one in made], axis=1)
    work = (np.full(size, GARBAGE, dtype) for size in sizes)
    return *written, *work, rates, l2, *data, weight, chains, np.argsort(order), geometry


def record(rng, dtype, shape):
    (samples,) = shape
    loss, sample_weight, loss_weight = rng.exponential(size=(3, samples)).astype(dtype)
    correct, steps = rng.integers(0, 2, samples).astype(dtype), samples + 4
    losses, sums = rng.standard_normal(steps), rng.standard_normal((steps, 4))
    return losses, sums, np.array([7, 2, 0, 0]), loss, correct, sample_weight, loss_weight


def put(values, row, numbers):
    """Write the numbers of the samples into a row of the blocks."""
    rows = values.shape[1] // BLOCK
    for b, block in enumerate(values):
        own = numbers[b * BLOCK : b * BLOCK + BLOCK]
        width = -(-len(own) // 16) * 16
        block[: rows * width].reshape(rows, width)[row, : len(own)] = own


NONE_AND_ONE = {"none": (0, (3, 2), "relu", 1), "one": (1, (1, 1), "tanh", 1)}
MOONS = {"moons": (200, (2, 3, 2), "tanh", 1)}
BATCHES = {
    **NONE_AND_ONE,
    **MOONS,
    "no bias": (17, (5, 7, 3), "leaky_relu", 0),
    "sums": (131, (3, 9, 5), "gelu", 1),
}


def specs():
    yield from _of_layers()
    yield from _of_lanes()
    yield from _of_steps()


def _of_layers():
    nets = {
        **BATCHES,
        "wide": (129, (4, 32, 17, 33, 1), "elu", 1),
        "deep": (128, (3, 4, 5, 6, 7), "softplus", 1),
        "flat": (16, (13, 11), "silu", 1),
        "gates": (250, (6, 5, 4), "sigmoid", 0),
    }
    bench = {**MOONS, "simple-chains": (10_000, (4, 32, 16, 4), "tanh", 1)}
    size = {"around": lambda r: (r, (2, 3, 2), "tanh", 1), "flops": _flops}
    yield spec("narrow_forward", forward, nets, bench, terms=lambda s: sum(s[1]), **size)
    yield spec("narrow_backward", backward, nets, bench, terms=lambda s: BLOCK + sum(s[1]), **size)


def _of_lanes():
    """Kernels of samples and numbers of each: between rows and lanes, and losses."""
    pairs = {f"{B}x{n}": (B, n) for B, n in ((0, 3), (1, 1), (5, 2), (16, 3), (200, 2), (131, 7), (256, 5))}
    bench, size = {"moons": (200, 2)}, {"around": lambda r: (r, 4)}
    yield spec("gather_lanes", gather, pairs, bench, **size)
    yield spec("lanes_to_rows", to_rows, pairs, bench, **size)
    yield spec("rows_to_lanes", to_lanes, pairs, bench, **size)
    yield spec("narrow_cross_entropy", cross_entropy, pairs, bench, terms=lambda s: s[1], **size)
    bench = {"simple-chains": (10_000, 4)}
    for name, of_rows in losses.TARGETED.items():
        largest = 55 if name == "poisson" else 1  # number in a sum: exp(4), of which a target that is equal is taken
        terms = {"terms": lambda s, largest=largest: largest * s[1]}
        yield spec(f"narrow_{name}", targeted(of_rows), pairs, bench, **terms, **size)


def _of_steps():
    """Kernels that take many steps, of one net or of many."""
    nets = {
        **NONE_AND_ONE,
        "scalar": (9, (2, 3, 2), "sigmoid", 1),
        "no bias": (3, (5, 7, 3), "leaky_relu", 0),
        "sums": (5, (3, 9, 5), "gelu", 1),
        "deep": (4, (3, 4, 5, 17, 7), "softplus", 1),
    }
    two = {name: net for name, net in nets.items() if len(net[1]) == 3 and net[1][-1] == 2} | {
        "no bias": (3, (5, 7, 2), "leaky_relu", 0),
        "sums": (5, (3, 9, 2), "gelu", 1),
        "no activation": (4, (3, 1, 2), "identity", 1),
    }
    bench = {"scalar": (128, (2, 3, 2), "sigmoid", 1), "16": (128, (16, 16, 4), "tanh", 1)}
    size = {"terms": lambda s: s[0] * sum(s[1]), "flops": lambda s: 3 * _flops(s)}
    yield spec("narrow_sgd", sgd, nets, bench, **size)
    yield spec("narrow_sgd_two", sgd, two, {"scalar": bench["scalar"]}, **size)
    nets = {**BATCHES, "deep": (128, (4, 3, 17, 6, 7), "softplus", 1)}
    terms, flops = lambda s: 9 * (s[0] + sum(s[1])), lambda s: 3 * 3 * LANES * _flops(s)
    yield spec("narrow_many", nets_at_once, nets, MOONS, terms=terms, flops=flops, rounded=True)
    yield spec("record_steps", record, VECTORS, {"scalar": (128,)})


def _flops(shape):
    samples, widths, *_ = shape
    return 2 * samples * sum(inputs * units for inputs, units in itertools.pairwise(widths))
