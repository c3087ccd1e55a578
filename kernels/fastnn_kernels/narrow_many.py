"""Sixteen narrow nets of one shape on the same samples: whole steps of plain SGD, a net in each lane of a register.

A step of one small net is a dozen short loops over its samples, and most of its time goes into their beginnings and
ends, and into sums that wait for themselves. Here a number of all nets is one line, and what is done once for a step is
done once for sixteen. Every sum has the order that it has in the kernels of one net, so each net has the same bits.
"""

import numpy as np

from fastnn_kernels._jit import always_inline, kernel
from fastnn_kernels._lanes.lanes import LANES, choose, larger, rounded_product, spread, widened
from fastnn_kernels._lanes.memory import load, store
from fastnn_kernels._math.elementary import log_from_one, stored_exp_nonpositive
from fastnn_kernels._memory.view import flattened, matrix
from fastnn_kernels._narrow.layout import FIELDS
from fastnn_kernels._narrow.nets import backward_layer, chains_of_layer, fold, forward_layer, spread_inputs
from fastnn_kernels._tuning import ALIGNMENT

__all__ = ["narrow_many"]

CHAINS = 4  # of samples at a time: their values stay in the first cache


@always_inline
def _below_largest(d, values, at, n):
    """d[j] = score j − the largest"""
    for c in range(0, d.shape[1], LANES):
        store(load(values, at, c), d, n, c)
    for j in range(1, n):
        for c in range(0, d.shape[1], LANES):
            store(larger(load(values, at + j, c), load(d, n, c)), d, n, c)
    for j in range(n):
        for c in range(0, d.shape[1], LANES):
            store(load(values, at + j, c) - load(d, n, c), d, j, c)


