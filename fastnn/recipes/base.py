"""What a recipe is: its settings as a dataclass, and the few functions in which systems differ."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fastnn.data import Dataset
from fastnn.model import Sequential
from fastnn.optimizers import Optimizer


def setting(default: Any, text: str, *, choices: tuple[str, ...] = (), least: float | None = None) -> Any:
    """A field of a recipe's settings: its default, help text and, where they apply, choices or a lower bound."""
    return field(default=default, metadata={"help": text, "choices": choices, "least": least})


@dataclass(frozen=True)
class Settings:
    """What every recipe can be told. A subclass adds the system's own hyper-parameters."""

    epochs: int = setting(1, "passes over the training data, at most", least=1)
    seed: int = setting(0, "of initial weights and sample order; never of generated data", least=0)
    dtype: str = setting("float32", "of all arithmetic", choices=("float32", "float64"))


@dataclass(frozen=True)
class Recipe:
    """One of the systems.

    id            what the command line calls it
    title         what it is, in one line
    settings      the report's hyper-parameters, an instance of a Settings subclass
    quick         the settings that --quick changes
    seed_figures  what the report published, by the names of `summary.json`'s metrics
    load          (path or None, quick) -> data
    build         (settings, data) -> an untrained model and its optimizer
    patience      epochs without a better val_loss after which training stops; settings -> number
    closing       (model, data, settings) -> what to show at the end, as a title and lines of text
    """

    id: str
    title: str
    settings: Settings
    quick: dict[str, Any]
    seed_figures: dict[str, float]
    load: Callable[[Path | None, bool], Dataset]
    build: Callable[[Any, Dataset], tuple[Sequential, Optimizer]]
    closing: Callable[[Sequential, Dataset, Any], tuple[str, list[str]]]

    def with_settings(self, changes: dict[str, Any], quick: bool) -> Any:
        """The settings with `changes` over `quick`'s over the defaults; ValueError for one out of range."""
        settings = replace(self.settings, **({**self.quick} if quick else {}) | changes)
        for item in fields(settings):
            value, least = getattr(settings, item.name), item.metadata["least"]
            if least is not None and not value >= least:
                raise ValueError(f"--{item.name.replace('_', '-')} is {value}, expected at least {least:g}")
        return settings
