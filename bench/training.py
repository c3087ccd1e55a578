"""The trainings that are timed, one row each: the chosen run of `fastnn train ID`, on the recipe's own data; of
`mnist-mlp` that of `--best`, too.

Settings, network and data, generated unless originals were fetched, are the recipe's, and so is the dtype: float32,
float64 for `scalar`. Where a whole training would take a peer minutes, it is cut to its first epochs. On neither side
does anything watch (no Monitor, no gradient norms), and nothing is written.
"""

import functools
import time
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from bench.peers import PEERS
from fastnn.data import Dataset, Split
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.train_one import fewer_samples, train_one
from fastnn.recipes import RECIPES

PYTORCH = next(peer for peer in PEERS if peer.name == "PyTorch")

# "check": few samples, in the order they have, no dropout; "warm": one epoch; "timed": the training of the row.
Stage = Literal["check", "warm", "timed"]


@dataclass(frozen=True)
class Outcome:
    """A training that has ended: its seconds and steps, and loss and accuracy on each split after it.

    samples  the number of training samples
    source   where the data come from: "generated", or a path
    """

    seconds: float
    steps: int
    metrics: dict[str, float]
    samples: int
    source: str


@dataclass(frozen=True)
class Training:
    """A recipe's training.

    recipe_id  the recipe's name
    is_best  whether its settings are those of --best
    epochs   how many epochs; 0: as many as the settings have
    rounds   how many trainings of each side are timed
    checked  settings of the check, few enough steps that rounding stays small, enough that a learning rate 5 % off,
             a penalty or momentum left out shows in the loss (tried for each)
    """

    recipe_id: str
    is_best: bool = False
    epochs: int = 0
    rounds: int = 5
    checked: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """As in tables."""
        return f"{self.recipe_id} --best" if self.is_best else self.recipe_id

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.recipe_id]

    @property
    def settings(self) -> Any:
        """Those of the row."""
        return self._with({"epochs": self.epochs} if self.epochs else {})

    @property
    def all_epochs(self) -> int:
        """Of the settings, where the row is cut to its first ones."""
        return self._with({}).epochs

    def _with(self, changes: dict[str, Any]) -> Any:
        return self.recipe.with_settings(changes, best=self.is_best)

    def task(self, stage: Stage) -> tuple[Recipe, Any, Dataset]:
        """Recipe, settings and prepared data of one stage."""
        checking = stage == "check"
        settings = self._settings_of_check() if checking else self.settings
        if stage == "warm":
            settings = replace(settings, epochs=1)
        fit_arguments = functools.partial(_in_order, self.recipe) if checking else self.recipe.fit_arguments
        data = fewer_samples(_data(self.recipe_id, self.is_best, quick=checking), settings.samples)
        return replace(self.recipe, fit_arguments=fit_arguments), settings, data

    def _settings_of_check(self) -> Any:
        settings = self._with({"epochs": 1} | self.checked)
        has_dropout = any(item.name == "dropout" for item in fields(settings))
        return replace(settings, dropout=0.0) if has_dropout else settings


def _in_order(recipe: Recipe, settings: Any, train: Split) -> dict[str, Any]:
    return recipe.fit_arguments(settings, train) | {"shuffle": False}


@functools.lru_cache(maxsize=1)  # one is large enough
def _data(name: str, is_best: bool, quick: bool = False) -> Dataset:
    """The recipe's own data, prepared; with `quick` fewer samples to validate and test on."""
    recipe = RECIPES[name]
    settings = recipe.with_settings({}, best=is_best)
    return recipe.prepare(recipe.find(None, quick=quick)[0], settings.dtype, settings)


def fastnn_training(training: Training, stage: Stage) -> Outcome:
    """From loaded arrays to the figures of the trained model. What must be compiled is, after a warm one."""
    recipe, settings, data = training.task(stage)
    begin = time.perf_counter()
    run = train_one(recipe, training.id, settings, data)
    seconds = time.perf_counter() - begin
    return Outcome(seconds, len(run.steps["loss"]), compared(run.metrics), len(data.train), data.meta["source"])


def compared(metrics: dict[str, float]) -> dict[str, float]:
    """The figures that either side has; `cats-vs-cars` has its error, too."""
    return {name: value for name, value in metrics.items() if name.endswith(("loss", "accuracy"))}


# Epochs so that a training takes eager PyTorch some five seconds on two cores, or one epoch where that takes longer.
# A recipe that is not here is trained whole.
SHORTENED: dict[str, dict[str, Any]] = {
    "trigram": {"epochs": 3},
    "cats-vs-cars": {"checked": {"samples": 1_800, "epochs": 3}},
    "cifar10-mlp": {"checked": {"samples": 600}},
    "mnist-cnn": {"epochs": 1, "rounds": 3, "checked": {"samples": 2_000}},
    "scalar": {"epochs": 1, "rounds": 3, "checked": {"samples": 10_000}},
    "mnist-sgd": {"epochs": 1, "rounds": 3, "checked": {"samples": 10_000}},
    "notmnist-mlp": {"epochs": 20, "checked": {"epochs": 5}},
    "notmnist-cnn": {"epochs": 1, "rounds": 3, "checked": {"samples": 2_000}},
    "mnist-mlp": {"checked": {"epochs": 2}},
}
BEST = Training("mnist-mlp", is_best=True, rounds=3, checked={"samples": 1_600})
ALL = (*(Training(name, **SHORTENED.get(name, {})) for name in RECIPES), BEST)
