"""scikit-learn's own MLPClassifier and MLPRegressor to fastnn models, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common.plain import plain
from fastnn.data.column_names import of_features
from fastnn.interop.packages import applied_by, checked_model, package
from fastnn.models import Model, Sequential
from fastnn.nn.layers import Activation, Dense, Dropout, Flatten
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import MSE, BinaryCrossEntropy, Loss, Poisson, SoftmaxCrossEntropy

TO_FASTNN: dict[str, ActivationName] = {"logistic": "sigmoid", "identity": "identity", "tanh": "tanh", "relu": "relu"}
TO_SKLEARN: dict[str, str] = {ours: theirs for theirs, ours in TO_FASTNN.items()}
LOSSES: dict[str, Loss] = {  # by what scikit-learn makes predictions of scores with
    "softmax": SoftmaxCrossEntropy(),
    "logistic": BinaryCrossEntropy(),
    "identity": MSE(scale=0.5),
    "exp": Poisson(),
}


@dataclass
class DenseLayer:
    """A dense layer: w (inputs, units), b (units,), and fastnn's name of its activation."""

    w: np.ndarray
    b: np.ndarray
    activation: str


def from_sklearn(estimator: Any) -> Sequential:
    """A model with the weights of a fitted MLPClassifier or MLPRegressor of scikit-learn, in their dtype.

    Its predictions are those of `predict_proba`, for two classes (N, 1): the probability of the second; of a regressor
    those of `predict`, (N, outputs). `meta["classes"]` holds the labels of the classes, `columns` the names of
    features, if there are any. The optimizer's state and the penalty `alpha` are not taken over.

    Args:
        estimator: A fitted estimator of scikit-learn.

    Raises:
        TypeError: For another estimator.
        ValueError: For one that is not fitted.
        MissingPackageError: Without scikit-learn.

    Examples:
        >>> from sklearn.neural_network import MLPClassifier
        >>> estimator = MLPClassifier(8, solver="lbfgs", random_state=0).fit(x, y)
        >>> model = fn.interop.from_sklearn(estimator)
        >>> bool(np.allclose(model.predict(x), estimator.predict_proba(x), atol=1e-5))
        True
    """
    mlp = package("sklearn.neural_network", "from_sklearn", "sklearn")
    if not isinstance(estimator, mlp.MLPClassifier | mlp.MLPRegressor):
        hint = "; its model is estimator.model_" if hasattr(estimator, "model_") else ""
        raise TypeError(
            f"from_sklearn: estimator is {type(estimator).__name__}, expected scikit-learn's MLPClassifier or "
            f"MLPRegressor{hint}"
        )
    if not hasattr(estimator, "coefs_"):
        raise ValueError("from_sklearn: the estimator is not fitted, expected one after fit(X, y)")
    if estimator.out_activation_ not in LOSSES:
        raise ValueError(f"from_sklearn: the outputs are {estimator.out_activation_} of scores, which no loss has")
    model = _model(estimator)
    model.columns = of_features(estimator)
    if hasattr(estimator, "classes_"):
        model.meta["classes"] = plain(list(estimator.classes_))
    return model


def _model(estimator: Any) -> Sequential:
    hidden = TO_FASTNN[estimator.activation]
    last = len(estimator.coefs_) - 1
    layers = [Dense(w.shape[1], "identity" if i == last else hidden) for i, w in enumerate(estimator.coefs_)]
    dtype: Any = estimator.coefs_[0].dtype.name
    loss = LOSSES[estimator.out_activation_]
    model = Sequential(layers, input_shape=estimator.coefs_[0].shape[0], loss=loss, dtype=dtype)
    for name, w, b in zip(model.network.names, estimator.coefs_, estimator.intercepts_, strict=True):
        model.set_parameters({f"{name}.w": w, f"{name}.b": b})
    return model


