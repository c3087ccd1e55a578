"""What cats-vs-cars answers: error and accuracy by epoch, which net is faster and steadier, the best of each grid."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fastnn import plots
from fastnn.common.text import figure_text, metric_name, percent
from fastnn.experiment.answering import CHOSEN, by_kind, chosen_answer, compared_answer
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.experiment.same_colours import colours_of
from fastnn.experiment.sayings import epochs_to, ranking, steadiness
from fastnn.plots.smoothed import running_mean
from fastnn.recipes.cats_vs_cars.activations import activation_answer
from fastnn.recipes.cats_vs_cars.saturation import saturation
from fastnn.recipes.cats_vs_cars.squared_error import error_answer

Runs = Mapping[str, RunResult]

FIGURES = ("train_accuracy", "test_accuracy", "train_mse", "test_mse")
TIMED = ("hidden", "deep")  # comparisons of nets, not of settings
UNITS = dict.fromkeys(("mse", "test_mse"), "mean squared error")  # the labels are −1 and 1
CURVES = ("test_mse", "test_accuracy")  # those that comparisons draw
SMOOTHED = 10  # a running mean takes this part of the epochs
BELOW_PEAK = 0.03  # how far below the lowest peak lies the accuracy by which nets are timed
LAST = 50  # epochs over which a net's steadiness is measured
JUDGED = 150  # last epochs over which the report's grid search takes the mean test error


def answers(results: ExperimentResult) -> list[Answer]:
    """In the report's order: activations, (a), (b), for which a further net is trained, comparisons, peaks."""
    found = [activation_answer(), chosen(results), error_answer(results)]
    found += [compared(results, *group) for group in results.groups]
    return [*found, peaks(results, _nets(results) or {CHOSEN: results.chosen})]


def _nets(results: ExperimentResult) -> dict[str, RunResult]:
    """Each net of the comparisons of nets, once: that of (a) is part of both, and its later name is the report's."""
    names = [comparison.name for comparison, _ in results.groups if comparison.name in TIMED]
    members = [item for name in names for item in results.group(name).items()]
    once = {id(run): (label, run) for label, run in members}
    return dict(once.values())


def chosen(results: ExperimentResult) -> Answer:
    """Squared error and accuracy of the chosen net by epoch, on training and test set."""
    answer, epochs = chosen_answer(results), results.chosen.epochs
    rows = [Row(row.label, {name: row.here[name] for name in ("mse", "accuracy")}) for row in answer.tables[0].rows]
    keys = ("mse", "accuracy", "test_mse", "test_accuracy")
    title = "How do mean squared error and accuracy evolve?"
    figure = plots.learning_curves({results.id: epochs}, keys, title, units=UNITS, note=note_of(results))
    pictures = [("curves.png", "mean squared error (MSE) and accuracy by epoch", figure)]
    lines = [*answer.lines, "The net descends on half the mean squared error (MSE), whose gradient is the report's."]
    return replace(answer, tables=[Table(rows)], lines=lines, pictures=pictures)


def compared(results: ExperimentResult, comparison: Comparison, members: Runs) -> Answer:
    """A comparison by its grid, or by its curves, which are noisy and smoothed. Runs that failed have a row."""
    answer, failed = compared_answer(results, comparison, dict(members)), by_kind(_failures(members))
    members = finished(members)
    if comparison.picture != "curves" or not members:
        return answer
    if comparison.name.startswith("grid-"):
        found = _grid(results, comparison, members)
        return replace(found, tables=[*found.tables, *failed])
    tables, lines = by_kind([Row(label, _metrics(run)) for label, run in members.items()]) + failed, [*ranking(members)]
    further, told = _measured(results, comparison.name, members)
    picture = smoothed(results, comparison, members)
    return replace(answer, tables=tables + further, lines=lines + told, pictures=[picture])


def _measured(results: ExperimentResult, comparison: str, members: Runs) -> tuple[list[Table], list[str]]:
    """What is measured of the nets of some comparisons beside their figures, and what is told of it."""
    if comparison == "hidden":
        table, lines = saturation(results, members)
    elif comparison == "deep":
        table, lines = _timed(members)
    else:
        return [], []
    return [table], lines


def _failures(members: Runs) -> list[Row]:
    return [Row(label, {"failed": run.failed}) for label, run in members.items() if run.failed]


def _metrics(run: RunResult) -> dict[str, float]:
    return {name: run.metrics[name] for name in FIGURES if name in run.metrics}


def width_of(runs: Runs) -> int:
    """Epochs of the running mean for these runs: an odd number, as it has a middle."""
    return max(len(run.epochs) for run in runs.values()) // SMOOTHED | 1


