"""Your own table: a column of a CSV file predicted from the others, whether they hold numbers or categories.

It is no system of a course, so it is not in `RECIPES`; the commands find it in `ALL`.
"""

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.errors import DataError
from fastnn.common.weights import balanced_weights
from fastnn.data import Dataset, Split
from fastnn.data.formats.numerals import DECIMAL, THOUSANDS, Numerals, numerals_of
from fastnn.data.formats.table_file import read_table
from fastnn.data.formats.table_samples import columns_for, has_header
from fastnn.data.preprocessing import Table
from fastnn.data.table_target import TASKS, TableUse, target_of
from fastnn.data.tables import load_table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Model, Sequential
from fastnn.nn import initializers
from fastnn.nn.layers import Columns, Dense, Layer
from fastnn.nn.layers.activation import ActivationName
from fastnn.nn.optimizers import Optimizer
from fastnn.recipes.shared.building import ACTIVATION_NAMES, OPTIMIZER_NAMES, hidden_layers, optimizer_of, sizes_of
from fastnn.recipes.table.answers import BALANCED, answers

ID = "table"
NO_LAYERS = "none"
HEADROOM = 1e6  # weights times the deviation of the target must be numbers, too
STEPS, LEAST_BATCH, LARGEST_BATCH = 100, 8, 256  # of an epoch; samples of a step, unless the user says


@dataclass(frozen=True)
class TableSettings(Settings):
    """How the file is read, and a net of moderate size that stops early."""

    zeros: ClassVar[Mapping[str, str]] = {**Settings.zeros, "batch_size": f"about {STEPS} steps an epoch"}

    target: str = setting("", "the column to predict", is_path=True)
    task: str = setting("auto", "auto: numbers are a regression, texts and few whole numbers classes", choices=TASKS)
    header: bool = setting(True, "whether the first line has the names of the columns; else they are 1, 2, …")
    categories: str = setting("", "columns of numbers that are categories, such as codes, with commas", is_path=True)
    drop: str = setting("", "columns to leave out, with commas", is_path=True)
    decimal: str = setting("point", "the sign before decimals, 3.5 or 3,5", choices=(*DECIMAL,))
    thousands: str = setting("none", "the sign that stands between thousands, as in 1,000", choices=(*THOUSANDS,))
    class_weight: str = setting("none", "balanced: all classes count alike, however rare", choices=("none", BALANCED))
    rare: int = setting(3, "categories in fewer training rows count as one that was never seen", least=1)
    epochs: int = setting(100, "passes over the training data, at most", least=1)
    patience: int = setting(10, "epochs without a better validation loss until the training stops", least=1)
    batch_size: int = setting(0, f"rows a step; 0: about {STEPS} steps an epoch", least=0)
    hidden: str = setting("64,32", f"units of each hidden layer: 64,32, or 50x2; {NO_LAYERS}: a linear model")
    width: int = setting(8, "length of the vector of a category", least=1)
    activation: ActivationName = setting("relu", "of the hidden units", choices=ACTIVATION_NAMES)
    dropout: float = setting(0.1, "fraction of hidden units dropped in training", least=0, below=1)
    optimizer: str = setting("adam", "of all weights", choices=OPTIMIZER_NAMES)
    lr: float = setting(1e-3, "learning rate", least=0)
    l2: float = setting(1e-4, "penalty ½·l2·Σw²", least=0)


def names_of(text: str) -> list[str]:
    """Names of columns from a text with commas between them."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def use_of(settings: TableSettings) -> TableUse:
    """How the settings say that the file is read."""
    return TableUse(
        settings.target,
        settings.task,
        settings.header,
        names_of(settings.categories),
        names_of(settings.drop),
        Numerals(settings.decimal, settings.thousands),
    )


def load(path: Path | None, settings: TableSettings) -> tuple[Dataset, str]:
    """The table's samples, and one line that says what was found in it. DataError or FileFormatError."""
    if path is None:
        raise DataError(
            "no table given, expected a file: fastnn train table data.csv --target column "
            "(`fastnn data make people` writes one to try it on)"
        )
    data = load_table(path, use_of(settings))
    return data, announced(data)


def announced(data: Dataset) -> str:
    """One line: the file, the target and the task."""
    meta = data.meta
    classes = f" of {len(meta['classes'])} classes" if "classes" in meta else ""
    return f"{os.path.basename(meta['source'])}, {meta['target']}: {meta['task']}{classes}"


def prepare(data: Dataset, settings: TableSettings) -> Dataset:
    """Rows as the network takes them; targets of a regression standardised by mean and deviation of training rows."""
    columns = {name: data.train.x[:, place] for place, name in enumerate(data.meta["columns"])}
    table = Table.of(columns, least=settings.rare)
    prepared = table.prepared(data, settings.dtype)
    meta = data.meta | {"preprocessing": table}
    if "classes" in meta:
        return Dataset(prepared.train, prepared.val, prepared.test, meta)
    mean, std = _scale(data, settings.dtype)
    parts = {name: Split(part.x, (part.y - mean) / std) for name, part in prepared.splits().items()}
    return Dataset(**parts, meta=meta | {"mean": mean, "std": std})


