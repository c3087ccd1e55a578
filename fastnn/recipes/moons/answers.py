"""What moons and blobs answer: a sheet of borders for each question, with a table of figures and what they say."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from fastnn import plots
from fastnn.common.text import percent
from fastnn.experiment.answering import chosen_answer
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.experiment.sayings import ranking
from fastnn.recipes.moons.borders import TURN_WITHIN, best_line, sharpest_turn, straightness

NEARLY_STRAIGHT = 0.95  # of the plane
MEASURED = (
    "straight: the part of the plane where the best straight line agrees with the net. "
    f"turn: the largest angle by which the border turns within a length of {TURN_WITHIN:g}."
)

Runs = Mapping[str, RunResult]


class Border(NamedTuple):
    """What is measured of a net's border: `straightness`, and `sharpest_turn` in degrees (None: it has no border)."""

    straight: float
    turn: float | None


Borders = Mapping[str, Border]  # by label


def answers(results: ExperimentResult) -> list[Answer | str]:
    """The data alone, and the borders of each comparison's nets; without comparisons those of the chosen net."""
    alone = Comparison("boundary", "Which border does the net draw?", {}, "own")
    groups = results.groups or [(alone, {"the net": results.chosen})]
    first, *others = (_sheet_answer(results, *group) for group in groups)
    explained = replace(first, lines=[*first.lines, MEASURED]) if first.pictures else first
    return [data_answer(results), _trained(results), explained, *others]


def _trained(results: ExperimentResult) -> Answer:
    """The chosen run's answer, which says how long an epoch is: there are more samples a second than points."""
    answer, passes = chosen_answer(results), results.chosen.settings.passes
    return replace(answer, lines=[*answer.lines, f"An epoch is {passes:,} steps, each on all points."])


def data_answer(results: ExperimentResult) -> Answer:
    """The points alone, and how many of them the best straight line gets right."""
    train = results.data.train
    right = round(best_line(np.asarray(train.x), np.asarray(train.y) == 0) * len(train))
    line = f"The best straight line gets {right:,} of {len(train):,} points right."
    question = "What do the points look like, and can a straight line divide them?"
    figure = plots.points(train.x, train.y, f"{results.id}: the points", note=note_of(results))
    says = DATA_REPORT.get(results.id, "")
    return Answer("data", question, lines=[line], report=says, pictures=[("data.png", "the training points", figure)])


DATA_REPORT = {"blobs": "A straight border can almost divide the two clusters, but some points are hard to classify."}


def _sheet_answer(results: ExperimentResult, comparison: Comparison, members: Runs) -> Answer:
    failed = [Row(label, {"failed": run.failed}) for label, run in members.items() if run.failed]
    members = finished(members)
    borders = {label: _border(results, run) for label, run in members.items()}
    table = Table([_row(results, label, run, borders[label]) for label, run in members.items()] + failed)
    told = TOLD.get(comparison.name)
    lines = told(members, borders) if told and members else ranking(members)
    drawn = [_sheet(results, comparison, members)] if members else []
    return Answer(comparison.name, comparison.question, [table], lines, comparison.report, drawn)


def _border(results: ExperimentResult, run: RunResult) -> Border:
    assert run.model is not None, "runs that failed are left out"
    x = results.data.train.x
    return Border(straightness(run.model.predict, x), sharpest_turn(run.model.predict, x))


def _row(results: ExperimentResult, label: str, run: RunResult, border: Border) -> Row:
    accuracy = run.metrics["train_accuracy"]
    here: dict[str, float | str] = {
        "accuracy": accuracy,
        "loss": run.metrics["train_loss"],
        "wrong": float(round((1 - accuracy) * len(results.data.train))),
        "straight": percent(border.straight, 1),
        "turn": "none" if border.turn is None else f"{border.turn:.0f}°",
    }
    return Row(label, here)


def _sheet(results: ExperimentResult, comparison: Comparison, members: Runs) -> Picture:
    train = results.data.train
    panels = [
        (_caption(label, run), run.model.predict, train.x, train.y)
        for label, run in members.items()
        if run.model is not None
    ]
    figure = plots.decision_boundaries(panels, f"{results.id}: {comparison.question}", note=note_of(results))
    return f"{comparison.name}.png", "the class of each place, by colour; the title has accuracy and loss", figure


def _caption(label: str, run: RunResult) -> str:
    return f"{label}: {percent(run.metrics['train_accuracy'], 1)}, loss {run.metrics['train_loss']:.3f}"


def told_activations(runs: Runs, borders: Borders) -> list[str]:
    """Which is best, and whose border has the sharpest turn."""
    turns = {label: border.turn for label, border in borders.items() if border.turn is not None}
    if len(turns) < 2:
        return ranking(runs)
    order = sorted(turns, key=lambda label: turns[label])
    texts = ", ".join(f"{label} {turns[label]:.0f}°" for label in order)
    return [*ranking(runs), f"Borders from the smoothest to the one that turns most sharply: {texts}."]


def told_widths(runs: Runs, borders: Borders) -> list[str]:
    """The change of accuracy from each width to the next."""
    steps = [f"{before} to {after} {_points(runs[after], runs[before])}" for before, after in pairwise(runs)]
    return ranking(runs) + ([f"Change of the accuracy in points: {'; '.join(steps)}."] if steps else [])


def told_depths(runs: Runs, borders: Borders) -> list[str]:
    """Whose border is nearly straight, and what more units and more layers bring on average."""
    straight = [
        f"{label} ({percent(runs[label].metrics['train_accuracy'], 1)} right)"
        for label, border in borders.items()
        if border.straight >= NEARLY_STRAIGHT
    ]
    nearly = f"A nearly straight border ({percent(NEARLY_STRAIGHT, 0)} of the plane): {', '.join(straight) or 'none'}."
    return [*ranking(runs), nearly, *(line for vary in (0, 1) if (line := _gain(runs, vary)))]


def _points(run: RunResult, than: RunResult) -> str:
    """The difference of two training accuracies in points of a per cent: "+2.5"."""
    return f"{100 * (run.metrics['train_accuracy'] - than.metrics['train_accuracy']):+.1f}"


def shape_of(run: RunResult) -> tuple[int, int]:
    """(Units of each hidden layer, layers with input and output) of a run's settings such as 3x2."""
    units, _, count = run.settings.hidden.partition("x")
    return int(units), int(count or 1) + 2


def _gain(runs: Runs, vary: int) -> str:
    """What a larger number of units (vary 0), or of layers (1), brings where the other one is the same."""
    shapes, same = sorted(runs.values(), key=shape_of), 1 - vary
    pairs = [
        (small, large)
        for small in shapes
        for large in shapes
        if shape_of(small)[same] == shape_of(large)[same] and shape_of(small)[vary] < shape_of(large)[vary]
    ]
    if not pairs:
        return ""
    gained = np.mean([large.metrics["train_accuracy"] - small.metrics["train_accuracy"] for small, large in pairs])
    lost = np.mean([large.metrics["train_loss"] - small.metrics["train_loss"] for small, large in pairs])
    what, other = ("units", "layers") if vary == 0 else ("layers", "units")
    count = f"{len(pairs)} pairs" if len(pairs) > 1 else "one pair"
    return (
        f"More {what} with the same number of {other} ({count} of nets): accuracy {100 * gained:+.1f} points on "
        f"average, loss {lost:+.3f}."
    )


TOLD = {"activations": told_activations, "widths": told_widths, "depths": told_depths}
