"""The answers of CIFAR-10 that need a picture or a table of their own."""

import dataclasses
import math

import numpy as np

from fastnn import plots
from fastnn.common.text import setting_text
from fastnn.data import Split
from fastnn.experiment.answering import CHOSEN, compared_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import loss_unit, note_of
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.experiment.same_colours import colours_of
from fastnn.models import Model
from fastnn.recipes.cifar10_mlp.checks import checks
from fastnn.recipes.cifar10_mlp.comparisons import RATES, SCALES
from fastnn.recipes.cifar10_mlp.effective_rate import RATE, STEP
from fastnn.recipes.cifar10_mlp.sentences import FIRST_SCALES
from fastnn.recipes.shared.by_iteration import answer_by_iteration

Members = dict[str, RunResult]

DRAWN_BY_ITERATION = ("overfit", "baseline", "momentum", "adaptive", "dropout", "dropout-sizes")
HALF = (50.0, "50 %")  # the sheet's line in the baseline's accuracies


def answers(results: ExperimentResult) -> list[Answer | str]:
    """The checks come first, as on the sheet; then one for each comparison that was made."""
    return [*checks(results), CHOSEN, *(_compared(results, *group) for group in results.groups)]


def _compared(results: ExperimentResult, comparison: Comparison, members: Members) -> Answer:
    name = comparison.name
    if name in DRAWN_BY_ITERATION:
        found = answer_by_iteration(results, comparison, members, HALF if name == "baseline" else None)
        return _with_undivided(results, found, members) if name == "dropout" else found
    found = compared_answer(results, comparison, members)
    runs = finished(members)
    if name == "cells" and len(runs) == len(SCALES) * len(RATES):
        return dataclasses.replace(found, pictures=[_cells_picture(results, runs)])
    if name == "depth" and runs:
        return dataclasses.replace(found, pictures=[_depth_picture(results, comparison, runs)])
    if name == "adagrad" and runs:
        return _adagrad_answer(results, comparison, runs, found)
    return found


def _cells_picture(results: ExperimentResult, runs: Members) -> tuple:
    """The validation accuracies of the nine cells, and beside them the published ones."""
    published = results.published.rows("cells")
    ours = [runs[label].metrics["val_accuracy"] for label in runs]
    theirs = [published.get(label, {}).get("val_accuracy", math.nan) for label in runs]
    shape = len(SCALES), len(RATES)
    values = np.concatenate([np.reshape(ours, shape), np.reshape(theirs, shape)], axis=1)
    names = [f"{setting_text(rate)}\nrun {number}" for number, rate in enumerate(RATES, 1)]
    figure = plots.heat_map(
        values,
        [setting_text(scale) for scale in SCALES],
        [*names, *(f"{name}\nreport" for name in names)],
        "Validation accuracy of nine cells: this run's on the left, the report's on the right",
        xlabel="learning rate",
        ylabel="weight scale",
        best=None,
        note=note_of(results),
    )
    return "cells-map.png", "validation accuracy by weight scale and learning rate", figure


def _depth_picture(results: ExperimentResult, comparison: Comparison, runs: Members) -> tuple:
    """Training accuracy after the last epoch over the scale of the first weights, a line for each depth."""
    depths = dict.fromkeys(label.split(", ")[0] for label in runs)
    lines = {
        depth: [_ending(runs.get(f"{depth}, scale {setting_text(scale)}")) for scale in FIRST_SCALES]
        for depth in depths
    }
    figure = plots.lines_over(
        FIRST_SCALES,
        lines,
        "standard deviation of the initial weights",
        "training accuracy after the last epoch, %",
        comparison.question,
        log_x=True,
        note=note_of(results),
    )
    return (
        "depth.png",
        "50 pictures, plain SGD: what each net ends with, by the scale it began at; a gap: it diverged",
        figure,
    )


def _ending(run: RunResult | None) -> float:
    """Training accuracy after the last epoch in per cent; NaN if the run failed."""
    return 100 * run.curve("train_accuracy")[-1] if run else math.nan


def _adagrad_answer(results: ExperimentResult, comparison: Comparison, runs: Members, found: Answer) -> Answer:
    """With a table of effective rates by step, and the rates drawn beside the losses."""
    runs = {label: run for label, run in runs.items() if RATE in run.steps}
    if not runs:
        return found
    loss = {label: (range(1, len(run.steps["loss"]) + 1), run.steps["loss"]) for label, run in runs.items()}
    rates = {label: (run.steps[STEP], run.steps[RATE]) for label, run in runs.items()}
    panels = [
        plots.CurvePanel("effective rate, median of the first layer", "step", rates, "lr/√c"),
        plots.CurvePanel("training loss", "step", loss, loss_unit(results, runs.values()), dots=True),
    ]
    figure = plots.curve_panels(panels, comparison.question, colours=colours_of(results, runs), note=note_of(results))
    caption = "by what each step multiplies the gradients, median of the first layer's weights; and the loss"
    picture = ("adagrad.png", caption, figure)
    return dataclasses.replace(found, tables=[*found.tables, _rate_table(runs)], pictures=[picture])


def _rate_table(runs: Members) -> Table:
    """The effective rate of each run at a few of the recorded steps."""
    steps = next(iter(runs.values())).steps[STEP]
    count = len(steps)
    shown = sorted({0, count // 8, count // 4, count // 2, count - 1})
    rows = []
    for i in shown:
        rates = {label: float(run.steps[RATE][i]) for label, run in runs.items() if i < len(run.steps[RATE])}
        rows.append(Row(f"step {steps[i]:,.0f}", rates))
    return Table(rows, "effective rate", is_detail=True)


def _with_undivided(results: ExperimentResult, found: Answer, members: Members) -> Answer:
    """With the figures that the net with dropout would have if dropout did not divide by the share that it keeps."""
    run, split = members.get("keep 0.25"), results.data.val
    if run is None or run.failed or run.model is None or split is None:
        return found
    keep = 1 - run.settings.dropout
    divided, undivided = run.model.evaluate(split.x, split.y), _undivided(run.model, keep, split)
    names = ("loss", "accuracy")
    rows = [
        Row(label, {name: figures[name] for name in names})
        for label, figures in (("divided by keep", divided), ("not divided", undivided))
    ]
    told = (
        f"A net that computes the same in training without division has output weights {1 / keep:g} times as large. "
        f"At prediction nothing is dropped, and its scores are {1 / keep:g} times those of training: its validation "
        f"loss is {undivided['loss']:.3f}, with division {divided['loss']:.3f}."
    )
    table = Table(rows, "validation of keep 0.25, if dropout did not divide")
    return dataclasses.replace(found, tables=[*found.tables, table], lines=[*found.lines, told])


def _undivided(model: Model, keep: float, split: Split) -> dict[str, float]:
    """The figures of a net that was trained without division: its output weights are 1/keep as large for the same."""
    output = [name for name in model.parameters if name.endswith(".w")][-1]
    kept = model.snapshot()
    model.set_parameters({output: model.parameters[output] / keep})
    figures = model.evaluate(split.x, split.y)
    model.restore(kept)
    return figures
