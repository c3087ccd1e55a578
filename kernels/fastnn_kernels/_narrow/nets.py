"""Layers of sixteen nets at once, a net in each lane: sums over inputs forward, over samples backward.

A number of all nets is a line of LANES numbers. Weights and sums over samples are rows of a line each; values are rows
of a line for each sample, side by side. Samples are the same for all nets: `spread_inputs` writes each number of them
into a whole line.

The inner loops run over samples, and hold the weights or the sums of a few inputs in registers. Loops over inputs end
after two or three turns: with them, and with those over the scores of a sample, a step of sixteen moons nets took 10.6
µs instead of 8.3 (one thread of a Zen 5, AVX-512).
"""

from fastnn_kernels._jit import always_inline
from fastnn_kernels._lanes.lanes import LANES, multiply_add, spread
from fastnn_kernels._lanes.memory import load, store
from fastnn_kernels._memory.view import flattened
from fastnn_kernels._narrow.layout import FIELDS
from fastnn_kernels.narrow import _activate, _multiply_by_slope


@always_inline
def spread_inputs(values, layer, x, first):
    """The rows of the first layer's inputs: those of the samples from `first` on, the same for all nets"""
    for i in range(layer[FIELDS.inputs]):
        for s in range(values.shape[1] // LANES):
            store(spread(x[first + s, i]), values, layer[FIELDS.x] + i, s * LANES)


@always_inline
def _add_inputs(out, at, begun, values, row, weights, bias):
    """out[at] = out[at] if `begun`, else 0, then + values[row + i] · weights[i] for i = 0, 1, …, then + bias"""
    for c in range(0, out.shape[1], LANES):
        total = load(out, at, c) if begun else spread(type(out[0, 0])(0))
        for i in range(len(weights)):
            total = multiply_add(load(values, row + i, c), weights[i], total)
        store(total + bias, out, at, c)


@always_inline
def _sums(out, at, values, row, parameters, w, stride, inputs, bias):
    """Row `at` of `out`: for each sample Σ inputs · weights, in ascending order of the inputs, then + bias

    parameters[w + i · stride] is the weight of input i, bias a line.
    """
    zero = spread(type(parameters[0, 0])(0))  # chains may be empty, and so `out` and `values`
    head = (inputs - 1) % 4 + 1  # so many inputs first, then four at a time
    rest = bias if head == inputs else zero
    w0, w1 = load(parameters, w, 0), load(parameters, w + min(1, head - 1) * stride, 0)
    w2 = load(parameters, w + min(2, head - 1) * stride, 0)
    w3 = load(parameters, w + (head - 1) * stride, 0)
    if head == 1:
        _add_inputs(out, at, False, values, row, (w0,), rest)
    elif head == 2:
        _add_inputs(out, at, False, values, row, (w0, w1), rest)
    elif head == 3:
        _add_inputs(out, at, False, values, row, (w0, w1, w2), rest)
    else:
        _add_inputs(out, at, False, values, row, (w0, w1, w2, w3), rest)
    for i in range(head, inputs, 4):
        a = w + i * stride
        w0, w1 = load(parameters, a, 0), load(parameters, a + stride, 0)
        w2, w3 = load(parameters, a + 2 * stride, 0), load(parameters, a + 3 * stride, 0)
        _add_inputs(out, at, True, values, row + i, (w0, w1, w2, w3), bias if i + 4 == inputs else zero)


@always_inline
def forward_layer(values, parameters, layer):
    """The outputs of a layer, of the inputs in its rows of values"""
    units, z, y, w = layer[FIELDS.units], layer[FIELDS.z], layer[FIELDS.y], layer[FIELDS.weights]
    stride, inputs = layer[FIELDS.stride], layer[FIELDS.inputs]
    for j in range(units):
        bias = spread(type(parameters[0, 0])(0))
        if layer[FIELDS.bias]:
            bias = load(parameters, w + inputs * stride + j, 0)
        _sums(values, z + j, values, layer[FIELDS.x], parameters, w + j, stride, inputs, bias)
    out = flattened(values, y, units)
    if z != y:
        sums = flattened(values, z, units)
        for c in range(out.shape[0]):
            out[c] = sums[c]
    _activate(layer[FIELDS.activation], out)


@always_inline
def backward_layer(d, values, parameters, layer, number):
    """The gradient of the sums of layer `number` in place of that of its outputs; that of its inputs"""
    units, inputs, at = layer[FIELDS.units], layer[FIELDS.inputs], layer[FIELDS.dy]
    own, z, y = (
        flattened(d, at, units),
        flattened(values, layer[FIELDS.z], units),
        flattened(values, layer[FIELDS.y], units),
    )
    _multiply_by_slope(layer[FIELDS.activation], own, z, y)
    if number > 0:
        for i in range(inputs):
            w = layer[FIELDS.weights] + i * layer[FIELDS.stride]
            _sums(d, layer[FIELDS.dx] + i, d, at, parameters, w, 1, units, spread(type(parameters[0, 0])(0)))


@always_inline
def _two(sums, k, step, left, d, at, values, row, begin, end):
    """sums[k] and sums[k + step] = Σ input · d[at] of two inputs over the samples of a chain; `left`: of one, or two

    Where one is left it is taken twice: its sum is written again. The result is Σ d[at].
    """
    second = min(left - 1, 1)
    t0 = t1 = total = spread(type(sums[0, 0])(0))
    for c in range(begin, end, LANES):
        own = load(d, at, c)
        t0 = multiply_add(load(values, row, c), own, t0)
        t1 = multiply_add(load(values, row + second, c), own, t1)
        total = total + own
    store(t1, sums, k + second * step, 0)
    store(t0, sums, k, 0)
    return total


@always_inline
def _four(sums, k, step, left, d, at, values, row, begin, end):
    """`_two` of four inputs, or of three"""
    last = min(left - 1, 3)
    t0 = t1 = t2 = t3 = total = spread(type(sums[0, 0])(0))
    for c in range(begin, end, LANES):
        own = load(d, at, c)
        t0 = multiply_add(load(values, row, c), own, t0)
        t1 = multiply_add(load(values, row + 1, c), own, t1)
        t2 = multiply_add(load(values, row + 2, c), own, t2)
        t3 = multiply_add(load(values, row + last, c), own, t3)
        total = total + own
    store(t3, sums, k + last * step, 0)
    store(t2, sums, k + 2 * step, 0)
    store(t1, sums, k + step, 0)
    store(t0, sums, k, 0)
    return total


@always_inline
def chains_of_layer(sums, k, weights, d, values, layer, chains, first, count, lanes):
    """The gradients of a layer's weights and biases by the samples of each of `count` chains, the first of a block

    sums   : (weights · lanes, LANES), of each chain of a block; those of the layer are the rows from k on
    chains : where each chain of the data begins and ends; `first` is the number of the first one
    """
    units, inputs, bias, x = layer[FIELDS.units], layer[FIELDS.inputs], layer[FIELDS.bias], layer[FIELDS.x]
    for j in range(units):
        at = layer[FIELDS.dy] + j
        for i in range(0, inputs, 4):
            left = inputs - i
            for c in range(first, first + count):
                begin, end = (chains[c] - chains[first]) * LANES, (chains[c + 1] - chains[first]) * LANES
                own = c % lanes * weights + k + j
                if left > 2:
                    total = _four(sums, own + i * units, units, left, d, at, values, x + i, begin, end)
                else:
                    total = _two(sums, own + i * units, units, left, d, at, values, x + i, begin, end)
                if bias:
                    store(total, sums, own + inputs * units, 0)


@always_inline
def fold(gradients, sums, weights, chains):
    """Add the gradients of a block, the sum of its chains: the upper half to the lower one, until one is left"""
    half = chains // 2
    while half > 0:
        size = half * weights
        for k in range(size):
            store(load(sums, k, 0) + load(sums, k + size, 0), sums, k, 0)
        half //= 2
    for k in range(weights):
        store(load(gradients, k, 0) + load(sums, k, 0), gradients, k, 0)
