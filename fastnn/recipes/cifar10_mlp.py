"""CIFAR-10 with fully connected layers: any number of ReLU layers, every optimizer, dropout.

The mean training picture is subtracted, and pixels are not divided by 255: if they are, these settings do not learn.
The weights of the epoch with the best validation accuracy are kept.
"""

from dataclasses import dataclass

import numpy as np

from fastnn import plots
from fastnn.common.text import percent
from fastnn.data import Dataset, Use
from fastnn.data.preprocessing import Pixels
from fastnn.experiment.answers import Picture
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import note_of
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.published import PUBLISHED
from fastnn.recipes.shared import (
    ACTIVATION_NAMES,
    INITIALIZER_NAMES,
    NORM_NAMES,
    OPTIMIZER_NAMES,
    classes_of,
    hidden_layers,
    initializer_of,
    optimizer_of,
    sizes_of,
    told,
)


@dataclass(frozen=True)
class CifarSettings(Settings):
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


def pictures(results: ExperimentResult) -> list[Picture]:
    """A map of the comparison `cells`, if all its runs succeeded."""
    runs = results.group("cells")
    if len(runs) < len(SCALES) * len(RATES):
        return []
    values = np.array([run.metrics["val_accuracy"] for run in runs.values()]).reshape(len(SCALES), len(RATES))
    rates = [f"{rate:g}, run {number}" for number, rate in enumerate(RATES, 1)]
    figure = plots.heat_map(
        values,
        [f"{scale:g}" for scale in SCALES],
        rates,
        "validation accuracy by weight scale and learning rate",
        xlabel="learning rate",
        ylabel="weight scale",
        note=note_of(results),
    )
    return [("cells-map.png", "validation accuracy by weight scale and learning rate", figure)]


def closing(results: ExperimentResult) -> list[tuple[str, list[str]]]:
    """Accuracies of each run in its last epoch; the tables show those of the epoch whose weights were kept."""
    return [
        (comparison.question, [_line(label, run) for label, run in members.items() if not run.failed])
        for comparison, members in results.groups
    ]


def _line(label: str, run: RunResult) -> str:
    last = run.epochs[-1]
    accuracies = f"{percent(last['accuracy'])} in training, {percent(last['val_accuracy'])} in validation"
    return f"{label}: {accuracies} in epoch {len(run.epochs)}; epoch {run.best_epoch} kept"


SCALES = (0.01, 0.02, 0.005)
RATES = (1e-5, 5e-4, 1e-5)  # the report's third column repeats its first; here it has another seed

_SGD = {"optimizer": "sgd", "momentum": 0.0}
_FOUR_THOUSAND = {"samples": 4_000, "epochs": 5, "batch_size": 100, "weight_scale": 0.05}
_OVERFIT = {"samples": 50, "batch_size": 25, "epochs": 20, "weight_scale": 0.1, "keep": "last"} | _SGD
_DROPOUT = {"samples": 500, "hidden": "500", "weight_scale": 0.01, "lr": 5e-4, "batch_size": 100, "epochs": 25}

COMPARISONS = (
    Comparison(
        "overfit",
        "can the net learn 50 pictures by heart in 20 epochs of plain SGD?",
        {
            "100-100": _OVERFIT | {"hidden": "100x2", "lr": 1e-3},
            "100-100-100-100": _OVERFIT | {"hidden": "100x4", "lr": 2e-3},
        },
    ),
    Comparison(
        "baseline",
        "one hidden layer, plain SGD (the report's: about 60 % and 50 %)",
        {
            "100, l2 .2": _SGD
            | {"hidden": "100", "l2": 0.2, "lr": 1e-3, "decay": 0.95, "epochs": 10, "initializer": "normal"}
            | {"weight_scale": 1e-3}
        },
    ),
    Comparison(
        "optimizers",
        "SGD, momentum, RMSProp and Adam on 4,000 pictures",
        {
            "sgd, 100x5": _FOUR_THOUSAND | _SGD | {"hidden": "100x5", "lr": 1e-2},
            "momentum .9, 100x5": _FOUR_THOUSAND | _SGD | {"hidden": "100x5", "lr": 1e-2, "momentum": 0.9},
            "rmsprop, 100x4": _FOUR_THOUSAND | {"hidden": "100x4", "optimizer": "rmsprop", "lr": 1e-4},
            "adam, 100x4": _FOUR_THOUSAND | {"hidden": "100x4", "optimizer": "adam", "lr": 1e-3},
        },
    ),
    Comparison(
        "cells",
        "nine pairs of weight scale and learning rate (the report's best: .515)",
        {
            f"scale {scale:g}, lr {rate:g}, run {number}": {"weight_scale": scale, "lr": rate, "seed": number // 3}
            for scale in SCALES
            for number, rate in enumerate(RATES, 1)
        },
    ),
    Comparison(
        "dropout",
        "500 pictures with and without dropout",
        {"none": _DROPOUT | {"dropout": 0.0}, "keep .25": _DROPOUT | {"dropout": 0.75}},
    ),
)

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
    compare=("overfit", "baseline", "optimizers", "dropout"),
    keep="val_accuracy",
    rates={"sgd": 1e-3, "adam": 5e-4, "adamw": 5e-4, "rmsprop": 1e-4, "adagrad": 1e-3},
    answers=lambda results: told(closing(results), pictures(results)),
)
