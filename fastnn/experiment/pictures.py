"""The pictures of a command: the chosen run's curves, one picture for each comparison, and those of the recipe."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import plots
from fastnn.experiment.recipe import Comparison
from fastnn.experiment.results import Results, Trained
from fastnn.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Loss and accuracy; with those of the test set where a system has no validation set but watches the test set.
KEYS = ("loss", "accuracy")
TEST_KEYS = ("loss", "accuracy", "test_loss", "test_accuracy")

POINTS = 150  # along a curve by step: more would show the batches, not the training
FEW_EPOCHS = 3  # from here on runs are compared epoch by epoch, before by step

Picture = tuple[str, str, "Figure"]  # file name, caption, figure


def draw(results: Results) -> list[tuple[str, str]]:
    """Draw and save all pictures of `results` into its folder: (file name, caption) of each."""
    found: list[Picture] = [("curves.png", "the chosen run, epoch by epoch", _chosen(results))]
    for comparison, members in results.groups:
        finished = {label: trained for label, trained in members.items() if trained.epochs}
        if comparison.picture != "own" and finished:
            found.append(_compared(results, comparison, finished))
    found += results.recipe.pictures(results)
    for name, _, figure in found:
        plots.save(figure, results.folder / name)
    return [(name, caption) for name, caption, _ in found]


def note_of(results: Results) -> str | None:
    """What every picture of generated data says of itself."""
    return "generated data" if results.data.meta["source"] == "generated" else None


def _chosen(results: Results) -> Any:
    chosen, recipe = results.chosen, results.recipe
    has_penalties = any(getattr(chosen.settings, name, 0.0) for name in ("l1", "l2"))
    if results.data.val is not None and recipe.keep == "val_loss" and not has_penalties:
        return plots.run_curves(History(epochs=chosen.epochs), recipe.id, results.data.meta)
    return plots.learning_curves({recipe.id: chosen.epochs}, _keys(results), recipe.id, note=note_of(results))


def _keys(results: Results) -> tuple[str, ...]:
    return KEYS if results.data.val is not None or results.data.test is None else TEST_KEYS


def _compared(results: Results, comparison: Comparison, members: dict[str, Trained]) -> Picture:
    title = f"{results.recipe.id}: {comparison.question}"
    note = note_of(results)
    if comparison.picture == "bands":
        figure = plots.bands(_bands(list(members.values())), title, "accuracy, %", note=note)
    elif max(len(trained.epochs) for trained in members.values()) < FEW_EPOCHS:
        figure = by_step(members, "loss", title, note)
    else:
        runs = {label: trained.epochs for label, trained in members.items()}
        figure = plots.learning_curves(runs, _keys(results), title, note=note)
    return f"{comparison.name}.png", comparison.question, figure


def by_step(members: Mapping[str, Trained], name: str, title: str, note: str | None) -> "Figure":
    """A figure of each step, for each run: means over short stretches, so that the noise of batches hides no line."""
    steps = min(len(one.steps[name]) for one in members.values())
    width = max(1, steps // POINTS)
    count = steps // width
    x = (np.arange(count) + 0.5) * width
    stretches = {label: one.steps[name][: count * width].reshape(count, width) for label, one in members.items()}
    if steps < max(len(one.steps[name]) for one in members.values()):
        title += f" (the first {steps:,} steps)"
    lines = {label: values.mean(axis=1).tolist() for label, values in stretches.items()}
    return plots.lines_over(x.tolist(), lines, "step", name.split()[0], title, wide_y=True, note=note)


def _bands(members: list[Trained]) -> dict[str, list[list[float]]]:
    """Accuracy by epoch in per cent, of each part of the data that was watched."""
    names = {"train": "accuracy", "validation": "val_accuracy", "test": "test_accuracy"}
    shown = {part: [one.curve(name) for one in members] for part, name in names.items()}
    return {part: [[100 * value for value in curve] for curve in curves] for part, curves in shown.items() if curves[0]}