def smoothed(results: ExperimentResult, comparison: Comparison, members: Runs) -> Picture:
    """Test error and test accuracy of each run by epoch, pale, and their running means."""
    panels = {metric_name(name): {label: run.curve(name) for label, run in members.items()} for name in CURVES}
    units = {metric_name(name): unit for name, unit in UNITS.items()}
    same: dict[str, Any] = {"units": units, "colours": colours_of(results, members)}
    figure = plots.smoothed_curves(panels, comparison.question, width_of(members), note=note_of(results), **same)
    return f"{comparison.name}.png", "test set after each epoch: pale; running mean: strong", figure


def _timed(runs: Runs) -> tuple[Table, list[str]]:
    """How fast each net reached a level that all reach, and how much it moves at the end; and the order in each."""
    name = "test_accuracy"
    level = math.floor(100 * (min(max(run.curve(name)) for run in runs.values()) - BELOW_PEAK)) / 100
    reached = {label: epochs_to(run, name, level) or len(run.epochs) for label, run in runs.items()}
    last = min(LAST, max(1, min(len(run.epochs) for run in runs.values()) // 2))
    spread = {label: steadiness(run, name, last) for label, run in runs.items()}
    points = {label: f"{100 * value:.2f} points" for label, value in spread.items()}
    names = f"epochs to {percent(level, 0)} test", f"standard deviation, last {last}"
    rows = [Row(label, {names[0]: float(reached[label]), names[1]: points[label]}) for label in runs]
    epochs = {label: f"epoch {value:,}" for label, value in reached.items()}
    verdict = [
        f"First to {percent(level, 0)} on the test set: {_order(reached, epochs)}.",
        f"Steadiest test accuracy over the last {last} epochs: {_order(spread, points)}.",
    ]
    return Table(rows, "speed and steadiness"), verdict if len(runs) > 1 else []


def _order(values: Mapping[str, float], texts: Mapping[str, str]) -> str:
    """Labels from the least value to the largest, each with its text."""
    return ", ".join(f"{label} ({texts[label]})" for label in sorted(values, key=lambda label: values[label]))


def _grid(results: ExperimentResult, comparison: Comparison, members: Runs) -> Answer:
    """An axis of the grid search: the best has the lowest mean test error over its last epochs."""
    count = {label: min(JUDGED, max(1, len(run.epochs) // 2)) for label, run in members.items()}
    judged = {label: float(np.mean(run.curve("test_mse")[-count[label] :])) for label, run in members.items()}
    last = max(count.values())
    name = f"test_mse_of_the_last_{last}"
    rows = [Row(label, {name: judged[label]} | _metrics(run)) for label, run in members.items()]
    best = min(judged, key=lambda label: judged[label])
    line = (
        f"Best of this axis, by the lowest mean test error of the last {last} epochs: {best} "
        f"({figure_text('mse', judged[best])})."
    )
    picture = _along_axis(results, comparison, members, judged, last) or smoothed(results, comparison, members)
    return Answer(comparison.name, comparison.question, [Table(rows)], [line], comparison.report, [picture])


def _along_axis(
    results: ExperimentResult, comparison: Comparison, members: Runs, judged: Mapping[str, float], last: int
) -> Picture | None:
    """The mean test errors over the values of the axis; None if these are no numbers."""
    (setting,) = comparison.axes
    values = [getattr(run.settings, setting) for run in members.values()]
    if not all(str(value).replace(".", "", 1).isdigit() for value in values):
        return None
    figure = plots.lines_over(
        [float(value) for value in values],
        {"": list(judged.values())},
        setting.replace("_", " "),
        f"mean test error (MSE) of the last {last} epochs",
        comparison.question,
        note=note_of(results),
    )
    return f"{comparison.name}.png", "the report's measure along the axis", figure


def peaks(results: ExperimentResult, members: Runs) -> Answer:
    """The best epoch of each net beside the peaks that the report read off its curves."""
    published = results.published.rows("peaks")
    rows = [Row(label, _peak(run), published.get(label, {})) for label, run in members.items() if run.epochs]
    rows += [Row(label, {}, figures) for label, figures in published.items() if label not in members]
    lines = ["Smoothed: of the running mean, else of single epochs. The report's figures are read off its curves."]
    return Answer("peaks", "How high do the curves of the test accuracy reach?", [Table(rows)], lines)


def _peak(run: RunResult) -> dict[str, float]:
    curve = run.curve("test_accuracy")
    smooth = running_mean(curve, width_of({"": run}))
    return {
        "smoothed_peak_accuracy": float(smooth.max()),
        "peak_accuracy": max(curve),
        "in_epoch": float(1 + int(np.argmax(curve))),
    }
