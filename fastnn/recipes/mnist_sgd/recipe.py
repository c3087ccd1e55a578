"""Digits by stochastic gradient descent proper: one picture at a time, 300 sigmoid units, several seeds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn.common.text import setting_text
from fastnn.data import Dataset, Split, Use
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import Normal
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.mnist_sgd.answers import answers
from fastnn.recipes.shared.building import ACTIVATION_NAMES, OPTIMIZER_NAMES, classes_of, optimizer_of, pixels
from fastnn.recipes.shared.published import PUBLISHED


@dataclass(frozen=True)
class MnistSgdSettings(Settings):
    """Those of the report, and `steps_per_block`, which makes such steps faster."""

    epochs: int = setting(20, "passes over the training data", least=1)
    hidden: int = setting(300, "hidden units", least=1)
    activation: ActivationName = setting("sigmoid", "of the hidden units", choices=ACTIVATION_NAMES)
    optimizer: str = setting("sgd", "sgd has momentum", choices=OPTIMIZER_NAMES)
    lr: float = setting(1e-4, "learning rate", least=0)
    momentum: float = setting(0.0, "momentum of sgd", least=0, below=1)
    batch_size: int = setting(1, "samples a step", least=1)
    steps_per_block: int = setting(
        1, "steps of one sample by plain sgd that the first weight takes at once, such as 32: faster", least=1
    )


def build(settings: MnistSgdSettings, data: Dataset) -> tuple[Sequential, Optimizer]:
    """Weights N(0, 1 / outputs), biases 0."""
    classes = classes_of(data)
    model = Sequential(
        [
            Dense(settings.hidden, settings.activation, Normal(1 / np.sqrt(settings.hidden))),
            Dense(len(classes), "identity", Normal(1 / np.sqrt(len(classes)))),
        ],
        input_shape=data.train.x.shape[1:],
        loss="softmax_cross_entropy",
        dtype=settings.dtype,
        seed=settings.seed,
    )
    model.meta = {"recipe": "mnist-sgd", "classes": classes}
    return model, optimizer_of(settings)


def fit_arguments(settings: MnistSgdSettings, train: Split) -> dict[str, Any]:
    return {
        "x": train.x,
        "y": train.y,
        "batch_size": settings.batch_size,
        "steps_per_block": settings.steps_per_block,
    }


COMPARISONS = (
    Comparison(
        "three-seeds",
        "How much is chance, with three seeds at lr 0.001?",
        {f"lr 0.001, seed {seed}": {"lr": 1e-3, "seed": seed} for seed in range(3)},
        "bands",
        quick="whole",
    ),
    Comparison(
        "rates",
        "Which learning rate?",
        {f"lr {setting_text(lr)}": {"lr": lr} for lr in (0.05, 0.01, 0.001, 0.0001)},
        quick="whole",
    ),
)

RECIPE = Recipe(
    id="mnist-sgd",
    title="digits, one picture a step: 300 sigmoid units, seeds and learning rates",
    settings=MnistSgdSettings(),
    quick={"epochs": 3, "samples": 5_000},
    published=PUBLISHED["mnist-sgd"],
    data_set="mnist",
    use=Use(val=5_000, needs=("val", "test")),
    tests_last=True,
    after_epoch=("train", "test"),
    preprocessing=pixels(divide=255, flat=True),
    build=build,
    comparisons=COMPARISONS,
    compare=("three-seeds", "rates"),
    compare_epochs=5,
    rates={"adam": 1e-4, "adamw": 1e-4, "rmsprop": 1e-4, "adagrad": 1e-3},
    fit_arguments=fit_arguments,
    answers=answers,
)
