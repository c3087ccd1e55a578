"""Moons and blobs: 200 points in the plane, two classes, and the borders that nets of several shapes draw.

Full-batch gradient descent on the summed loss: each step takes all points, in the same order. An epoch is 1,000 such
steps: with an epoch a step the history would have 20,000 lines.
"""

import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fastnn.data import Dataset, Split
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import Normal
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD
from fastnn.recipes.moons.answers import answers
from fastnn.recipes.shared.building import ACTIVATION_NAMES, sizes_of
from fastnn.recipes.shared.published import PUBLISHED


@dataclass(frozen=True)
class PlaneSettings(Settings):
    """Those of the report, of moons and of blobs."""

    epochs: int = setting(20, "epochs of --passes passes over the points", least=1)
    passes: int = setting(1_000, "passes over the points, a step each, in one epoch", least=1)
    hidden: str = setting("3", "units of each hidden layer: 3, or 5,5, or 5x8")
    activation: ActivationName = setting("tanh", "of the hidden units", choices=ACTIVATION_NAMES)
    lr: float = setting(0.01, "learning rate, on the summed gradient", least=0)
    l2: float = setting(0.01, "penalty ½·l2·Σw², on the summed loss", least=0)


def build(name: str, settings: PlaneSettings, data: Dataset) -> tuple[Sequential, SGD]:
    """The net of the system `name`, with weights N(0, 1) / √inputs and biases 0."""
    widths = [2, *sizes_of(settings.hidden, "hidden"), 2]
    layers = [
        Dense(units, settings.activation, Normal(1 / np.sqrt(inputs)))
        for inputs, units in itertools.pairwise(widths[:-1])
    ]
    model = Sequential(
        [*layers, Dense(2, "identity", Normal(1 / np.sqrt(widths[-2])))],
        input_shape=(2,),
        loss=SoftmaxCrossEntropy(reduction="sum"),
        dtype=settings.dtype,
        seed=settings.seed,
        l2=settings.l2,
    )
    model.meta = {"recipe": name, "classes": data.meta["classes"]}
    return model, SGD(settings.lr)


def fit_arguments(settings: PlaneSettings, train: Split) -> dict[str, Any]:
    """Steps that each take all points, `passes` of them in an epoch."""
    return {"x": train.x, "y": train.y, "batch_size": None, "steps_per_epoch": settings.passes}


def _deep(shapes: tuple[tuple[int, int], ...]) -> dict[str, dict[str, Any]]:
    """Runs of nets of (units of each hidden layer, layers with input and output)."""
    return {
        f"{units} units, {layers} layers": {"hidden": f"{units}x{layers - 2}", "activation": "tanh"}
        for units, layers in shapes
    }


def _recipe(name: str, title: str, comparisons: tuple[Comparison, ...]) -> Recipe:
    return Recipe(
        id=name,
        title=title,
        settings=PlaneSettings(),
        quick={"epochs": 20, "passes": 1_000},
        published=PUBLISHED[name],
        data_set=name,
        build=partial(build, name),
        comparisons=comparisons,
        compare=tuple(comparison.name for comparison in comparisons),
        fit_arguments=fit_arguments,
        answers=answers,
    )


# The trainings take less than a second each: --quick makes all of them, or the narrow and deep net would be missing.
ACTIVATION = Comparison(
    "activations",
    "Which borders do tanh, sigmoid and ReLU draw?",
    {name: {"activation": name} for name in ("tanh", "sigmoid", "relu")},
    "own",
    "Tanh and sigmoid draw smooth borders, ReLU one with kinks.",
    quick="whole",
)
WIDTH = Comparison(
    "widths",
    "How many hidden units does it take?",
    {f"{units} units": {"hidden": str(units), "activation": "tanh"} for units in (3, 5, 10, 15, 20)},
    "own",
    "Little changes beyond 5 units.",
    quick="whole",
)
DEPTH = Comparison(
    "depths",
    "Does a net gain more from width or from depth?",
    _deep(((3, 3), (3, 5), (5, 5), (5, 10), (10, 3), (10, 5))),
    "own",
    "Deep and narrow nets do badly, and wide ones gain more from width than from depth.",
    quick="whole",
)
BLOBS_DEPTH = Comparison(
    "depths",
    "Which nets reach the points that a straight border leaves wrong?",
    _deep(((3, 3), (3, 5), (5, 3), (5, 5))),
    "own",
    "The border of 3 units in 3 layers is nearly straight; that of 5 in 5 layers bends and gets every point right.",
    quick="whole",
)

MOONS = _recipe(
    "moons",
    "two half circles in the plane: decision boundaries by activation, width and depth",
    (ACTIVATION, WIDTH, DEPTH),
)
BLOBS = _recipe("blobs", "two clusters in the plane: decision boundaries by width and depth", (BLOBS_DEPTH,))
