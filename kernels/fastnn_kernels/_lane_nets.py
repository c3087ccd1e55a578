"""Layers of sixteen nets at once, a net in each lane: sums over inputs forward, over samples backward.

A number of all nets is a line of LANES numbers. Weights and sums over samples are rows of a line each; values are rows
of a line for each sample, side by side. Samples themselves are the same for all nets: one number of them is read and
spread over all lanes.
"""

from fastnn_kernels._jit import always_inline
from fastnn_kernels._lane_memory import load, store
from fastnn_kernels._lanes import LANES, multiply_add, spread
from fastnn_kernels._narrow_layout import FIELDS
from fastnn_kernels._view import flattened
from fastnn_kernels.narrow import _activate, _multiply_by_slope


@always_inline
def _number(x, first, i, s, values, row):
    """Input i of sample s of all nets: of the data, if it is the `first` layer; else of the row before"""
    return spread(x[first + s, i]) if row < 0 else load(values, row + i, s * LANES)


@always_inline
def _sums_of_four(out, at, s, weights, w, stride, inputs, bias, x, first, values, row):
    """Four samples: four chains of sums, which wait for nothing but themselves"""
    t0 = t1 = t2 = t3 = spread(type(out[0, 0])(0))
    for i in range(inputs):
        one = load(weights, w + i * stride, 0)
        t0 = multiply_add(_number(x, first, i, s, values, row), one, t0)
        t1 = multiply_add(_number(x, first, i, s + 1, values, row), one, t1)
        t2 = multiply_add(_number(x, first, i, s + 2, values, row), one, t2)
        t3 = multiply_add(_number(x, first, i, s + 3, values, row), one, t3)
    if bias:
        one = load(weights, w + inputs * stride, 0)
        t0, t1, t2, t3 = t0 + one, t1 + one, t2 + one, t3 + one
    store(t0, out, at, s * LANES)
    store(t1, out, at, s * LANES + LANES)
    store(t2, out, at, s * LANES + 2 * LANES)
    store(t3, out, at, s * LANES + 3 * LANES)


@always_inline
def _sums(out, at, weights, w, stride, inputs, bias, x, first, values, row):
    """Row `at` of `out`: for each sample Σ inputs · weights, in ascending order of the inputs, then the bias"""
    count = out.shape[1] // LANES
    whole = count - count % 4
    for s in range(0, whole, 4):
        _sums_of_four(out, at, s, weights, w, stride, inputs, bias, x, first, values, row)
    for s in range(whole, count):
        total = spread(type(out[0, 0])(0))
        for i in range(inputs):
            total = multiply_add(_number(x, first, i, s, values, row), load(weights, w + i * stride, 0), total)
        if bias:
            total = total + load(weights, w + inputs * stride, 0)
        store(total, out, at, s * LANES)


@always_inline
def forward_layer(values, parameters, layer, number, x, first):
    """The outputs of layer `number` of the samples from `first` on"""
    units, z, y, w = layer[FIELDS.units], layer[FIELDS.z], layer[FIELDS.y], layer[FIELDS.weights]
    stride, inputs, bias = layer[FIELDS.stride], layer[FIELDS.inputs], layer[FIELDS.bias]
    for j in range(units):
        if number == 0:
            _sums(values, z + j, parameters, w + j, stride, inputs, bias, x, first, values, -1)
        else:
            _sums(values, z + j, parameters, w + j, stride, inputs, bias, x, first, values, layer[FIELDS.x])
    out = flattened(values, y, units)
    if z != y:
        sums = flattened(values, z, units)
        for c in range(out.shape[0]):
            out[c] = sums[c]
    _activate(layer[FIELDS.activation], out)


@always_inline
def _chain(sums, k, units, inputs, bias, d, at, x, first, values, row, begin, end):
    """sums[k + i · units] = Σ input i · d[at] over the samples of a chain, and behind these rows Σ d[at]

    Four inputs at a time. Where fewer are left the last one is taken again: its sum is written again.
    """
    zero, last = spread(type(sums[0, 0])(0)), inputs - 1
    for i0 in range(0, inputs, 4):
        i1, i2, i3 = min(i0 + 1, last), min(i0 + 2, last), min(i0 + 3, last)
        t0 = t1 = t2 = t3 = total = zero
        for s in range(begin, end):
            own = load(d, at, s * LANES)
            t0 = multiply_add(_number(x, first, i0, s, values, row), own, t0)
            t1 = multiply_add(_number(x, first, i1, s, values, row), own, t1)
            t2 = multiply_add(_number(x, first, i2, s, values, row), own, t2)
            t3 = multiply_add(_number(x, first, i3, s, values, row), own, t3)
            total = total + own
        store(t3, sums, k + i3 * units, 0)
        store(t2, sums, k + i2 * units, 0)
        store(t1, sums, k + i1 * units, 0)
        store(t0, sums, k + i0 * units, 0)
        if bias:
            store(total, sums, k + inputs * units, 0)


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
            _sums(d, layer[FIELDS.dx] + i, parameters, w, 1, units, 0, d, 0, d, at)


@always_inline
def chain_of_layer(sums, k, d, values, layer, number, x, first, begin, end):
    """The gradients of a layer's weights and biases by the samples of one chain, from row k of `sums` on"""
    units, inputs, bias = layer[FIELDS.units], layer[FIELDS.inputs], layer[FIELDS.bias]
    for j in range(units):
        at = layer[FIELDS.dy] + j
        if number == 0:
            _chain(sums, k + j, units, inputs, bias, d, at, x, first, values, -1, begin, end)
        else:
            _chain(sums, k + j, units, inputs, bias, d, at, x, first, values, layer[FIELDS.x], begin, end)


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
