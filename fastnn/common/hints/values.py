"""Values of Keras, PyTorch and scikit-learn, such as the name of a loss, and what a user of fastnn writes instead."""

from collections.abc import Mapping

_SOFTMAX = (
    "softmax_cross_entropy applies it itself: leave the last layer's activation out; predict gives the probabilities"
)
_SOFTMAX_LOSS = 'use "softmax_cross_entropy", with labels and scores: it applies softmax itself'
_BINARY_LOSS = 'use "binary_cross_entropy", with scores: it applies the sigmoid itself'
_OWN_METRIC = (
    "give a function such as scikit-learn's: metrics=[('{0}', lambda y, p: {0}_score(y, p.argmax(axis=1)))], with "
    "average='macro' where there are more than two classes; with one output p > 0.5 instead of p.argmax(axis=1)"
)
_OF_SCORES = (
    "give a function such as scikit-learn's: metrics=[('auc', lambda y, p: roc_auc_score(y, p[:, 1]))]; "
    "with one output metrics=[roc_auc_score]"
)
QUANTILE = (
    "use fn.ElementwiseLoss(value=lambda s, t: max(0.9 * (t - s), -0.1 * (t - s)), "
    "gradient=lambda s, t: -0.9 if t > s else 0.1), of the quantile 0.9"
)
_NO_REDUCTION = 'a step needs one number: use "mean" or "sum"'

# The kind of a value -> a foreign value, in small letters -> what to write.
VALUES: Mapping[str, Mapping[str, str]] = {
    "activation": {
        "softmax": _SOFTMAX,
        "log_softmax": _SOFTMAX,
        "linear": 'use "identity"',
        "none": 'use "identity"',
        "logistic": 'use "sigmoid"',
        "swish": 'use "silu"',
        "leakyrelu": 'use "leaky_relu"',
    },
    "loss": {
        **dict.fromkeys(("cross_entropy", "crossentropy", "nll", "nll_loss", "log_loss", "softmax"), _SOFTMAX_LOSS),
        "sparse_categorical_crossentropy": _SOFTMAX_LOSS,
        "categorical_crossentropy": f"{_SOFTMAX_LOSS}; of one-hot rows y the labels are y.argmax(axis=1)",
        **dict.fromkeys(
            ("bce", "binary_crossentropy", "bce_with_logits", "sigmoid_cross_entropy", "binary"), _BINARY_LOSS
        ),
        **dict.fromkeys(("mean_squared_error", "squared_error", "l2"), 'use "mse"'),
        **dict.fromkeys(("mean_absolute_error", "absolute_error", "l1"), 'use "mae"'),
        **dict.fromkeys(("smooth_l1", "smooth_l1_loss", "huber_loss"), 'use "huber"'),
        "rmse": 'use "mse", which has the same minimum',
        **dict.fromkeys(("quantile", "pinball"), QUANTILE),
    },
    "initializer": {
        "kaiming_normal": 'use "he_normal"',
        "kaiming_uniform": 'use "he_uniform"',
        "xavier_uniform": 'use "glorot_uniform"',
        "xavier_normal": 'use "glorot_normal"',
        "random_normal": 'use "normal"',
        "random_uniform": 'use "uniform"',
        "lecun_normal": "use fn.initializers.Scaled(1.0, average=False, uniform=False)",
        "lecun_uniform": "use fn.initializers.Scaled(1.0, average=False, uniform=True)",
    },
    "metric": {
        **{name: _OWN_METRIC.format(name) for name in ("f1", "precision", "recall")},
        **{f"{name}_score": _OWN_METRIC.format(name) for name in ("f1", "precision", "recall")},
        **dict.fromkeys(("auc", "roc_auc", "roc_auc_score"), _OF_SCORES),
    },
    "reduction": {
        "none": _NO_REDUCTION,
        "sum_over_batch_size": 'use "mean"',
        "batchmean": 'use "mean"',
        "auto": 'use "mean"',
    },
}
