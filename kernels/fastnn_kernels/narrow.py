"""Dense layers of few units: all of them in one kernel forward, in one backward, with samples side by side.

`_narrow.layout` says where everything lies. An output is one chain of fused multiply-adds in ascending order of the
inputs, then of the bias, as in `matmul` and `bias_forward`: with the same bits. The gradient of a weight is summed over
the samples of a block in lanes (`_narrow.products`), then over the blocks in ascending order. So its bits depend
neither on the processor's registers nor on the number of threads.
"""

from numba import prange

from fastnn_kernels._jit import always_inline, kernel, view
from fastnn_kernels._memory.view import flattened, matrix
from fastnn_kernels._narrow.layout import CODES, FIELDS, block_of, fill
from fastnn_kernels._narrow.products import lane_products
from fastnn_kernels._products.product import product, product_xt
from fastnn_kernels._tuning import BLOCK, ELEMENT, MULTIPLY_ADD, TRANSCENDENTAL
from fastnn_kernels.activation import ACTIVATIONS

__all__ = ["gather_lanes", "lanes_to_rows", "narrow_backward", "narrow_forward", "rows_to_lanes"]


@view
def _weights(parameters, layer):
    """w and, behind it, the bias: (inputs + bias, stride)"""
    rows = layer[FIELDS.inputs] + layer[FIELDS.bias]
    return matrix(parameters, layer[FIELDS.weights], rows, layer[FIELDS.stride])


def _forward_of(code, activation, otherwise):
    """A function that computes the activation `code` in place, and leaves others to `otherwise`."""
    f = activation.f

    def activate(given, y):
        if given != code:
            otherwise(given, y)
            return
        for s in range(y.shape[0]):
            y[s] = f(y[s])

    activate.__qualname__ = f"activate.{code}"
    return always_inline(activate)


def _backward_of(code, activation, otherwise):
    """A function that multiplies a gradient by the slope of the activation `code`, and leaves others to `otherwise`."""
    slope = activation.slope

    def multiply(given, d, z, y):
        if given != code:
            otherwise(given, d, z, y)
            return
        for s in range(d.shape[0]):
            d[s] *= slope(z[s], y[s])

    multiply.__qualname__ = f"multiply.{code}"
    return always_inline(multiply)


@always_inline
def _activate(given, y):
    """Nothing, for the identity."""


@always_inline
def _multiply_by_slope(given, d, z, y):
    """Nothing, for the identity."""


for _name, _activation in ACTIVATIONS.items():
    _activate = _forward_of(CODES[_name], _activation, _activate)
    _multiply_by_slope = _backward_of(CODES[_name], _activation, _multiply_by_slope)


@always_inline
def _forward_layer(values, parameters, layer):
    units, x, z, y = layer[FIELDS.units], layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y]
    w = _weights(parameters, layer)
    product_xt(values[z : z + units], w, 0, values[x : x + w.shape[0]])
    out = flattened(values, y, units)
    if z != y:
        sums = flattened(values, z, units)
        for s in range(out.shape[0]):
            out[s] = sums[s]
    _activate(layer[FIELDS.activation], out)
    fill(values[y + units], 0, 1)


@always_inline
def _backward_layer(partial, gradients, values, parameters, layer, wanted):
    units, x, z, y = layer[FIELDS.units], layer[FIELDS.x], layer[FIELDS.z], layer[FIELDS.y]
    w, dw = _weights(parameters, layer), _weights(partial, layer)
    d = gradients[layer[FIELDS.dy] : layer[FIELDS.dy] + units]
    dsums = flattened(gradients, layer[FIELDS.dy], units)
    _multiply_by_slope(layer[FIELDS.activation], dsums, flattened(values, z, units), flattened(values, y, units))
    lane_products(dw[:, :units], values[x : x + w.shape[0]], d)
    if wanted:
        inputs = layer[FIELDS.inputs]
        product(gradients[layer[FIELDS.dx] : layer[FIELDS.dx] + inputs], w[:inputs, :units], d)


