"""The pictures that every command draws: the chosen run's curves, and one for each comparison."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import plots
from fastnn.experiment.answers import Picture
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.same_colours import colours_of
from fastnn.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The metrics that curves show. A system without a validation set is watched on its test set.
METRICS = ("loss", "accuracy")
METRICS_WITH_TEST = ("loss", "accuracy", "test_loss", "test_accuracy")

# Losses by their names, as an axis names them.
LOSSES = {
    "softmax_cross_entropy": "cross-entropy, nats",
    "binary_cross_entropy": "cross-entropy, nats",
    "mse": "mean squared error",
    "mae": "mean absolute error",
}

POINTS = 150  # along a curve by step: with more, the noise of batches hides the course of the training
FEW_EPOCHS = 3  # runs with fewer epochs are compared by step, others by epoch


def save_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write each picture into the folder, under its file name."""
    for name, _, figure in pictures:
        plots.save(figure, folder / name)


def note_of(result: ExperimentResult) -> str | None:
    """The note on every picture of generated data; None for other data."""
    return "generated data" if result.data.meta["source"] == "generated" else None


def chosen(result: ExperimentResult) -> Picture:
    """The chosen run's learning curves, with the report's where it printed them."""
    dotted = "; dotted: as the report printed it" if reported(result, "chosen") else ""
    return "curves.png", f"the chosen run by epoch{dotted}", _curves(result)


def _curves(result: ExperimentResult) -> "Figure":
    chosen = result.chosen
    has_penalties = any(getattr(chosen.settings, name, 0.0) for name in ("l1", "l2"))
    if result.data.val is not None and result.keep == "val_loss" and not has_penalties:
        return plots.run_curves(History(epochs=chosen.epochs), result.id, result.data.meta)
    title = f"{result.id}: how does the training go?"
    runs, published = {result.id: chosen.epochs}, {result.id: reported(result, "chosen").get("", [])}
    units, note = units_of(result, [chosen]), note_of(result)
    return plots.learning_curves(runs, METRICS_WITH_TEST, title, reported=published, units=units, note=note)


def loss_unit(result: ExperimentResult, runs: Iterable[RunResult]) -> str:
    """What an axis of the losses of these runs says: which loss it is, with the penalties that it includes, its unit.

    "" for a loss that is none of the usual ones.
    """
    loss = result.model.network.loss
    name, _, unit = LOSSES.get(getattr(loss, "name", ""), "").partition(", ")
    scale = {1.0: "", 0.5: "½ "}.get(getattr(loss, "scale", 1.0))
    if not name or scale is None:
        return ""
    has_penalties = any(getattr(run.settings, item, 0.0) for run in runs for item in ("l1", "l2"))
    return f"{scale}{name}{' + penalties' if has_penalties else ''}, {unit}".removesuffix(", ")


def units_of(result: ExperimentResult, runs: Iterable[RunResult]) -> dict[str, str]:
    """What stands beside the axes of losses in learning curves of these runs, by the names of the panels."""
    unit = loss_unit(result, runs)
    return dict.fromkeys(("loss", "test_loss"), unit) if unit else {}


def _metrics(result: ExperimentResult) -> tuple[str, ...]:
    return METRICS if result.data.val is not None or result.data.test is None else METRICS_WITH_TEST


def reported(result: ExperimentResult, answer: str) -> dict[str, list[dict[str, float]]]:
    """Label -> the epochs that the report printed of that run, for curves beside ours."""
    return {label: run.epochs() for label, run in result.published.by_epoch.get(answer, {}).items()}


def compared(result: ExperimentResult, comparison: Comparison, members: dict[str, RunResult]) -> list[Picture]:
    """The picture of a comparison's finished runs; [] if there are none, or the recipe draws it."""
    if comparison.picture == "own" or not members:
        return []
    title, note = comparison.question, note_of(result)
    caption = "by epoch, a colour for each run"
    if comparison.picture == "bands":
        caption = "mean and standard deviation by epoch, with each run in pale lines"
        figure = plots.bands(_bands(list(members.values())), title, "accuracy, %", note=note)
    elif max(len(run.epochs) for run in members.values()) < FEW_EPOCHS:
        caption = "by step, a colour for each run"
        figure = by_step(result, members, "loss", title)
    else:
        runs = {label: run.epochs for label, run in members.items()}
        same: dict[str, Any] = {"units": units_of(result, members.values()), "colours": colours_of(result, members)}
        published = reported(result, comparison.name)
        figure = plots.learning_curves(runs, _metrics(result), title, reported=published, note=note, **same)
    return [(f"{comparison.name}.png", caption, figure)]


def by_step(result: ExperimentResult, members: Mapping[str, RunResult], name: str, title: str) -> "Figure":
    """The figure `name` of each run by step, as means over stretches of steps, up to the length of the shortest run."""
    ylabel = loss_unit(result, members.values()) if name == "loss" else ""
    steps = min(len(run.steps[name]) for run in members.values())
    width = max(1, steps // POINTS)
    count = steps // width
    apart = min(_apart(run, name) for run in members.values())
    x = (np.arange(count) + 0.5) * width * apart + 0.5  # the mean of a stretch: steps count from 1
    stretches = {label: run.steps[name][: count * width].reshape(count, width) for label, run in members.items()}
    if steps < max(len(run.steps[name]) for run in members.values()):
        title += f" (the first {round(steps * apart):,} steps)"
    lines = {label: values.mean(axis=1).tolist() for label, values in stretches.items()}
    look: dict[str, Any] = {"colours": colours_of(result, members), "note": note_of(result), "wide_y": True}
    return plots.lines_over(x.tolist(), lines, "step", ylabel or name.split()[0], title, **look)


def _apart(run: RunResult, name: str) -> float:
    """How many steps lie between two records of a figure of some steps alone."""
    return len(run.steps["loss"]) / len(run.steps[name])


def _bands(runs: list[RunResult]) -> dict[str, list[list[float]]]:
    """Accuracy in per cent by epoch: split -> a curve for each run; splits that the history lacks are left out."""
    names = {"training": "accuracy", "validation": "val_accuracy", "test": "test_accuracy"}
    curves = {split: [run.curve(name) for run in runs] for split, name in names.items()}
    return {split: [[100 * value for value in curve] for curve in found] for split, found in curves.items() if found[0]}
