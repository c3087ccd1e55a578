"""The net on which the problem set checks gradients: 4 → 10 → 3, five samples, so small that each loss can be printed.

Weights come from NumPy's generator with seed 0, samples from the one with seed 1, as the problem set draws them.
"""

from typing import NamedTuple

import numpy as np

from fastnn import plots
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.results import ExperimentResult
from fastnn.models import Sequential
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.optimizers import SGD
from fastnn.nn.schedules import ExponentialDecay
from fastnn.recipes.shared.gradient_errors import error_table, errors_of, largest
from fastnn.training.callbacks import GradientNorms
from fastnn.training.history import History

SAMPLES, INPUTS, HIDDEN, CLASSES = 5, 4, 10, 3
LABELS = (0, 1, 2, 2, 1)
PENALTY = 0.1  # of the losses and the gradient check
TRAINED_PENALTY, DECAY = 1e-5, 0.95  # of the trainings; with these the published last losses come out
PARTS = (("W1 W2", "relative errors of weights' gradients"), ("b1 b2", "relative errors of biases' gradients"))
NAMES = {"dense.w": "W1", "dense.b": "b1", "dense_1.w": "W2", "dense_1.b": "b2"}


class Training(NamedTuple):
    """How the problem set trains one of the nets: full batches, a rate that decays after each."""

    epochs: int
    lr: float

    @property
    def figure(self) -> str:
        """What its last loss is called."""
        return f"loss_after_{self.epochs}_epochs"


TRAININGS: dict[ActivationName, Training] = {"relu": Training(50, 0.1), "sigmoid": Training(100, 0.5)}


def toy_samples() -> tuple[np.ndarray, np.ndarray]:
    """x (5, 4), normal with deviation 10, and the labels (5,)."""
    return 10 * np.random.RandomState(1).randn(SAMPLES, INPUTS), np.array(LABELS)


def toy_model(activation: ActivationName, penalty: float = PENALTY) -> Sequential:
    """The net in float64, with weights of deviation .1 and biases 0."""
    layers = [Dense(HIDDEN, activation), Dense(CLASSES)]
    model = Sequential(layers, input_shape=(INPUTS,), loss="softmax_cross_entropy", dtype="float64", l2=penalty)
    draw = np.random.RandomState(0).randn
    model.set_parameters({"dense.w": 0.1 * draw(INPUTS, HIDDEN), "dense_1.w": 0.1 * draw(HIDDEN, CLASSES)})
    return model


def toy_training(activation: ActivationName) -> History:
    """The history of the problem set's training of that net."""
    training, (x, y) = TRAININGS[activation], toy_samples()
    model = toy_model(activation, TRAINED_PENALTY)
    optimizer, watching = SGD(ExponentialDecay(training.lr, DECAY)), [GradientNorms()]
    return model.fit(
        x, y, optimizer=optimizer, epochs=training.epochs, shuffle=False, callbacks=watching, verbose=False
    )


def toy_answer(results: ExperimentResult) -> Answer:
    """First losses, gradients and trainings of the nets beside the published ones."""
    published, (x, y) = results.published.rows("toy"), toy_samples()
    histories: dict[str, History] = {name: toy_training(name) for name in TRAININGS}
    rows: list[Row] = []
    errors: dict[str, dict[str, float]] = {}
    for name, training in TRAININGS.items():
        model = toy_model(name)
        here = {"loss": model.batch_loss(x, y)(), training.figure: float(histories[name].steps["loss"][-1])}
        rows.append(Row(name, here, {key: published[name][key] for key in here if key in published.get(name, {})}))
        errors[name] = errors_of(model, x, y, NAMES)
    tables = [Table(rows, "losses"), *(error_table(errors, published, *part) for part in PARTS)]
    question = "Do loss, gradients and training of the toy net come out as published?"
    told = [_apart(rows), largest(errors)]
    return Answer("toy", question, tables, told, pictures=[_picture(histories)])


def _apart(rows: list[Row]) -> str:
    """How far the losses are from the published ones, at most."""
    differences = [abs(float(row.here[name]) - row.report[name]) for row in rows for name in row.report]
    if not differences:
        return "The losses have nothing published beside them."
    return f"The losses are at most {max(differences):.1e} from the published ones, which are rounded in part."


def _picture(histories: dict[str, History]) -> tuple:
    losses, norms = (
        {label: _by_step(history.steps[name]) for label, history in histories.items()}
        for name in ("loss", "norm dense.w")
    )
    panels = [
        plots.CurvePanel("loss", "epoch", losses, "cross-entropy + penalties, nats"),
        plots.CurvePanel("norm of the first layer's gradient", "epoch", norms),
    ]
    figure = plots.curve_panels(panels, "How does the toy net learn?", columns=2)
    return "toy.png", "the toy net's loss and the Frobenius norm of its first gradient, before each step", figure


def _by_step(values) -> tuple:
    return range(1, len(values) + 1), values
