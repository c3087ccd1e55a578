"""The common kernels as functions on ordinary arrays.

Each function checks its arguments, then runs the serial or the parallel version of its kernel, whichever is faster for
their size. Functions return new arrays, except the updates, which work in place.

    from fastnn import ops

    out = ops.gelu_forward(ops.matmul(x, w))

Arrays may be strided, read-only, big-endian or lists. Floats are float32 or float64, one of the two in a call; lists
and arrays of whole numbers take the dtype of the float arrays beside them, or float64. Results have that dtype.

TypeError means a dtype that does not fit, ShapeError a shape that does not, DataError numbers out of range; the message
names the array, what it is and what was expected.

- `products` (matrices, and biases of rows), `activations`, `softmax` (and its cross-entropy)
- `rows` (embeddings, sums of parts of a row, gathering, the order of samples), `updates` (steps of optimizers)
- `arguments`: what checks the arguments of all of them, and makes their results
"""

from fastnn.ops.activations import (
    elu_backward,
    elu_forward,
    gelu_backward,
    gelu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    silu_backward,
    silu_forward,
    softplus_backward,
    softplus_forward,
    tanh_backward,
    tanh_forward,
)
from fastnn.ops.products import (
    bias_backward,
    bias_forward,
    matmul,
    matmul_wt,
    matmul_xt,
)
from fastnn.ops.rows import (
    embedding_backward,
    embedding_forward,
    gather_rows,
    permuted_indices,
    sum_backward,
    sum_forward,
)
from fastnn.ops.softmax import (
    softmax,
    softmax_cross_entropy,
)
from fastnn.ops.updates import (
    momentum_update,
    nesterov_update,
    sgd_update,
)

__all__ = [
    "bias_backward", "bias_forward", "elu_backward", "elu_forward", "embedding_backward", "embedding_forward",
    "gather_rows", "gelu_backward", "gelu_forward", "leaky_relu_backward", "leaky_relu_forward", "matmul",
    "matmul_wt", "matmul_xt", "momentum_update", "nesterov_update", "permuted_indices", "relu_backward",
    "relu_forward", "sgd_update", "sigmoid_backward", "sigmoid_forward", "silu_backward", "silu_forward",
    "softmax", "softmax_cross_entropy", "softplus_backward", "softplus_forward", "sum_backward", "sum_forward",
    "tanh_backward", "tanh_forward",
]  # fmt: skip
