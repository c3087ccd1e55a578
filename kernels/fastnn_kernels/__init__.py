"""Explicit-loop kernels on raw arrays: the arithmetic of fastnn.

Outputs come first, then inputs, then sizes. Matrices are C-contiguous and may have padding columns,
which are 0 and stay 0. Kernels trust their arguments: `fastnn.ops` is the door for arrays that need
checking. `kernel.serial(...)` and `kernel.parallel(...)` are the two compiled twins of `kernel.body`.
"""

from fastnn_kernels.activation import (
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
from fastnn_kernels.adaptive_update import (
    adagrad_update,
    adam_update,
    adamw_update,
    rmsprop_update,
)
from fastnn_kernels.batch import (
    advance_cursor,
    gather_rows,
    gather_values,
    normalise_weights,
    permuted_indices,
    record_step,
    select_rates,
    sequential_indices,
)
from fastnn_kernels.bias import bias_backward, bias_forward, channel_bias_backward, channel_bias_forward
from fastnn_kernels.conv import conv2d_backward_w, conv2d_backward_x, conv2d_forward
from fastnn_kernels.dropout import dropout_backward, dropout_forward
from fastnn_kernels.embedding import (
    embedding_backward,
    embedding_forward,
    group_by_row,
    sum_backward,
    sum_forward,
)
from fastnn_kernels.losses import (
    binary_cross_entropy,
    huber,
    mae,
    mse,
    softmax_cross_entropy_smooth,
)
from fastnn_kernels.matmul import matmul, matmul_wt, matmul_xt, transpose
from fastnn_kernels.norm import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_infer,
    layer_norm_backward,
    layer_norm_forward,
)
from fastnn_kernels.penalty import (
    add_l1,
    add_l2,
    clip_by_value,
    max_norm_columns,
    penalty_l1,
    penalty_l2,
    scale_by_norm,
    sum_of_squares,
)
from fastnn_kernels.pool import max_pool2d_backward, max_pool2d_forward
from fastnn_kernels.softmax import softmax_cross_entropy, softmax_forward
from fastnn_kernels.update import momentum_update, nesterov_update, sgd_update

__all__ = [
    "adagrad_update",
    "adam_update",
    "adamw_update",
    "add_l1",
    "add_l2",
    "advance_cursor",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_infer",
    "bias_backward",
    "bias_forward",
    "binary_cross_entropy",
    "channel_bias_backward",
    "channel_bias_forward",
    "clip_by_value",
    "conv2d_backward_w",
    "conv2d_backward_x",
    "conv2d_forward",
    "dropout_backward",
    "dropout_forward",
    "elu_backward",
    "elu_forward",
    "embedding_backward",
    "embedding_forward",
    "gather_rows",
    "gather_values",
    "gelu_backward",
    "gelu_forward",
    "group_by_row",
    "huber",
    "layer_norm_backward",
    "layer_norm_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "mae",
    "matmul",
    "matmul_wt",
    "matmul_xt",
    "max_norm_columns",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "momentum_update",
    "mse",
    "nesterov_update",
    "normalise_weights",
    "penalty_l1",
    "penalty_l2",
    "permuted_indices",
    "record_step",
    "relu_backward",
    "relu_forward",
    "rmsprop_update",
    "scale_by_norm",
    "select_rates",
    "sequential_indices",
    "sgd_update",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_smooth",
    "softmax_forward",
    "softplus_backward",
    "softplus_forward",
    "sum_backward",
    "sum_forward",
    "sum_of_squares",
    "tanh_backward",
    "tanh_forward",
    "transpose",
]
