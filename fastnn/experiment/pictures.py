"""The pictures of a command: the chosen run's curves, one picture for each comparison, and the recipe's own."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import plots
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The metrics that curves show. A system without a validation set is watched on its test set.
METRICS = ("loss", "accuracy")
METRICS_WITH_TEST = ("loss", "accuracy", "test_loss", "test_accuracy")

POINTS = 150  # along a curve by step: with more, the noise of batches hides the course of the training
FEW_EPOCHS = 3  # runs with fewer epochs are compared by step, others by epoch

Picture = tuple[str, str, "Figure"]  # file name, caption, figure


def pictures_of(result: ExperimentResult, own: Iterable[Picture] = ()) -> list[Picture]:
    """Draw all pictures. own : the recipe's own, which come last."""
    found: list[Picture] = [("curves.png", "the chosen run, epoch by epoch", _chosen(result))]
    for comparison, members in result.groups:
        finished = {label: run for label, run in members.items() if run.epochs}
        if comparison.picture != "own" and finished:
            found.append(_compared(result, comparison, finished))
    return [*found, *own]


def save_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write each picture into the folder, under its file name."""
    for name, _, figure in pictures:
        plots.save(figure, folder / name)


def note_of(result: ExperimentResult) -> str | None:
    """The note on every picture of generated data; None for other data."""
    return "generated data" if result.data.meta["source"] == "generated" else None


def _chosen(result: ExperimentResult) -> Any:
    chosen = result.chosen
    has_penalties = any(getattr(chosen.settings, name, 0.0) for name in ("l1", "l2"))
    if result.data.val is not None and result.keep == "val_loss" and not has_penalties:
        return plots.run_curves(History(epochs=chosen.epochs), result.id, result.data.meta)
    return plots.learning_curves({result.id: chosen.epochs}, _metrics(result), result.id, note=note_of(result))


def _metrics(result: ExperimentResult) -> tuple[str, ...]:
    return METRICS if result.data.val is not None or result.data.test is None else METRICS_WITH_TEST


def _compared(result: ExperimentResult, comparison: Comparison, members: dict[str, RunResult]) -> Picture:
    title = f"{result.id}: {comparison.question}"
    note = note_of(result)
    if comparison.picture == "bands":
        figure = plots.bands(_bands(list(members.values())), title, "accuracy, %", note=note)
    elif max(len(run.epochs) for run in members.values()) < FEW_EPOCHS:
        figure = by_step(members, "loss", title, note)
    else:
        runs = {label: run.epochs for label, run in members.items()}
        figure = plots.learning_curves(runs, _metrics(result), title, note=note)
    return f"{comparison.name}.png", comparison.question, figure


def by_step(members: Mapping[str, RunResult], name: str, title: str, note: str | None) -> "Figure":
    """The figure `name` of each run by step, as means over stretches of steps, up to the length of the shortest run."""
    steps = min(len(run.steps[name]) for run in members.values())
    width = max(1, steps // POINTS)
    count = steps // width
    x = (np.arange(count) + 0.5) * width
    stretches = {label: run.steps[name][: count * width].reshape(count, width) for label, run in members.items()}
    if steps < max(len(run.steps[name]) for run in members.values()):
        title += f" (the first {steps:,} steps)"
    lines = {label: values.mean(axis=1).tolist() for label, values in stretches.items()}
    return plots.lines_over(x.tolist(), lines, "step", name.split()[0], title, wide_y=True, note=note)


def _bands(runs: list[RunResult]) -> dict[str, list[list[float]]]:
    """Accuracy in per cent by epoch: split -> a curve for each run; splits that the history lacks are left out."""
    names = {"train": "accuracy", "validation": "val_accuracy", "test": "test_accuracy"}
    curves = {split: [run.curve(name) for run in runs] for split, name in names.items()}
    return {split: [[100 * value for value in curve] for curve in found] for split, found in curves.items() if found[0]}
