"""Explicit-loop kernels on raw arrays: the arithmetic of fastnn.

Outputs come first, then inputs, then sizes. Matrices are C-contiguous and may have padding columns,
which are 0 and stay 0. Kernels trust their arguments: `fastnn.ops` is the door for arrays that need
checking. `kernel.serial(...)` and `kernel.parallel(...)` are the two compiled twins of `kernel.body`.
"""

from fastnn_kernels.activation import (
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)
from fastnn_kernels.batch import (
    advance_cursor,
    gather_labels,
    gather_rows,
    permuted_indices,
    record_step,
    sequential_indices,
)
from fastnn_kernels.bias import bias_backward, bias_forward
from fastnn_kernels.embedding import (
    embedding_backward,
    embedding_forward,
    group_by_row,
    sum_backward,
    sum_forward,
)
from fastnn_kernels.matmul import matmul, matmul_wt, matmul_xt, transpose
from fastnn_kernels.softmax import softmax_cross_entropy, softmax_forward
from fastnn_kernels.update import momentum_update, nesterov_update, sgd_update

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
