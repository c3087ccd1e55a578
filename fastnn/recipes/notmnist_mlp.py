"""Letters A to J with one hidden layer, by full-batch momentum on the summed gradient: a step is an epoch.

The report averages its loss over samples and classes: to be compared with it, ours is divided by the 10 classes.
"""

from dataclasses import dataclass, replace

import numpy as np

from fastnn.data import Dataset, Use
from fastnn.experiment.answering import chosen_answer, compared_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.initializers import InitializerName
from fastnn.nn.layers import Dense
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD
from fastnn.recipes.published import PUBLISHED
from fastnn.recipes.shared import (
    ACTIVATION_NAMES,
    INITIALIZER_NAMES,
    classes_of,
    initializer_of,
    pixels,
)

VELOCITY = 1e-5  # initial value of all velocities, as in the report's program


@dataclass(frozen=True)
class NotMnistMlpSettings(Settings):
    epochs: int = setting(200, "passes over the training data, a step each", least=1)
    hidden: int = setting(1000, "hidden units", least=1)
    activation: ActivationName = setting("relu", "of the hidden units", choices=ACTIVATION_NAMES)
    lr: float = setting(1e-5, "learning rate, on the summed gradient", least=0)
    momentum: float = setting(0.9, "momentum", least=0, below=1)
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


def answers(results: ExperimentResult) -> list[Answer]:
    """The default answers with losses as the report averages them, and what stopping early costs."""
    share = 1 / len(classes_of(results.data))
    chosen = _averaged(chosen_answer(results), share)
    found = [replace(chosen, lines=[*chosen.lines, "Losses are means over samples and classes, as in the report."])]
    for comparison, members in results.groups:
        answer = _averaged(compared_answer(results, comparison, members), share)
        if comparison.name == "stopping":
            tables = [
                _differences(results, members) if table.title == "difference" else table for table in answer.tables
            ]
            answer = replace(answer, tables=tables)
        found.append(answer)
    return found


def _averaged(answer: Answer, share: float) -> Answer:
    """The answer with our losses, sums over classes, as means over them."""
    tables = [replace(table, rows=[_averaged_row(row, share) for row in table.rows]) for table in answer.tables]
    return replace(answer, tables=tables)


def _averaged_row(row: Row, share: float) -> Row:
    here = dict(row.here)
    for name, value in row.here.items():
        if name.endswith("loss") and not isinstance(value, str):
            here[name] = value * share
    return replace(row, here=here)


def _differences(results: ExperimentResult, members: dict[str, RunResult]) -> Table:
    """The accuracy of each shorter training less that of the longest one."""
    names = {f"{split}_difference": f"{split}_accuracy" for split in results.data.splits()}
    published, last = results.published.rows("stopping"), list(members.values())[-1].metrics
    rows = []
    for label, figures in published.items():
        own = members[label].metrics if label in members and len(members) > 1 else {}
        here = {name: own[metric] - last[metric] for name, metric in names.items() if metric in own}
        rows.append(Row(label, here, {name: figures[name] for name in names if name in figures}))
    return Table(rows, "difference")


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
        report="Its test accuracy after 160 epochs is .11 points above that after 200.",
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