def _cost(samples, geometry):
    """Nanoseconds of the products and activations of all layers, forward, on one core."""
    products = MULTIPLY_ADD * (geometry[:, FIELDS.inputs] * geometry[:, FIELDS.units]).sum()
    return samples * (products + TRANSCENDENTAL * geometry[:, FIELDS.units].sum())


@kernel(work=lambda values, indices, parameters, geometry: _cost(indices.size, geometry))
def narrow_forward(values, indices, parameters, geometry):
    """The outputs of all layers: y = f(x · w + b) for one after the other

    values     : (blocks, rows · BLOCK), in blocks; the rows of the first layer's inputs hold these and a row of ones
    indices    : (B,), of which only the number is used
    parameters : (P,), flat
    geometry   : (layers, fields) int64
    """
    for b in prange(values.shape[0]):
        block = block_of(values, b, indices.shape[0])
        for layer in range(geometry.shape[0]):
            _forward_layer(block, parameters, geometry[layer])


@kernel(
    work=lambda partial, gradients, values, indices, parameters, geometry: 2 * _cost(indices.size, geometry), outputs=2
)
def narrow_backward(partial, gradients, values, indices, parameters, geometry):
    """The gradients of all weights and biases, those of each block by themselves, from that of the last outputs

    partial    : (blocks, P), laid out like the parameters; what belongs to no weight stays
    gradients  : (blocks, rows · BLOCK), in blocks; in the last layer's rows dy that of its outputs. All are overwritten
    values, indices, parameters, geometry : as `narrow_forward` left them
    """
    for b in prange(values.shape[0]):
        block, dblock = block_of(values, b, indices.shape[0]), block_of(gradients, b, indices.shape[0])
        for layer in range(geometry.shape[0] - 1, -1, -1):
            _backward_layer(partial[b], dblock, block, parameters, geometry[layer], layer > 0)


@kernel(work=lambda values, source, indices: 4 * ELEMENT * indices.size * source.shape[1])
def gather_lanes(values, source, indices):
    """In each block: row j of its samples = column j of source[indices]; behind these rows one of ones

    values  : (blocks, rows · BLOCK), in blocks; columns behind the last sample repeat it
    source  : (N, C), any integer or float dtype, C < rows
    indices : (B,) in [0, N)
    """
    for b in prange(values.shape[0]):
        block = block_of(values, b, indices.shape[0])
        last = min(BLOCK, indices.shape[0] - b * BLOCK) - 1
        for s in range(block.shape[1]):
            row = source[indices[b * BLOCK + min(s, last)]]
            for j in range(row.shape[0]):
                block[j, s] = row[j]
        fill(block[source.shape[1]], 0, 1)


@kernel(work=lambda out, values, at, n: 4 * ELEMENT * n * out.shape[0])
def lanes_to_rows(out, values, at, n):
    """out[i, j] = row at + j of sample i's column

    out : (B, ≥ n); columns from n on stay    values : (blocks, rows · BLOCK), in blocks
    """
    for b in prange(values.shape[0]):
        block = block_of(values, b, out.shape[0])
        own = out[b * BLOCK : b * BLOCK + BLOCK]
        for s in range(own.shape[0]):
            for j in range(n):
                own[s, j] = block[at + j, s]


@kernel(work=lambda gradients, dout, n: 4 * ELEMENT * n * dout.shape[0])
def rows_to_lanes(gradients, dout, n):
    """Row j of sample i's column = dout[i, j], for j < n; 0 in columns behind the last sample

    gradients : (blocks, rows · BLOCK), in blocks; rows from n on stay    dout : (B, ≥ n)
    """
    for b in prange(gradients.shape[0]):
        block = block_of(gradients, b, dout.shape[0])
        own = dout[b * BLOCK : b * BLOCK + BLOCK]
        for j in range(n):
            for s in range(own.shape[0]):
                block[j, s] = own[s, j]
            fill(block[j], own.shape[0], 0)
