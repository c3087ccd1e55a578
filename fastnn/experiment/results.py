"""What trainings leave: one `Trained` each, and `Results`, all of a command's together."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.data import Dataset
from fastnn.experiment.recipe import Comparison, Recipe, plain
from fastnn.sequential import Sequential


@dataclass
class Trained:
    """One training that has ended.

    label, settings  which it is
    model            as trained, with the weights kept; None if the training failed
    epochs           the history's dicts
    steps            the history's figures by step: name -> (n,) float64
    metrics          loss and accuracy of each part of the data, at the weights kept
    best_epoch       the epoch whose weights are kept
    stop_reason      why it ended early, or ""
    failed           why there is no result, or ""
    """

    label: str
    settings: Any
    model: Sequential | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, np.ndarray] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    stop_reason: str = ""
    failed: str = ""

    @property
    def seconds_per_epoch(self) -> float:
        """The median over epochs."""
        return float(np.median([epoch["seconds"] for epoch in self.epochs]))

    @property
    def samples_per_second(self) -> float:
        """The median over epochs."""
        return float(np.median([epoch["samples_per_second"] for epoch in self.epochs]))

    def curve(self, name: str) -> list[float]:
        """One figure by epoch; [] if the history lacks it."""
        return [epoch[name] for epoch in self.epochs if name in epoch]


@dataclass
class Results:
    """All trainings of a command, as `pictures` and `closing` of a recipe see them.

    data    prepared, as the networks saw it
    groups  (comparison, {label: its training}) for each comparison that was made
    chosen  the training whose model the folder keeps
    folder  where the run's files are written
    """

    recipe: Recipe
    data: Dataset
    trained: list[Trained]
    groups: list[tuple[Comparison, dict[str, Trained]]]
    chosen: Trained
    folder: Path

    @property
    def model(self) -> Sequential:
        """The chosen run's."""
        assert self.chosen.model is not None, "a chosen run that failed ends the command"
        return self.chosen.model

    def group(self, name: str) -> dict[str, Trained]:
        """The trainings of a comparison by label, those that failed left out; {} if it was not made."""
        for comparison, members in self.groups:
            if comparison.name == name:
                return {label: trained for label, trained in members.items() if not trained.failed}
        return {}

    def rows(self) -> list[dict[str, Any]]:
        """For `summary.json`: label, comparison, config and metrics of each run of each comparison."""
        return [
            _row(comparison, label, trained)
            for comparison, members in self.groups
            for label, trained in members.items()
        ]

    def spreads(self) -> dict[str, dict[str, list[float]]]:
        """Comparisons of runs that differ by chance: metric -> [mean, standard deviation over the runs]."""
        return {
            comparison.name: _spread([trained.metrics for trained in members.values() if not trained.failed])
            for comparison, members in self.groups
            if comparison.picture == "bands"
        }


def _row(comparison: Comparison, label: str, trained: Trained) -> dict[str, Any]:
    row = {
        "label": label,
        "comparison": comparison.name,
        "question": comparison.question,
        "run": trained.label,  # what history.csv calls it: one training may answer two questions
        "config": plain(trained.settings),
        "metrics": trained.metrics,
        "best_epoch": trained.best_epoch,
        "epochs_run": len(trained.epochs),
    }
    return row | ({"failed": trained.failed} if trained.failed else {})


def _spread(metrics: list[dict[str, float]]) -> dict[str, list[float]]:
    if not metrics:
        return {}
    columns = {name: [one[name] for one in metrics] for name in metrics[0]}
    return {
        name: [float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0]
        for name, values in columns.items()
    }
