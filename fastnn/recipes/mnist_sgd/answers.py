"""How much of a training's loss and accuracy is chance: mean and deviation over seeds, by epoch."""

from dataclasses import replace

import numpy as np

from fastnn import plots
from fastnn.common.text import figure_text
from fastnn.experiment.answering import compared_answer
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult, RunResult, deviation

# Of the history, in the table of seeds: the training figures are means over the epoch.
SHOWN = ("loss", "val_loss", "accuracy", "val_accuracy")


def answers(results: ExperimentResult) -> list[Answer]:
    """The comparison of seeds with the mean and deviation of loss and accuracy by epoch."""
    for comparison, members in results.groups:
        if comparison.name == "three-seeds":
            return [_by_chance(results, compared_answer(results, comparison, members))]
    return []


def _by_chance(results: ExperimentResult, answer: Answer) -> Answer:
    runs = list(results.group("three-seeds").values())
    names = [name for name in SHOWN if runs and runs[0].curve(name)]
    curves = {name: np.array([run.curve(name) for run in runs]) for name in names}
    epochs = range(len(runs[0].epochs)) if runs else ()
    rows = [Row(f"epoch {n + 1:,}", {name: _mean(name, curves[name][:, n]) for name in names}) for n in epochs]
    tables = [*answer.tables, Table(rows, "mean ± standard deviation (n − 1), by epoch", is_detail=True)]
    pictures = [_bands(results, runs, "loss", 1.0), _bands(results, runs, "accuracy", 100.0)]
    return replace(answer, tables=tables, pictures=pictures)


def _mean(name: str, values: np.ndarray) -> str:
    return f"{figure_text(name, float(values.mean()))} ± {figure_text(name, deviation(values.tolist()))}"


def _bands(results: ExperimentResult, runs: list[RunResult], name: str, scale: float) -> Picture:
    splits = {"training, mean over the epoch": name, "validation": f"val_{name}"}
    curves = {label: [[scale * v for v in run.curve(key)] for run in runs] for label, key in splits.items()}
    title = f"How much of the {name} is chance?"
    ylabel = "accuracy, %" if name == "accuracy" else "cross-entropy, nats"
    figure = plots.bands(
        {label: found for label, found in curves.items() if found[0]}, title, ylabel, note=note_of(results)
    )
    caption = f"{name}: mean and standard deviation by epoch, with each run in pale lines"
    return f"three-seeds-{name}.png", caption, figure
