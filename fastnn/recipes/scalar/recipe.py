"""The smallest system: a net that can be done on paper, then trained on 60,000 points in the plane, one by one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastnn.common.text import setting_text
from fastnn.data import Dataset, Split, find_data
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import Settings, setting
from fastnn.models import Sequential
from fastnn.nn.optimizers import SGD
from fastnn.recipes.scalar.answers import answers
from fastnn.recipes.scalar.points import as_model, ellipse_points
from fastnn.recipes.shared.published import PUBLISHED
from fastnn.training.models.dtypes import DtypeName

TRAIN, TEST = 60_000, 10_000


@dataclass(frozen=True)
class ScalarSettings(Settings):
    """Plain SGD, a sample a step, in float64."""

    epochs: int = setting(50, "passes over the points", least=1)
    lr: float = setting(0.01, "learning rate", least=0)
    batch_size: int = setting(1, "samples a step", least=1)
    dtype: DtypeName = setting("float64", "of all arithmetic", choices=("float32", "float64"))


def load(path: Path | None, settings: Any = None) -> tuple[Dataset, str]:
    """Points from a file of moons' format; without one 60,000 generated points to train on and 10,000 to test on."""
    if path is not None:
        return find_data("moons", path)
    splits = [Split(*ellipse_points(count, seed)) for count, seed in ((TRAIN, 0), (TEST, 1))]
    data = Dataset(splits[0], None, splits[1], {"classes": ["outside", "inside"], "source": "generated"})
    return data, "generated data, points inside and outside an ellipse (no --data given)"


def build(settings: ScalarSettings, data: Dataset) -> tuple[Sequential, SGD]:
    model = as_model(settings.dtype, seed=settings.seed)
    model.meta = {"recipe": "scalar", "classes": data.meta["classes"]}
    return model, SGD(settings.lr)


RECIPE = Recipe(
    id="scalar",
    title="backpropagation in plain loops: one point worked out, then 60,000 points, one a step",
    settings=ScalarSettings(),
    quick={"epochs": 3, "samples": 10_000},
    published=PUBLISHED["scalar"],
    data_set="moons",
    build=build,
    comparisons=(
        Comparison(
            "rates", "Which learning rate is best?", {f"lr {setting_text(lr)}": {"lr": lr} for lr in (0.001, 0.01, 0.1)}
        ),
    ),
    load=load,
    after_epoch=("train", "test"),
    answers=answers,
)
