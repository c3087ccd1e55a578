"""Comparisons as the sheets draw them: the loss of each step in dots, accuracies after each epoch from epoch 0 on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fastnn import plots
from fastnn.common.figures import is_fraction, scale_of, unit_of
from fastnn.common.text import metric_name
from fastnn.experiment.answering import compared_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import loss_unit, note_of, reported
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.experiment.same_colours import colours_of
from fastnn.plots.panels import Points

BETWEEN = ", iteration "  # in the label of a published loss: between the run's label and the step
PUBLISHED = ", by iteration"  # after an answer's name: where its published losses are
SHOWN = ("train_accuracy", "val_accuracy")


def answer_by_iteration(
    results: ExperimentResult,
    comparison: Comparison,
    members: Mapping[str, RunResult],
    level: tuple[float, str] | None = None,
) -> Answer:
    """The comparison's answer with published losses of single steps, and its picture.

    level : (accuracy in per cent, what it is) of a line in the panels of accuracies
    """
    found = compared_answer(results, comparison, dict(members))
    runs = finished(members)
    tables = [*found.tables, *_losses_by_iteration(results, comparison.name, runs)]
    if not runs:
        return dataclasses.replace(found, tables=tables)
    panels = [_loss_panel(results, comparison.name, runs)]
    panels += [accuracy_panel(results, comparison.name, runs, name, level) for name in SHOWN]
    figure = plots.curve_panels(panels, comparison.question, colours=colours_of(results, runs), note=note_of(results))
    caption = "the loss of each step, penalties included; accuracies after each epoch, 0 is before the first step"
    return dataclasses.replace(found, tables=tables, pictures=[(f"{comparison.name}.png", caption, figure)])


def _losses_by_iteration(results: ExperimentResult, answer: str, runs: Mapping[str, RunResult]) -> list[Table]:
    """The losses of the steps of which the report printed them; [] if it printed none."""
    rows = []
    for label, figures in results.published.rows(f"{answer}{PUBLISHED}").items():
        name, number = _parts(label)
        run = runs.get(name)
        has_it = run is not None and len(run.steps["loss"]) >= number
        rows.append(Row(label, {"loss": float(run.steps["loss"][number - 1])} if run and has_it else {}, figures))
    return [Table(rows, "loss of single steps")] if rows else []


def _parts(label: str) -> tuple[str, int]:
    """The run's label and the number of the step, from 1."""
    name, number = label.rsplit(BETWEEN, 1)
    return name, int(number)


def _loss_panel(results: ExperimentResult, answer: str, runs: Mapping[str, RunResult]) -> plots.CurvePanel:
    curves = {label: (range(1, len(run.steps["loss"]) + 1), run.steps["loss"]) for label, run in runs.items()}
    published: dict[str, tuple[list[float], list[float]]] = {}
    for label, figures in results.published.rows(f"{answer}{PUBLISHED}").items():
        name, number = _parts(label)
        if name in runs:
            x, y = published.setdefault(name, ([], []))
            x.append(number)
            y.append(figures["loss"])
    unit = loss_unit(results, runs.values())
    return plots.CurvePanel("training loss", "step", curves, unit, reported=published, dots=True)


def accuracy_panel(
    results: ExperimentResult,
    answer: str,
    runs: Mapping[str, RunResult],
    name: str,
    level: tuple[float, str] | None = None,
    title: str = "",
) -> plots.CurvePanel:
    """One figure by epoch, from epoch 0 where it is known before the first step; fractions in per cent."""
    published = {label: _points(epochs, name) for label, epochs in reported(results, answer).items() if label in runs}
    curves = {label: _points([{"epoch": 0} | run.before, *run.epochs], name) for label, run in runs.items()}
    return plots.CurvePanel(
        title or metric_name(name).replace("train ", "training "),
        "epoch",
        curves,
        loss_unit(results, runs.values()) if name.endswith("loss") else unit_of(name),
        {label: points for label, points in published.items() if points[0]},
        level=level,
        from_zero=is_fraction(name),
    )


def _points(epochs: list[dict[str, Any]], name: str) -> Points:
    known = [entry for entry in epochs if name in entry]
    return [entry["epoch"] for entry in known], [scale_of(name) * entry[name] for entry in known]