def to_sklearn(model: Model, *, classes: Sequence[Any] | None = None) -> Any:
    """scikit-learn's MLPClassifier or MLPRegressor with the weights of a model that is an MLP: equal predictions.

    A model with softmax_cross_entropy, or binary_cross_entropy, becomes a classifier, any other one a regressor. That
    of a model with poisson has loss="poisson", which came with scikit-learn 1.7. Two classes have one score in
    scikit-learn: the difference of a softmax's two. Of several labels at once (several outputs with
    binary_cross_entropy) the classes are numbers. The model must be dense layers in a row whose hidden ones have one
    activation, of identity, sigmoid, tanh and relu; dropout is left out, and so is preprocessing. Names of columns are
    those of features.

    Args:
        model: The model, which stays as it is.
        classes: The labels of the classes, in their order; None: those in `model.meta["classes"]`, else 0, 1, ...

    Raises:
        ValueError: For other models.
        MissingPackageError: Without scikit-learn.

    Examples:
        >>> model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
        >>> fn.interop.to_sklearn(model, classes=["a", "b", "c"]).classes_.tolist()
        ['a', 'b', 'c']
    """
    mlp = package("sklearn.neural_network", "to_sklearn", "sklearn")
    checked_model(model, "to_sklearn")
    chain = list(_dense_layers(model))
    hidden: set[str] = {layer.activation for layer in chain[:-1]}
    if len(hidden) > 1 or not hidden <= TO_SKLEARN.keys() or chain[-1].activation != "identity":
        told = ", ".join(layer.activation for layer in chain)
        raise ValueError(
            f"to_sklearn: the activations are {told}, expected one of {', '.join(TO_SKLEARN)} for all hidden layers, "
            "and identity at the end"
        )
    settings = {
        "hidden_layer_sizes": tuple(len(layer.b) for layer in chain[:-1]),
        "activation": TO_SKLEARN[next(iter(hidden), "identity")],
    }
    applied = applied_by(model.network.outputs[0], "scikit-learn")
    if model.network.loss.makes_probabilities:
        made = _classifier(mlp.MLPClassifier(**settings), model, chain, classes)
    else:
        made = _filled(_regressor(mlp, applied, settings), chain, np.ones((2, len(chain[-1].b))))
    if len(names := model.columns.get("x", ())) == len(chain[0].w):
        made.feature_names_in_ = np.array(names, dtype=object)
    return made


def _regressor(mlp: Any, applied: str, settings: dict[str, Any]) -> Any:
    """A regressor whose predictions are the scores themselves, or, by "exp", means of counts."""
    if applied != "exp":
        return mlp.MLPRegressor(**settings)
    if "loss" not in mlp.MLPRegressor().get_params():
        raise ValueError(
            "to_sklearn: the loss is poisson, expected scikit-learn 1.7 or later, whose MLPRegressor has it"
        )
    return mlp.MLPRegressor(loss="poisson", **settings)


def _classifier(estimator: Any, model: Model, chain: list[DenseLayer], classes: Sequence[Any] | None) -> Any:
    last, is_softmax = chain[-1], model.network.loss.applies == "softmax"
    if not is_softmax and len(last.b) > 1:
        if classes is not None:
            raise ValueError(f"to_sklearn: {len(last.b)} labels at once are numbers, expected classes=None")
        return _filled(estimator, chain, np.eye(len(last.b), dtype=int), classes=np.arange(len(last.b)))
    count = max(2, len(last.b))
    labels = np.asarray(classes if classes is not None else model.meta.get("classes", np.arange(count)))
    if labels.shape != (count,) or not np.array_equal(np.unique(labels), labels):
        raise ValueError(f"to_sklearn: classes is {labels.tolist()!r:.60}, expected {count} sorted labels")
    if is_softmax and count == 2:  # softmax of two scores: the logistic function of their difference
        chain = [*chain[:-1], DenseLayer(np.diff(last.w), np.diff(last.b), last.activation)]
    return _filled(estimator, chain, labels, classes=labels)


def _filled(estimator: Any, chain: list[DenseLayer], y: np.ndarray, **classes: Any) -> Any:
    """The estimator with these weights. A step on zeros and these targets makes all else that a fitted one has."""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    with np.errstate(all="ignore"):  # some BLAS libraries leave a sign of an error behind where there was none
        estimator.partial_fit(np.zeros((len(y), len(chain[0].w)), chain[0].w.dtype), y, **classes)
    estimator.coefs_ = [layer.w.copy() for layer in chain]
    estimator.intercepts_ = [layer.b.copy() for layer in chain]
    return estimator


def _dense_layers(model: Model) -> Iterator[DenseLayer]:
    """The dense layers of a model. ValueError if there are others that scikit-learn's networks cannot have."""
    found: DenseLayer | None = None
    if not model.network.graph.is_chain or len(model.network.input_shape) != 1:
        raise ValueError("to_sklearn: expected layers in a row that take samples (features,)")
    for call in model.network.calls:
        layer = call.layer
        if type(layer) is Dense and layer.tied_to is None:
            if found:
                yield found
            w = model.parameters[f"{call.owner}.w"]
            b = model.parameters[f"{call.owner}.b"] if layer.use_bias else np.zeros(layer.units, w.dtype)
            found = DenseLayer(w, b, layer.activation)
        elif type(layer) is Activation and found and found.activation == "identity":
            found.activation = layer.activation
        elif type(layer) not in (Dropout, Flatten):
            raise ValueError(f"to_sklearn: scikit-learn's networks have no layer such as {call.name!r}, a {layer.kind}")
    if found:
        yield found
