"""Letters A to J with one hidden layer, by full-batch momentum on the summed gradient: a step is an epoch.

The report averages its loss over samples and classes: to be compared with it, ours is divided by the 10 classes.
"""

from dataclasses import dataclass

import numpy as np

from fastnn.data import Dataset, Use
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD
from fastnn.recipes.notmnist_mlp.answers import answers
from fastnn.recipes.shared.building import (
    ACTIVATION_NAMES,
    INITIALIZER_NAMES,
    classes_of,
    initializer_of,
    pixels,
)
from fastnn.recipes.shared.published import PUBLISHED

VELOCITY = 1e-5  # initial value of all velocities, as in the report's program


@dataclass(frozen=True)
class NotMnistMlpSettings(Settings):
    """Those of the report: a step takes all samples."""

    epochs: int = setting(200, "passes over the training data, a step each", least=1)
    hidden: int = setting(1000, "hidden units", least=1)
    activation: ActivationName = setting("relu", "of the hidden units", choices=ACTIVATION_NAMES)
    lr: float = setting(1e-5, "learning rate, on the summed gradient", least=0)
    momentum: float = setting(0.9, "momentum", least=0, below=1)
    initializer: InitializerName = setting(
        "glorot_normal", "of weights; normal has deviation 0.01", choices=INITIALIZER_NAMES
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


COMPARISONS = (
    Comparison(
        "hidden",
        "How many hidden units?",
        {f"{units} units": {"hidden": units} for units in (100, 500, 1000, 2000)},
        report="Its training and test accuracies rise with the units.",
    ),
    Comparison(
        "stopping",
        "What does stopping early cost?",
        {f"{epochs} epochs": {"epochs": epochs} for epochs in (80, 160, 200)},
        report="Its test accuracy after 160 epochs is 0.11 points above that after 200.",
    ),
)

RECIPE = Recipe(
    id="notmnist-mlp",
    title="letters A to J with one hidden layer: full-batch momentum, widths, stopping early",
    settings=NotMnistMlpSettings(),
    quick={"epochs": 30, "samples": 2_000, "hidden": 100},
    published=PUBLISHED["notmnist-mlp"],
    data_set="notmnist",
    use=Use(val=6_000, test=2_724, shuffled=True, needs=("val", "test")),
    preprocessing=pixels(divide=255, flat=True),
    build=build,
    comparisons=COMPARISONS,
    compare=("hidden", "stopping"),
    answers=answers,
)
