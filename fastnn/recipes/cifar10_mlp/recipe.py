"""CIFAR-10 with fully connected layers: any number of ReLU layers, every optimizer, dropout.

The mean training picture is subtracted, and pixels are not divided by 255: if they are, these settings do not learn.
The weights of the epoch with the best validation accuracy are kept.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastnn.data import Dataset, Use
from fastnn.data.preprocessing import Pixels
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.cifar10_mlp.answers import answers
from fastnn.recipes.cifar10_mlp.comparisons import COMPARISONS
from fastnn.recipes.cifar10_mlp.effective_rate import STATES, EffectiveRate
from fastnn.recipes.shared.building import (
    ACTIVATION_NAMES,
    INITIALIZER_NAMES,
    NORM_NAMES,
    OPTIMIZER_NAMES,
    classes_of,
    hidden_layers,
    initializer_of,
    optimizer_of,
    sizes_of,
)
from fastnn.recipes.shared.published import PUBLISHED
from fastnn.training.callbacks import Callback


@dataclass(frozen=True)
class CifarSettings(Settings):
    """Those of a net of five layers; the sheet's comparisons change them."""

    epochs: int = setting(5, "passes over the training data", least=1)
    hidden: str = setting("100x4", "units of each hidden layer: 100x4, or 200,100")
    activation: ActivationName = setting("relu", "of the hidden units", choices=ACTIVATION_NAMES)
    optimizer: str = setting("adam", "sgd has momentum", choices=OPTIMIZER_NAMES)
    lr: float = setting(5e-4, "learning rate", least=0)
    decay: float = setting(1.0, "factor of the learning rate after each epoch", least=0)
    momentum: float = setting(0.0, "momentum of sgd", least=0, below=1)
    batch_size: int = setting(100, "samples a step", least=1)
    initializer: InitializerName = setting(
        "normal", "of weights; normal has deviation --weight-scale", choices=INITIALIZER_NAMES
    )
    weight_scale: float = setting(0.02, "deviation of normal weights", least=0)
    norm: str = setting("none", "normalisation after each hidden layer", choices=NORM_NAMES)
    dropout: float = setting(0.0, "fraction of each hidden layer that is dropped", least=0, below=1)
    l2: float = setting(0.0, "penalty ½·l2·Σw²", least=0)
    keep: str = setting(
        "val_accuracy", "figure whose best epoch is kept, or the last", choices=("val_accuracy", "last")
    )


def preprocessing(data: Dataset) -> Pixels:
    """Rows (N, 3072) less the mean training picture."""
    return Pixels(data.train.x.shape[1:], subtract=data.train.x.mean(axis=0, dtype=np.float64), flat=True)


def build(settings: CifarSettings, data: Dataset) -> tuple[Sequential, Optimizer]:
    start = initializer_of(settings.initializer, settings.weight_scale)
    sizes = sizes_of(settings.hidden, "hidden")
    hidden = hidden_layers(sizes, settings.activation, start, norm=settings.norm, dropout=settings.dropout)
    model = Sequential(
        [*hidden, Dense(len(classes_of(data)), "identity", start)],
        input_shape=data.train.x.shape[1:],
        loss="softmax_cross_entropy",
        dtype=settings.dtype,
        seed=settings.seed,
        l2=settings.l2,
    )
    model.meta = {"recipe": "cifar10-mlp", "classes": classes_of(data)}
    return model, optimizer_of(settings)


def callbacks(settings: CifarSettings, folder: Path, chosen: bool) -> list[Callback]:
    """What records effective rates, for the optimizers that have them: seldom in long runs, as it takes time."""
    return [EffectiveRate(5 if settings.samples else 100)] if settings.optimizer in STATES else []


RECIPE = Recipe(
    id="cifar10-mlp",
    title="CIFAR-10 with fully connected ReLU layers: optimizers, dropout, learning by heart",
    settings=CifarSettings(),
    quick={"epochs": 3, "samples": 2_000},
    published=PUBLISHED["cifar10-mlp"],
    data_set="cifar10",
    use=Use(val=1_000, test=1_000, needs=("val",)),
    preprocessing=preprocessing,
    build=build,
    comparisons=COMPARISONS,
    compare=tuple(comparison.name for comparison in COMPARISONS),
    keep="val_accuracy",
    rates={"sgd": 1e-3, "adam": 5e-4, "adamw": 5e-4, "rmsprop": 1e-4, "adagrad": 1e-3},
    callbacks=callbacks,
    after_epoch=("train", "test"),
    answers=answers,
)