@always_inline
def _of_labels(loss, correct, d, labels, first):
    """loss = the label's score − the largest; correct = 1 where the label's is the first of the largest, else 0"""
    zero, one = spread(type(loss[0, 0])(0)), spread(type(loss[0, 0])(1))  # chains may be empty, and so d
    for s in range(d.shape[1] // LANES):
        c, label = s * LANES, np.int64(labels[first + s])
        own = load(d, label, c)
        right = choose(zero, own, zero, one)
        for j in range(label):
            right = choose(zero, load(d, j, c), right, zero)
        store(own, loss, first + s, 0)
        store(right, correct, first + s, 0)


@always_inline
def _gradients_of_scores(correct, d, n, labels, loss_weight, first):
    """d = the gradients, of the exponentials in d, and row n their sum. correct = 0 where that is NaN"""
    zero = spread(type(correct[0, 0])(0))
    for c in range(0, d.shape[1], LANES):
        store(load(d, 0, c), d, n, c)
    for j in range(1, n):
        for c in range(0, d.shape[1], LANES):
            store(load(d, n, c) + load(d, j, c), d, n, c)
    for s in range(d.shape[1] // LANES):
        c, weight = s * LANES, spread(loss_weight[first + s])
        total = load(d, n, c)
        store(weight / total, d, n + 1, c)
        store(choose(total, zero, load(correct, first + s, 0), zero), correct, first + s, 0)
    for j in range(n):
        for c in range(0, d.shape[1], LANES):
            store(rounded_product(load(d, j, c), load(d, n + 1, c)), d, j, c)
    for s in range(d.shape[1] // LANES):
        label, c = np.int64(labels[first + s]), s * LANES
        store(load(d, label, c) - spread(loss_weight[first + s]), d, label, c)


@always_inline
def _judge(loss, correct, d, values, at, n, labels, loss_weight, first):
    """`narrow_cross_entropy` of the samples from `first` on; rows n and n + 1 of d are overwritten"""
    _below_largest(d, values, at, n)
    _of_labels(loss, correct, d, labels, first)
    e = flattened(d, 0, n)
    for c in range(e.shape[0]):
        e[c] = stored_exp_nonpositive(e[c])
    _gradients_of_scores(correct, d, n, labels, loss_weight, first)
    totals, own = d[n], flattened(loss, first, d.shape[1] // LANES)
    for c in range(own.shape[0]):
        own[c] = log_from_one(totals[c]) - own[c]


@always_inline
def _squares(parameters, layer, first):
    """Σ w² over the columns first, first + 1, first + 2 and first + 3 of each eight, in pairs: half of `sum_squares`"""
    s0 = s1 = s2 = s3 = spread(0.0)
    for i in range(layer[FIELDS.inputs]):
        for j in range(first, layer[FIELDS.units], 8):
            at, left = layer[FIELDS.weights] + i * layer[FIELDS.stride] + j, layer[FIELDS.units] - j
            v0, v1 = widened(load(parameters, at, 0)), widened(load(parameters, at + min(1, left - 1), 0))
            v2, v3 = (
                widened(load(parameters, at + min(2, left - 1), 0)),
                widened(load(parameters, at + min(3, left - 1), 0)),
            )
            s0 = v0 * v0 + s0
            s1 = v1 * v1 + s1 if left > 1 else s1
            s2 = v2 * v2 + s2 if left > 2 else s2
            s3 = v3 * v3 + s3 if left > 3 else s3
    return (s0 + s1) + (s2 + s3)


@always_inline
def _update(parameters, gradients, geometry, l2, lr):
    """w −= lr · (dw + λ · w), the second term for weights that have a penalty; no biases do"""
    k = 0
    for number in range(geometry.shape[0]):
        layer, strength = geometry[number], load(l2, number, 0)
        for i in range(layer[FIELDS.inputs] + layer[FIELDS.bias]):
            for j in range(layer[FIELDS.units]):
                at = layer[FIELDS.weights] + i * layer[FIELDS.stride] + j
                w, g = load(parameters, at, 0), load(gradients, k, 0)
                if i < layer[FIELDS.inputs] and l2[number, 0] != 0:
                    g = strength * w + g
                store(w - lr * g, parameters, at, 0)
                k += 1


@always_inline
def _penalise(record, step, parameters, geometry, l2):
    """The penalties ½ · λ · Σ w² of a step"""
    total = spread(0.0)
    for number in range(geometry.shape[0]):
        if l2[number, 0] != 0:
            squares = _squares(parameters, geometry[number], 0) + _squares(parameters, geometry[number], 4)
            total = spread(0.5) * widened(load(l2, number, 0)) * squares + total
    store(total, record, step, 3 * LANES)


@always_inline
def _record(record, step, loss, correct, loss_weight, places):
    """What `record_step` records, of samples in their own order; all weigh 1"""
    own = total = hits = spread(0.0)
    for s in range(places.shape[0]):
        at = places[s]
        one = widened(load(loss, at, 0))
        own = spread(np.float64(loss_weight[at])) * one + own
        total = total + one
        hits = hits + widened(load(correct, at, 0))
    store(load(record, step, 3 * LANES) + own, record, step, 0)
    store(total, record, step, LANES)
    store(hits, record, step, 2 * LANES)


@kernel(outputs=8)
def narrow_many(
    record, parameters, gradients, sums, loss, correct, values, d,
    rates, l2, x, labels, loss_weight, chains, places, geometry,
):  # fmt: skip
    """Steps that each take all samples: all layers forward, cross-entropy, all layers backward, w −= lr · dw

    Samples come in the order of `in_chains`. A net is a lane: LANES numbers side by side, one of each net.

    record        : (steps, 4 · LANES) float64: of each step the loss with penalties, Σ loss, Σ correct, the penalties
    parameters    : (P, LANES), laid out like the flat parameters of one net
    gradients     : (W, LANES); W: the weights and biases of all layers. This and what follows is working memory, in
                    the end 0, but for loss and correct of the last step
    sums          : (W · numbers of a line, LANES)
    loss, correct : (B, LANES), of each sample
    values, d     : (rows, columns), (rows, columns) for the values and gradients of CHAINS chains of samples
    rates, l2     : (steps, LANES) learning rates; (layers, LANES) penalties, of a layer either all above 0 or none
    x             : (B, C)    labels : (B,) below the units of the last layer    loss_weight : (B,)
    chains        : where each chain begins and ends, of `in_chains`
    places        : (B,), of each sample its place in x
    geometry      : (layers, fields) int64
    """
    lanes, weights, last = ALIGNMENT // x.itemsize, gradients.shape[0], geometry[geometry.shape[0] - 1]
    flat_values, flat_d = flattened(values, 0, values.shape[0]), flattened(d, 0, d.shape[0])
    for step in range(rates.shape[0]):
        for k in range(weights):
            store(spread(type(parameters[0, 0])(0)), gradients, k, 0)
        for chain in range(0, chains.shape[0] - 1, CHAINS):
            first, count = chains[chain], chains[chain + CHAINS] - chains[chain]
            own = matrix(flat_values, 0, values.shape[0], count * LANES)
            down = matrix(flat_d, 0, d.shape[0], count * LANES)
            spread_inputs(own, geometry[0], x, first)
            for number in range(geometry.shape[0]):
                forward_layer(own, parameters, geometry[number])
            _judge(loss, correct, down, own, last[FIELDS.y], last[FIELDS.units], labels, loss_weight, first)
            k = weights
            for number in range(geometry.shape[0] - 1, -1, -1):
                layer = geometry[number]
                k -= (layer[FIELDS.inputs] + layer[FIELDS.bias]) * layer[FIELDS.units]
                backward_layer(down, own, parameters, layer, number)
                chains_of_layer(sums, k, weights, down, own, layer, chains, chain, CHAINS, lanes)
            if (chain + CHAINS) % lanes == 0:
                fold(gradients, sums, weights, lanes)
        _penalise(record, step, parameters, geometry, l2)
        _update(parameters, gradients, geometry, l2, load(rates, step, 0))
        _record(record, step, loss, correct, loss_weight, places)
    for work in (gradients, sums, values, d):
        flat = flattened(work, 0, work.shape[0])
        for c in range(flat.shape[0]):
            flat[c] = 0
