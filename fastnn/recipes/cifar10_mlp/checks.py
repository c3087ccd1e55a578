"""What the sheet of CIFAR-10 checks before it trains: gradients, the loss before the first step, dropout.

The sheet draws its numbers from NumPy's generator with seed 231. So do these checks, in the same order, so that the
figures can be held against the printed ones. What dropout drops comes from our own generator.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import fastnn_kernels as k
from fastnn import ops
from fastnn.common.random import key
from fastnn.engine.threads import call
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.results import ExperimentResult
from fastnn.models import Sequential
from fastnn.nn.layers import Dense, Dropout, Layer
from fastnn.recipes.shared.gradient_errors import error_table, errors_of, largest, numeric_gradient, relative_error

SEED = 231
PENALTY = 3.14
# Label -> keep of dropout, penalty.
PENALISED = {"no penalty": (1.0, 0.0), "penalty 3.14": (1.0, PENALTY)}
DROPPING = {"dropout 1": (1.0, 0.0), "dropout 0.75": (0.75, 0.0), "dropout 0.5": (0.5, 0.0)}
CLASSES = 10
TWO_LAYER = {"dense.w": "W1", "dense.b": "b1", "dense_1.w": "W2", "dense_1.b": "b2"}
THREE_LAYER = TWO_LAYER | {"dense_2.w": "W3", "dense_2.b": "b3"}


def checks(results: ExperimentResult) -> list[Answer]:
    """The answers of all three."""
    return [gradients(results), initial_loss(results), dropout_statistics(results)]


def gradients(results: ExperimentResult) -> Answer:
    """Relative errors of the gradients of single layers, and of nets of two and three layers."""
    published = results.published.rows("gradients")
    single = {"affine": affine_errors(), "ReLU": relu_errors(), "affine, ReLU": affine_relu_errors()}
    single["dropout"] = dropout_errors()
    two = {"two-layer, no penalty": two_layer_errors(0.0), "two-layer, penalty 0.7": two_layer_errors(0.7)}
    three = three_layer_errors()
    nets = [
        error_table(two, published, "W1 W2", "weights of the two-layer net, 5 → 50 → 7", "two-layer, "),
        error_table(two, published, "b1 b2", "biases of the two-layer net", "two-layer, "),
        error_table(three, published, "W1 W2 W3", "weights of the three-layer net, 15 → 20 → 30 → 10", "three-layer, "),
        error_table(three, published, "b1 b2 b3", "biases of the three-layer net", "three-layer, "),
    ]
    tables = [error_table(single, published, "dx dw db", "layers"), *(replace(net, is_detail=True) for net in nets)]
    question = "Do the gradients agree with central differences?"
    told = [largest(single | two | three), "Relative error: |a − b| / max(1e-8, |a| + |b|), the largest of an array."]
    return Answer("gradients", question, tables, told)


def affine_errors() -> dict[str, float]:
    """Of x·w + b, with a random gradient from above."""
    draw = np.random.RandomState(SEED).randn
    x, w, b, above = draw(10, 2, 3).reshape(10, 6), draw(6, 5), draw(5), draw(10, 5)

    dx, dw, db = ops.matmul_wt(above, w), ops.matmul_xt(x, above), ops.bias_backward(above)
    return _errors(lambda: _affine(x, w, b), above, dx=(dx, x), dw=(dw, w), db=(db, b))


def relu_errors() -> dict[str, float]:
    """Of max(x, 0)."""
    draw = np.random.RandomState(SEED).randn
    x, above = draw(10, 10), draw(10, 10)
    dx = ops.relu_backward(above, x)
    return _errors(lambda: ops.relu_forward(x), above, dx=(dx, x))


def affine_relu_errors() -> dict[str, float]:
    """Of max(x·w + b, 0)."""
    draw = np.random.RandomState(SEED).randn
    x, w, b, above = draw(2, 3, 4).reshape(2, 12), draw(12, 10), draw(10), draw(2, 10)

    below = ops.relu_backward(above, _affine(x, w, b))
    dx, dw, db = ops.matmul_wt(below, w), ops.matmul_xt(x, below), ops.bias_backward(below)
    return _errors(lambda: ops.relu_forward(_affine(x, w, b)), above, dx=(dx, x), dw=(dw, w), db=(db, b))


def dropout_errors() -> dict[str, float]:
    """Of dropout that keeps .2 of its inputs, always the same ones."""
    draw = np.random.RandomState(SEED).randn
    x, above = draw(10, 10) + 10, draw(10, 10)
    mask, dx = dropped(x, 0.2)[1], np.empty_like(x)
    call(k.dropout_backward, dx, above, mask, x.shape[1])
    return _errors(lambda: dropped(x, 0.2)[0], above, dx=(dx, x))


def _affine(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ops.bias_forward(ops.matmul(x, w), b)


def _errors(
    value: Callable[[], np.ndarray], above: np.ndarray, **found: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Name -> relative error, for name=(gradient, the array that it is by); above: the gradient by `value()`."""
    return {name: relative_error(d, numeric_gradient(value, array, above)) for name, (d, array) in found.items()}


def dropped(x: np.ndarray, keep: float) -> tuple[np.ndarray, np.ndarray]:
    """The output of dropout on x (rows, columns) in training, and its mask: 1/keep or 0."""
    out, mask = np.empty_like(x), np.empty_like(x)
    where = (key(SEED, "dropout", words=2), np.zeros(4, np.int64), 0, x.shape[1])
    call(k.dropout_forward, out, mask, x, *where, np.array([keep]), 0)
    return out, mask


