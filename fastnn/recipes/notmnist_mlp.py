"""Letters A to J with one hidden layer, by full-batch momentum on the summed gradient: a step is an epoch.

The report averages its loss over samples and classes: to be compared with it, ours is divided by the 10 classes.
"""

from dataclasses import dataclass

import numpy as np

from fastnn import plots
from fastnn.common.text import percent
from fastnn.data import Dataset, Use
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import Picture, note_of
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD
from fastnn.recipes.shared import ACTIVATION_NAMES, INITIALIZER_NAMES, classes_of, initializer_of, pixels

VELOCITY = 1e-5  # initial value of all velocities, as in the report's program


@dataclass(frozen=True)
class NotMnistMlpSettings(Settings):
    epochs: int = setting(200, "passes over the training data, a step each", least=1)
    hidden: int = setting(1000, "hidden units", least=1)
    activation: ActivationName = setting("relu", "of the hidden units", choices=ACTIVATION_NAMES)
    lr: float = setting(1e-5, "learning rate, on the summed gradient", least=0)
    momentum: float = setting(0.99, "momentum", least=0, below=1)
    initializer: InitializerName = setting(
        "glorot_normal", "of weights; normal has deviation .01", choices=INITIALIZER_NAMES
    )


def build(settings: NotMnistMlpSettings, data: Dataset) -> tuple[Sequential, SGD]:
    start = initializer_of(settings.initializer, 0.01)
    model = Sequential(
        [Dense(settings.hidden, settings.activation, start), Dense(len(classes_of(data)), "identity", start)],
        input_shape=data.train.x.shape[1:],
        loss=SoftmaxCrossEntropy(reduction="sum"),
        dtype=settings.dtype,
        seed=settings.seed,
    )
    model.meta = {"recipe": "notmnist-mlp", "classes": classes_of(data)}
    optimizer = SGD(settings.lr, momentum=settings.momentum)
    if settings.momentum:
        optimizer.state = {
            name: {"velocity": np.full(array.shape, VELOCITY, model.dtype)} for name, array in model.parameters.items()
        }
    return model, optimizer


def pictures(results: ExperimentResult) -> list[Picture]:
    """The confusion matrix of the test set."""
    test, names = results.data.splits()["test"], classes_of(results.data)
    matrix = np.zeros((len(names), len(names)), np.int64)
    np.add.at(matrix, (test.y, results.model.predict(test.x).argmax(axis=1)), 1)
    figure = plots.confusion_matrix(matrix, names, "letters of the test set", note=note_of(results))
    return [("confusion.png", "which letters are taken for which", figure)]


def closing(results: ExperimentResult) -> list[tuple[str, list[str]]]:
    classes, metrics = len(classes_of(results.data)), results.chosen.metrics
    losses = ", ".join(f"{split} {metrics[f'{split}_loss'] / classes:.4f}" for split in results.data.splits())
    found = [("loss averaged over samples and classes (the report's: .0110, .0308, .0340)", [losses])]
    for comparison, members in results.groups:
        lines = [
            f"{label}: train {percent(run.metrics['train_accuracy'])}, test {percent(run.metrics['test_accuracy'])}"
            for label, run in members.items()
            if not run.failed
        ]
        found.append((comparison.question, lines))
    return found


COMPARISONS = (
    Comparison(
        "hidden",
        "how many hidden units?",
        {str(units): {"hidden": units} for units in (100, 500, 1000, 2000)},
    ),
    Comparison(
        "stopping",
        "what does stopping early cost?",
        {f"{epochs} epochs": {"epochs": epochs} for epochs in (80, 160, 200)},
    ),
)

RECIPE = Recipe(
    id="notmnist-mlp",
    title="letters A to J with one hidden layer: full-batch momentum, widths, stopping early",
    settings=NotMnistMlpSettings(),
    quick={"epochs": 30, "samples": 2_000, "hidden": 100},
    data_set="notmnist",
    use=Use(val=6_000, test=2_724, shuffled=True, needs=("val", "test")),
    seed_figures={"train_accuracy": 0.9778, "val_accuracy": 0.9125, "test_accuracy": 0.9097},
    preprocessing=pixels(divide=255, flat=True),
    build=build,
    comparisons=COMPARISONS,
    compare=("hidden", "stopping"),
    pictures=pictures,
    closing=closing,
)
