"""What every kernel must compute, as the shortest clear NumPy: same names, same arguments, no kernel imported.

This is the specification that users read and that tests and benchmarks compare with. Given float64
arrays a function computes in float64; outputs come first and are written in place; columns past the
logical width are left as the kernel leaves them.
"""

from fastnn_kernels.reference.activation import (
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
from fastnn_kernels.reference.adaptive_update import (
    adagrad_update,
    adam_update,
    adamw_update,
    rmsprop_update,
)
from fastnn_kernels.reference.batch import (
    advance_cursor,
    gather_rows,
    gather_values,
    normalise_weights,
    permuted_indices,
    record_step,
    select_rates,
    sequential_indices,
)
from fastnn_kernels.reference.bias import bias_backward, bias_forward, channel_bias_backward, channel_bias_forward
from fastnn_kernels.reference.conv import conv2d_backward_w, conv2d_backward_x, conv2d_forward
from fastnn_kernels.reference.dropout import dropout_backward, dropout_forward
from fastnn_kernels.reference.embedding import (
    clear_rows,
    embedding_backward,
    embedding_forward,
    group_by_row,
    sum_backward,
    sum_forward,
)
from fastnn_kernels.reference.losses import (
    binary_cross_entropy,
    huber,
    mae,
    mse,
    softmax_cross_entropy_smooth,
)
from fastnn_kernels.reference.matmul import matmul, matmul_wt, matmul_xt, transpose
from fastnn_kernels.reference.norm import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_infer,
    layer_norm_backward,
    layer_norm_forward,
)
from fastnn_kernels.reference.penalty import (
    add_l1,
    add_l2,
    clear,
    clip_by_value,
    max_norm_columns,
    penalty_l1,
    penalty_l2,
    scale_by_norm,
    sum_of_squares,
)
from fastnn_kernels.reference.pool import max_pool2d_backward, max_pool2d_forward
from fastnn_kernels.reference.softmax import softmax_cross_entropy, softmax_forward
from fastnn_kernels.reference.update import momentum_update, nesterov_update, sgd_update, sgd_update_rows

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
    "clear",
    "clear_rows",
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
    "sgd_update_rows",
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