def two_layer_errors(penalty: float) -> dict[str, float]:
    """Of the sheet's net of evenly spaced weights."""
    model = _net([Dense(50, "relu"), Dense(7)], 5, penalty)
    model.set_parameters(
        {
            "dense.w": np.linspace(-0.7, 0.3, 250).reshape(5, 50),
            "dense.b": np.linspace(-0.1, 0.9, 50),
            "dense_1.w": np.linspace(-0.3, 0.4, 350).reshape(50, 7),
            "dense_1.b": np.linspace(-0.9, 0.1, 7),
        }
    )
    return errors_of(model, np.linspace(-5.5, 4.5, 15).reshape(5, 3).T, np.array([0, 5, 1]), TWO_LAYER)


def three_layer_errors() -> dict[str, dict[str, float]]:
    """Of nets with and without penalty, and with dropout: row -> errors."""
    x, y, models = three_layer_nets()
    return {label: errors_of(model, x, y, THREE_LAYER) for label, model in models.items()}


def three_layer_nets() -> tuple[np.ndarray, np.ndarray, dict[str, Sequential]]:
    """The sheet's two samples with their labels, and its nets 15 → 20 → 30 → 10, weights of standard deviation .05."""
    found: dict[str, Sequential] = {}
    for settings in (PENALISED, DROPPING):  # the sheet begins anew with its seed for those with dropout
        random = np.random.RandomState(SEED)
        x, y = random.randn(2, 15), random.randint(CLASSES, size=(2,))
        found |= {f"three-layer, {label}": _three_layer(random, *setting) for label, setting in settings.items()}
    return x, y, found


def _three_layer(random: np.random.RandomState, keep: float, penalty: float) -> Sequential:
    after = [Dropout(keep=keep)] if keep < 1 else []
    model = _net([Dense(20, "relu"), *after, Dense(30, "relu"), *after, Dense(CLASSES)], 15, penalty)
    sizes = {"dense.w": (15, 20), "dense_1.w": (20, 30), "dense_2.w": (30, CLASSES)}
    model.set_parameters({name: 0.05 * random.randn(*shape) for name, shape in sizes.items()})
    return model


def _net(layers: list[Layer], inputs: int, penalty: float) -> Sequential:
    return Sequential(
        layers, input_shape=(inputs,), loss="softmax_cross_entropy", dtype="float64", l2=penalty, seed=SEED
    )


def initial_loss(results: ExperimentResult) -> Answer:
    """The loss of the sheet's nets, and of this run's, before the first step, beside ln(classes) + penalty."""
    x, y, nets = three_layer_nets()
    rows = []
    for label in ("no penalty", "penalty 3.14", "dropout 0.75", "dropout 0.5"):
        model = nets[f"three-layer, {label}"]
        expected = math.log(CLASSES) + _penalty_of(model)
        here = {"loss": model.batch_loss(x, y)(), "ln_10_+_penalty": expected}
        rows.append(Row(label, here, results.published.of("initial loss", label)))
    own = {"loss": results.chosen.before["train_loss"], "ln_10_+_penalty": math.log(CLASSES)}
    rows.append(Row("this run's net, no penalty", own))
    told = [
        "A net that knows nothing gives each of 10 classes a tenth: its loss is ln 10 = 2.3026, plus the penalty.",
        _own_loss(own["loss"]),
    ]
    title = "the sheet's net 15 → 20 → 30 → 10, weights of standard deviation 0.05"
    return Answer("initial loss", "Is the loss before the first step what it should be?", [Table(rows, title)], told)


def _penalty_of(model: Sequential) -> float:
    return (
        0.5 * model.network.l2 * sum(float((w**2).sum()) for name, w in model.parameters.items() if name.endswith(".w"))
    )


def _own_loss(loss: float) -> str:
    far = loss - math.log(CLASSES)
    why = "its weights are small enough" if abs(far) < 0.1 else "on raw pixels its first weights already make scores"
    return f"This run's net starts {abs(far):.4f} {'above' if far > 0 else 'below'} ln 10: {why}."


def dropout_statistics(results: ExperimentResult) -> Answer:
    """Mean and share of zeros of dropout's output in training, with and without division by `keep`."""
    x = np.random.RandomState(SEED).randn(500, 500) + 10
    rows = [Row("input", {"mean": float(x.mean())}, results.published.of("dropout statistics", "input"))]
    for label, keep in (("keep 0.25", 0.25), ("keep 0.4", 0.4), ("keep 0.7", 0.7)):
        out, _ = dropped(x, keep)
        here = {"mean": float(out.mean()), "zeros": float((out == 0).mean())}
        here |= {"mean_without_division": float(keep * out.mean())}
        rows.append(Row(label, here, results.published.of("dropout statistics", label)))
    last = rows[1].here
    told = [
        "In training the mean is about the input's, because what stays is divided by the share that is kept. "
        "At prediction nothing is dropped, and the mean is the input's, too.",
        f"Without the division the mean at keep 0.25 would be {last['mean_without_division']:.2f} in training. "
        "The next layer would learn from inputs a quarter as large as those that it gets at prediction.",
    ]
    question = "What does dropout do to the mean of a layer's outputs, and what if it did not divide?"
    return Answer("dropout statistics", question, [Table(rows)], told)
