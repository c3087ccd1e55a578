"""Plain SGD on a net of few units, one sample a step: many steps in one kernel, so that nothing comes between them.

A step of such a net is some hundred multiply-adds. As operations of a program it takes ten calls, and most of its time
goes into them. Here a sample goes forward and backward through all layers and changes the weights, then the next one
does. Weights and values stay in the first cache. `_narrow.layout` says where they lie: a block of one sample, one
column. Every sum has the order of the other kernels for narrow layers, so the bits are theirs.
"""

from fastnn_kernels._jit import always_inline, kernel, view
from fastnn_kernels._math.elementary import exp_nonpositive, log_from_one, rounded_product
from fastnn_kernels._memory.view import matrix
from fastnn_kernels._narrow.layout import FIELDS
from fastnn_kernels.narrow import _activate, _multiply_by_slope, _weights

__all__ = ["narrow_sgd", "record_steps"]


@view
def _part(column, at, count):
    """column[at : at + count]"""
    return matrix(column, at, 1, count)[0]


@always_inline
def _forward_layer(values, parameters, layer):
    units, x, z, y = layer[FIELDS.units], layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y]
    w = _weights(parameters, layer)
    for j in range(units):
        total = type(values[0])(0)
        for i in range(w.shape[0]):
            total = values[x + i] * w[i, j] + total
        values[z + j] = total
    if z != y:
        for j in range(units):
            values[y + j] = values[z + j]
    _activate(layer[FIELDS.activation], _part(values, y, units))
    values[y + units] = 1


@always_inline
def _backward_layer(parameters, gradients, values, layer, lr, wanted):
    """Takes the step of the layer's weights; where it is wanted, with the gradient by the inputs before"""
    units, inputs = layer[FIELDS.units], layer[FIELDS.inputs]
    x, z, y, dx = layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y], layer[FIELDS.dx]
    w, d = _weights(parameters, layer), _part(gradients, layer[FIELDS.dy], units)
    _multiply_by_slope(layer[FIELDS.activation], d, _part(values, z, units), _part(values, y, units))
    if wanted:
        for i in range(inputs):
            total = type(values[0])(0)
            for j in range(units):
                total = w[i, j] * d[j] + total
            gradients[dx + i] = total
    for i in range(w.shape[0]):
        for j in range(units):
            w[i, j] -= lr * (values[x + i] * d[j])


@always_inline
def _judge(loss, correct, d, x, label, weight, s):
    """The gradient d of sample s by its scores x. loss: what `_finish` adds the logarithm to, correct: its argument

    The argument is a sum of exponentials, and so above 0: its sign says whether the label has the largest score.
    """
    largest, own, choice = x[0], x[0], 0
    for j in range(1, x.shape[0]):
        larger = x[j] > largest
        largest = x[j] if larger else largest
        choice = j if larger else choice
        own = x[j] if label == j else own
    total = type(weight)(0)
    for j in range(x.shape[0]):
        power = exp_nonpositive(x[j] - largest)  # added at once: 4 of 86 ns less than from d[j], of the net 2-3-2
        d[j] = power
        total = total + power
    loss[s] = largest - own
    correct[s] = total if choice == label else -total
    scale = weight / total
    for j in range(x.shape[0]):
        d[j] = rounded_product(d[j], scale) - (weight if label == j else type(weight)(0))


@always_inline
def _finish(loss, correct):
    """Loss and correctness of all samples, at once: in vector registers, and no step waits for a logarithm."""
    for s in range(loss.shape[0]):
        loss[s] = log_from_one(abs(correct[s])) + loss[s]
        correct[s] = 1 if correct[s] > 0 else 0


@kernel(outputs=4, scalar=True)
def narrow_sgd(loss, correct, parameters, memory, x, labels, loss_weight, table, cursor, geometry):
    """A step for each sample in turn: all layers forward, `softmax_cross_entropy`, all layers backward, w −= lr · dw

    loss, correct : (B,), of each sample before its step
    parameters    : (P,), flat
    memory        : (2, ≥ rows), for the values of a sample, which those of the last one stay, and their gradients
    x             : (B, ≥ C)    labels, loss_weight : (B,)
    table         : (steps of a call, ≥ 1), with the learning rates first    cursor : (4,) int64, see `batch`
    geometry      : (layers, fields) int64; the last layer has fewer than NARROW units
    """
    inputs, last = geometry[0, FIELDS.inputs], geometry[geometry.shape[0] - 1]
    column, gradients, units = memory[0], memory[1], last[FIELDS.units]
    for s in range(x.shape[0]):
        for j in range(inputs):
            column[j] = x[s, j]
        column[inputs] = 1
        for layer in range(geometry.shape[0]):
            _forward_layer(column, parameters, geometry[layer])
        d, scores = _part(gradients, last[FIELDS.dy], units), _part(column, last[FIELDS.y], units)
        _judge(loss, correct, d, scores, labels[s], loss_weight[s], s)
        lr = table[cursor[2] + s, 0]
        for layer in range(geometry.shape[0] - 1, -1, -1):
            _backward_layer(parameters, gradients, column, geometry[layer], lr, layer > 0)
    _finish(loss, correct)


@kernel(outputs=3)
def record_steps(losses, sums, cursor, loss, correct, sample_weight, loss_weight):
    """Record each sample as a step of its own, as `record_step` does

    losses, sums, cursor, loss, correct, sample_weight, loss_weight : as there
    """
    for i in range(loss.shape[0]):
        step, weight = cursor[1] + i, type(losses[0])(sample_weight[i])
        sums[step, 3] = losses[step]
        losses[step] += rounded_product(type(losses[0])(loss_weight[i]), type(losses[0])(loss[i]))
        sums[step, 0] = weight * type(losses[0])(loss[i])
        sums[step, 1] = weight * type(losses[0])(correct[i])
        sums[step, 2] = weight
    cursor[0] += loss.shape[0]
    cursor[1] += loss.shape[0]
    cursor[2] += loss.shape[0]