@ieee
def _scale(data: Dataset, dtype: str) -> tuple[float, float]:
    """Mean and deviation of the training rows' targets. DataError for targets that no net of this dtype can predict."""
    y, most = data.train.y, float(np.finfo(dtype).max) / HEADROOM
    mean, std = float(y.mean()), float(y.std()) or 1.0
    if not (abs(mean) < most and std < most):
        hint = " or --dtype float64" if dtype == "float32" else ""
        raise DataError(
            f"{data.meta['target']} goes from {y.min():.3g} to {y.max():.3g}, too far for {dtype}: give it in other "
            f"units{hint}"
        )
    return mean, std


def build(settings: TableSettings, data: Dataset) -> tuple[Sequential, Optimizer]:
    """Numbers and vectors of categories, hidden layers, and a score for each class or one number."""
    table, classes = data.meta["preprocessing"], data.meta.get("classes")
    if settings.class_weight == BALANCED and not classes:
        raise ValueError(
            f"--class-weight is {BALANCED!r}, but {data.meta['target']} is a number (regression) and has no classes: "
            "leave it out"
        )
    own: dict[str, Any] = {} if classes else {"loss": "mse", "metrics": ["r2", "mae"]}
    outputs = len(classes) if classes else 1
    model = Sequential(
        [Columns(**table.layout, width=settings.width), *_hidden(settings), Dense(outputs)],
        input_shape=table.made_shape,
        dtype=settings.dtype,
        seed=settings.seed,
        l2=settings.l2,
        **own,
    )
    model.meta = {"recipe": ID, "target": data.meta["target"], "header": settings.header}
    model.meta |= {"decimal": settings.decimal, "thousands": settings.thousands}
    model.meta |= {"classes": list(classes)} if classes else {}
    return model, optimizer_of(settings)


def _hidden(settings: TableSettings) -> list[Layer]:
    sizes = [] if settings.hidden == NO_LAYERS else sizes_of(settings.hidden, "hidden")
    start = initializers.get("he_normal")
    return hidden_layers(sizes, settings.activation, start, dropout=settings.dropout)


def fit_arguments(settings: TableSettings, train: Split) -> dict[str, Any]:
    size = settings.batch_size or min(max(len(train) // STEPS, LEAST_BATCH), LARGEST_BATCH)
    given = {"x": train.x, "y": train.y, "batch_size": size}
    if settings.class_weight == BALANCED:
        given["class_weight"] = dict(enumerate(balanced_weights(train.y, int(train.y.max()) + 1)))
    return given


def trained(model: Model, data: Dataset) -> None:
    """Give categories that no training row has, missing and unseen ones, what is neutral."""
    table = data.meta["preprocessing"]
    if table.categories:
        table.fill_untrained(model.parameters[next(n for n in model.parameters if n.startswith("columns"))])


def usable(model: Model, data: Dataset) -> Model:
    """The model for data as they are in the file: a regression's predictions have the units of its target."""
    model = copy.deepcopy(model)
    if "mean" in data.meta:
        *_, w, b = model.parameters
        mean, std = data.meta["mean"], data.meta["std"]
        model.set_parameters({w: std * model.parameters[w], b: std * model.parameters[b] + mean})
    return model


def labelled(model: Model, path: Path, numerals: Numerals | None = None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of a file that the model takes, and its targets; rows without a target are left out.

    numerals : how the file writes its numbers; None: as the one that the model was trained on

    DataError for a model of no table, or a file that lacks a column or holds other classes than the model's.
    """
    preprocessing, target, classes = model.preprocessing, model.meta.get("target"), model.meta.get("classes")
    if not isinstance(preprocessing, Table) or not isinstance(target, str):
        raise DataError("the model has lost what it knew of its table: train it again")
    found = read_table(path, header=has_header(model.meta), numerals=numerals or numerals_of(model.meta))
    task = "regression" if classes is None else "classification"
    wanted, rows = target_of(found, TableUse(target, task), classes)
    return {name: cells[rows] for name, cells in columns_for(found, preprocessing).items()}, wanted.y


LINEAR = Comparison(
    "linear",
    "How well does it predict, beside simpler rules?",
    {"linear model": {"hidden": NO_LAYERS}},
    "own",
    is_baseline=True,
)

RECIPE = Recipe(
    id=ID,
    title="your own table, a CSV file: a column predicted from the others",
    settings=TableSettings(),
    quick={"epochs": 5, "samples": 5_000},
    data_set="",
    load=load,
    read_by=("target", "task", "header", "categories", "drop", "decimal", "thousands", "rare"),
    prepare_by=prepare,
    build=build,
    comparisons=(LINEAR,),
    compare=("linear",),
    keep="val_loss",
    fit_arguments=fit_arguments,
    after_epoch=(),
    trained=trained,
    usable=usable,
    answers=answers,
)
