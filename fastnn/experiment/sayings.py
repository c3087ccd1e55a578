"""Sentences and rows that are computed from runs: which is best, how fast, how steady."""

from collections.abc import Mapping

import numpy as np

from fastnn.common.figures import higher_is_better, without_split
from fastnn.common.text import figure_text, metric_name, sentence
from fastnn.experiment.answers import Row
from fastnn.experiment.results import RunResult, deviation, finished

# By which figure runs are ranked: the first that all of them have.
JUDGED_BY = ("val_accuracy", "test_accuracy", "train_accuracy", "val_loss", "test_loss", "train_loss")
NAMED = 3  # runs that a sentence names one by one


def ranking(runs: Mapping[str, RunResult]) -> list[str]:
    """One sentence: the best and the worst of several runs by the figure that they are judged by; [] for a single run.

    Runs that are the same to the digits that are shown are all named.
    """
    name = _judged_by(runs)
    if len(runs) < 2 or name is None:
        return []
    by_text: dict[str, list[str]] = {}
    for label in sorted(runs, key=lambda label: runs[label].metrics[name], reverse=higher_is_better(name)):
        by_text.setdefault(figure_text(name, runs[label].metrics[name]), []).append(label)
    groups = [f"{text} ({'; '.join(labels)})" for text, labels in by_text.items()]  # a label may have commas
    if len(groups) == 1:
        return [f"All have the same {metric_name(name)}: {next(iter(by_text))}."]
    return [f"Best {metric_name(name)}: {groups[0]}. Worst: {groups[-1]}."]


def _judged_by(runs: Mapping[str, RunResult]) -> str | None:
    return next((name for name in JUDGED_BY if all(name in run.metrics for run in runs.values())), None)


def kept(runs: Mapping[str, RunResult], name: str) -> list[str]:
    """One sentence: of which epochs the tables' figures are, where weights of an earlier epoch than the last were kept.

    name : the figure whose best epoch is kept; "" if it is always the last
    """
    earlier = {label: run for label, run in runs.items() if name and 0 < run.best_epoch < len(run.epochs)}
    if not earlier:
        return []
    best = f"best epoch by {metric_name(name)}"
    if len(earlier) > NAMED:
        return [f"The tables have each run at its {best}, for {len(earlier)} of {len(runs)} runs not the last one."]
    epochs = "; ".join(f"{run.best_epoch:,} of {len(run.epochs):,} ({label})" for label, run in earlier.items())
    others = "; for the others it is the last" if len(earlier) < len(runs) else ""
    return [f"The tables have each run at its {best}: epoch {epochs}{others}."]


def epochs_to(run: RunResult, name: str, level: float) -> int | None:
    """The first epoch in which the figure `name` reached `level`; None if it never did."""
    for number, value in enumerate(run.curve(name), 1):
        if value >= level if higher_is_better(name) else value <= level:
            return number
    return None


def steadiness(run: RunResult, name: str, last: int) -> float:
    """The standard deviation (n − 1) of a figure over the `last` epochs: less is steadier."""
    return deviation(run.curve(name)[-last:])


def spread_row(runs: Mapping[str, RunResult]) -> list[Row]:
    """A row of mean ± standard deviation (n − 1) of the accuracies and losses of runs that differ by chance only."""
    ended = [run.metrics for run in finished(runs).values()]
    if len(ended) < 2:
        return []
    names = [name for name in ended[0] if without_split(name) in ("accuracy", "loss")]
    figures = {name: _spread(name, [found[name] for found in ended]) for name in names}
    return [Row("mean ± standard deviation", figures)]


def spread(runs: Mapping[str, RunResult]) -> list[str]:
    """One sentence: mean and deviation (n − 1) of the figure that runs are judged by; [] for a single run."""
    name = _judged_by(runs)
    if len(runs) < 2 or name is None:
        return []
    text = _spread(name, [run.metrics[name] for run in runs.values()])
    return [f"{sentence(metric_name(name))} of {len(runs)} runs that differ by chance only: {text}."]


def _spread(name: str, values: list[float]) -> str:
    return f"{figure_text(name, float(np.mean(values)))} ± {figure_text(name, deviation(values))}"
