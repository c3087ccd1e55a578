"""The answers of mnist-mlp that need a picture or a table of their own."""

import dataclasses

import numpy as np

from fastnn import ops, plots
from fastnn.common.random import generator
from fastnn.experiment.answering import CHOSEN, compared_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.pictures import by_step, note_of
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.experiment.same_colours import colours_of
from fastnn.recipes.mnist_mlp.toy_net import toy_answer
from fastnn.recipes.shared.by_iteration import accuracy_panel

NORM = "norm dense.w"  # as GradientNorms calls it in the history
BY_EPOCH = {
    "last_batch_loss": "loss of the last batch",
    "last_batch_accuracy": "accuracy of the last batch",
    "val_accuracy": "validation accuracy",
}
OVERFLOWING = -88.7  # below it exp(−a) is no float32
SUMS = (-1000.0, -104.0, -89.0, -10.0, 0.0, 1000.0)  # into a sigmoid


def answers(results: ExperimentResult) -> list[Answer | str]:
    """The toy net first; one for each comparison, what hidden units look for, and sigmoids of large sums."""
    found = [_compared(results, *group) for group in results.groups]
    return [toy_answer(results), CHOSEN, *found, weights_answer(results), overflow_answer(results)]


def _compared(results: ExperimentResult, comparison: Comparison, members: dict[str, RunResult]) -> Answer:
    found = compared_answer(results, comparison, members)
    runs = finished(members)
    if not runs:
        return found
    name = comparison.name
    panels = [accuracy_panel(results, name, runs, figure, title=title) for figure, title in BY_EPOCH.items()]
    drawn = plots.curve_panels(panels, comparison.question, colours=colours_of(results, runs), note=note_of(results))
    norms = by_step(results, runs, NORM, "Norm of the first layer's gradient by step")
    pictures = [
        (f"{name}.png", "by epoch; the last batch before its step", drawn),
        (f"{name}-loss.png", "loss by step, penalties included", by_step(results, runs, "loss", "Loss by step")),
        (f"{name}-gradients.png", "Frobenius norm of the first layer's gradient by step", norms),
    ]
    return dataclasses.replace(found, pictures=pictures)


def weights_answer(results: ExperimentResult) -> Answer:
    """The weights of each hidden unit as pictures: of the ReLU and the sigmoid net, or of the chosen one alone."""
    runs = results.group("activations") or {results.chosen.settings.activation: results.chosen}
    grids = {label: _pictures(run) for label, run in runs.items()}
    question = "What do the hidden units look for?"
    figure = plots.image_grids(grids, "Weights of the hidden units, one picture a unit", note=note_of(results))
    rows = [Row(label, {"deviation": float(grid.std()), "roughness": roughness(grid)}) for label, grid in grids.items()]
    told = "Roughness: the mean difference of neighbouring weights, in standard deviations; that of noise is 1.13."
    picture = ("weights.png", "blue: below 0, orange: above 0; each net has its own scale", figure)
    return Answer("weights", question, [Table(rows, "first-layer weights")], [told], pictures=[picture])


def _pictures(run: RunResult) -> np.ndarray:
    """(units, h, w)"""
    assert run.model is not None
    weights = np.asarray(run.model.parameters["dense.w"], np.float64)
    side = int(np.sqrt(weights.shape[0]))
    return weights.T.reshape(-1, side, side)


def roughness(grid: np.ndarray) -> float:
    """Mean |difference| of neighbours in rows and columns, over the deviation of all; 2/√π for independent ones."""
    steps = np.concatenate([np.abs(np.diff(grid, axis=1)).ravel(), np.abs(np.diff(grid, axis=2)).ravel()])
    return float(steps.mean() / (grid.std() or 1.0))


def overflow_answer(results: ExperimentResult) -> Answer:
    """The sigmoid as the formula has it and as we compute it, in float32, and how large the sums of raw pixels are."""
    sums = np.array(SUMS, np.float32)
    stable = ops.sigmoid_forward(sums[None])[0]
    with np.errstate(over="ignore"):
        powers = np.exp(-sums)
    rows = [
        Row(f"a = {a:g}", {"exp(−a)": f"{power:.3g}" if np.isfinite(power) else "overflow", "sigmoid": f"{value:.3g}"})
        for a, power, value in zip(sums, powers, stable, strict=True)
    ]
    question = "What becomes of the sigmoid on raw pixels, where exp(−a) overflows?"
    return Answer(
        "overflow",
        question,
        [Table(rows, "float32")],
        [*_largest_sums(results), "Here no power is above exp(0): a negative sum is taken as exp(a) / (1 + exp(a))."],
        "Its program overflows on them.",
    )


def _largest_sums(results: ExperimentResult) -> list[str]:
    """The range of the sums into the first layer on some training samples: of first weights, and after training."""
    run = results.group("activations").get("sigmoid", results.chosen)
    assert run.model is not None
    weights, bias = (np.asarray(run.model.parameters[f"dense.{part}"], np.float64) for part in "wb")
    x = results.data.train.x[:1000].astype(np.float64)
    first = generator(run.settings.seed, "mnist-mlp", "sums").normal(0, 0.1, weights.shape)
    found = {"With weights of standard deviation 0.1, as at first,": x @ first, "After training": x @ weights + bias}
    return [
        f"{when} the sums into the hidden units go from {sums.min():.0f} to {sums.max():.0f} on {len(x):,} samples; "
        f"exp(−a) overflows in {100 * float((sums < OVERFLOWING).mean()):.1f} % of them."
        for when, sums in found.items()
    ]
