"""Moons and blobs: 200 points in the plane, two classes, and the borders that nets of several shapes draw.

Full-batch gradient descent on the summed loss: each step takes all points, in the same order. An epoch is 1,000 such
steps: with an epoch a step the history would have 20,000 lines.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnn import plots
from fastnn.common.text import percent
from fastnn.data import Dataset, Split
from fastnn.experiment.answers import Picture
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import note_of
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import Normal
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD
from fastnn.recipes.published import PUBLISHED
from fastnn.recipes.shared import ACTIVATION_NAMES, sizes_of, told


@dataclass(frozen=True)
class PlaneSettings(Settings):
    epochs: int = setting(20, "epochs of --passes passes over the points", least=1)
    passes: int = setting(1_000, "passes over the points, a step each, in one epoch", least=1)
    hidden: str = setting("3", "units of each hidden layer: 3, or 5,5, or 5x8")
    activation: ActivationName = setting("tanh", "of the hidden units", choices=ACTIVATION_NAMES)
    lr: float = setting(0.01, "learning rate, on the summed gradient", least=0)
    l2: float = setting(0.01, "penalty ½·l2·Σw², on the summed loss", least=0)


def _builder(name: str) -> Any:
    def build(settings: PlaneSettings, data: Dataset) -> tuple[Sequential, SGD]:
        """Weights N(0, 1) / √inputs, biases 0."""
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

    return build


def fit_arguments(settings: PlaneSettings, train: Split) -> dict[str, Any]:
    """Steps that each take all points, `passes` of them in an epoch."""
    return {"x": train.x, "y": train.y, "batch_size": None, "steps_per_epoch": settings.passes}


def pictures(results: ExperimentResult) -> list[Picture]:
    """A sheet of decision boundaries for each comparison; without comparisons, one for the chosen net."""
    groups = [
        (comparison.name, comparison.question, results.group(comparison.name)) for comparison, _ in results.groups
    ]
    groups = groups or [("boundary", "the border that the chosen net draws", {"chosen": results.chosen})]
    return [
        (f"{name}.png", question, _sheet(results, f"{results.id}: {question}", members))
        for name, question, members in groups
        if members
    ]


def _sheet(results: ExperimentResult, title: str, members: dict[str, RunResult]) -> Any:
    train = results.data.train
    panels = [
        (_caption(label, run), run.model.predict, train.x, train.y)
        for label, run in members.items()
        if run.model is not None
    ]
    return plots.decision_boundaries(panels, title, note=note_of(results))


def _caption(label: str, run: RunResult) -> str:
    return f"{label}: {percent(run.metrics['train_accuracy'], 1)}, loss {run.metrics['train_loss']:.3f}"


def closing(results: ExperimentResult) -> list[tuple[str, list[str]]]:
    """Accuracy and loss of every net, as in the titles of the sheets."""
    return [
        (comparison.question, [_caption(label, run) for label, run in results.group(comparison.name).items()])
        for comparison, _ in results.groups
    ]


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
        quick={"epochs": 20},
        published=PUBLISHED[name],
        data_set=name,
        build=_builder(name),
        comparisons=comparisons,
        compare=tuple(comparison.name for comparison in comparisons),
        fit_arguments=fit_arguments,
        answers=lambda results: told(closing(results), pictures(results)),
    )


ACTIVATION = Comparison(
    "activations",
    "which borders do tanh, sigmoid and ReLU draw?",
    {name: {"activation": name} for name in ("tanh", "sigmoid", "relu")},
    "own",
)
WIDTH = Comparison(
    "widths",
    "how many hidden units?",
    {f"{units} units": {"hidden": str(units), "activation": "tanh"} for units in (3, 5, 10, 15, 20)},
    "own",
)
DEPTH = "depths", "width against depth"

MOONS = _recipe(
    "moons",
    "two half circles in the plane: decision boundaries by activation, width and depth",
    (ACTIVATION, WIDTH, Comparison(*DEPTH, _deep(((3, 3), (3, 5), (5, 5), (5, 10), (10, 3), (10, 5))), "own")),
)
BLOBS = _recipe(
    "blobs",
    "two clusters in the plane: decision boundaries by width and depth",
    (Comparison(*DEPTH, _deep(((3, 3), (3, 5), (5, 3), (5, 5))), "own"),),
)
