"""What every kernel must compute, as the shortest clear NumPy: same names, same arguments, no kernel imported.

This is the specification that users read and that tests and benchmarks compare with. Given float64
arrays a function computes in float64; outputs come first and are written in place; columns past the
logical width are left as the kernel leaves them.
"""

from fastnn_kernels.reference.activation import (
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)
from fastnn_kernels.reference.batch import (
    advance_cursor,
    gather_labels,
    gather_rows,
    permuted_indices,
    record_step,
    sequential_indices,
)
from fastnn_kernels.reference.bias import bias_backward, bias_forward
from fastnn_kernels.reference.embedding import (
    embedding_backward,
    embedding_forward,
    group_by_row,
    sum_backward,
    sum_forward,
)
from fastnn_kernels.reference.matmul import matmul, matmul_wt, matmul_xt, transpose
from fastnn_kernels.reference.softmax import softmax_cross_entropy, softmax_forward
from fastnn_kernels.reference.update import momentum_update, nesterov_update, sgd_update

__all__ = [
    "advance_cursor",
    "bias_backward",
    "bias_forward",
    "embedding_backward",
    "embedding_forward",
    "gather_labels",
    "gather_rows",
    "group_by_row",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "matmul",
    "matmul_wt",
    "matmul_xt",
    "momentum_update",
    "nesterov_update",
    "permuted_indices",
    "record_step",
    "relu_backward",
    "relu_forward",
    "sequential_indices",
    "sgd_update",
    "sigmoid_backward",
    "sigmoid_forward",
    "softmax_cross_entropy",
    "softmax_forward",
    "sum_backward",
    "sum_forward",
    "tanh_backward",
    "tanh_forward",
    "transpose",
]
