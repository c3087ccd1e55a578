"""Results of trainings: a `RunResult` for each, and an `ExperimentResult` of all that a command made."""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.data import Dataset
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.published import Published
from fastnn.experiment.summary import ComparedRun, Spread
from fastnn.models import Model


@dataclass
class RunResult:
    """One training that has ended.

    label        its name in this command
    settings     its settings
    model        the trained model with the weights that were kept; None if the training failed
    epochs       the history, a dict an epoch
    steps        the history by step: name -> (n,) float64
    before       loss and metrics on each split before the first step; of classes with weights in training, training and
                 validation samples are weighed by them, as in `epochs`
    metrics      the same with the weights that were kept; every sample counts alike
    best_epoch   the epoch whose weights were kept
    stop_reason  why it ended early, or ""
    failed       why there is no model, or ""
    """

    label: str
    settings: Any
    model: Model | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, np.ndarray] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    stop_reason: str = ""
    failed: str = ""

    @property
    def seconds_per_epoch(self) -> float:
        """The median over epochs."""
        return float(np.median(self.curve("seconds")))

    @property
    def samples_per_second(self) -> float:
        """The median over epochs."""
        return float(np.median(self.curve("samples_per_second")))

    def curve(self, name: str) -> list[float]:
        """One figure by epoch; [] if the history lacks it."""
        return [epoch[name] for epoch in self.epochs if name in epoch]


@dataclass
class ExperimentResult:
    """All trainings of a command. A recipe's `answers` is given this.

    id         the recipe's
    keep       the figure whose best epoch was kept, as in the recipe
    loaded     the data as they came from the files
    data       prepared, as the networks saw them
    runs       in the order in which they were trained
    groups     (comparison, {label in it: run}) for each comparison that was made
    chosen     the run whose model the folder keeps
    folder     where the files are written
    published  what the report has of the system
    is_as_reported  whether data and settings of the chosen run are the report's, so that figures can be subtracted
    """

    id: str
    keep: str
    loaded: Dataset
    data: Dataset
    runs: list[RunResult]
    groups: list[tuple[Comparison, dict[str, RunResult]]]
    chosen: RunResult
    folder: Path
    published: Published = field(default_factory=Published)
    is_as_reported: bool = False

    @property
    def model(self) -> Model:
        """The chosen run's."""
        assert self.chosen.model is not None, "a chosen run that failed ends the command"
        return self.chosen.model

    def usable_model(self) -> Model:
        """The chosen run's, but for data as they are loaded: the folder keeps this one."""
        usable = copy.copy(self.model)
        usable.preprocessing = self.data.meta.get("preprocessing")
        return usable

    def group(self, name: str) -> dict[str, RunResult]:
        """The runs of a comparison by label, without those that failed; {} if it was not made."""
        for comparison, members in self.groups:
            if comparison.name == name:
                return finished(members)
        return {}

    def compared_runs(self) -> list[ComparedRun]:
        """The rows of all comparisons, for `summary.json`."""
        return [
            _compared_run(comparison, label, run)
            for comparison, members in self.groups
            for label, run in members.items()
        ]

    def spreads(self) -> dict[str, dict[str, Spread]]:
        """Comparison -> metric -> its mean and standard deviation, for runs that differ by chance only."""
        return {
            comparison.name: _spreads([run.metrics for run in finished(members).values()])
            for comparison, members in self.groups
            if comparison.picture == "bands"
        }


def _compared_run(comparison: Comparison, label: str, run: RunResult) -> ComparedRun:
    return ComparedRun(
        label=label,
        comparison=comparison.name,
        question=comparison.question,
        run=run.label,
        config=asdict(run.settings),
        metrics=run.metrics,
        best_epoch=run.best_epoch,
        epochs_run=len(run.epochs),
        failed=run.failed,
    )


def _spreads(metrics: list[dict[str, float]]) -> dict[str, Spread]:
    columns = {name: [one[name] for one in metrics] for name in metrics[0]} if metrics else {}
    return {name: Spread(float(np.mean(values)), deviation(values)) for name, values in columns.items()}


def finished(runs: Mapping[str, RunResult]) -> dict[str, RunResult]:
    """The runs by label, without those that failed."""
    return {label: run for label, run in runs.items() if not run.failed}


def deviation(values: list[float]) -> float:
    """The standard deviation of the sample, with n − 1 in the denominator; 0 for a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
