"""Which nets of tanh units are saturated, so that hardly a gradient passes, and which give all pictures one class."""

from collections.abc import Mapping

import numpy as np

from fastnn.common.text import percent
from fastnn.experiment.answers import Row, Table
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.nn.layers import Dense

END = 0.99  # a tanh unit beyond ±END is saturated
STUCK, SAME_CLASS = 3, 0.02  # first epochs from where on it is said that all get one class, up to this fraction
MOST_SATURATED = 0.9  # of a net's hidden values, from where on it is said


def saturation(results: ExperimentResult, members: Mapping[str, RunResult]) -> tuple[Table, list[str]]:
    """How much of each net is saturated, and a line for each net that is nearly so, or whose training is stuck."""
    shares = {label: _saturation(results, run) for label, run in members.items()}
    lines = [line for label, run in members.items() if (line := _saturated(label, run, shares[label]))]
    lines += [line for label, run in members.items() if (line := _stuck(results, label, run))]
    return Table([Row(label, _figures(share)) for label, share in shares.items()], "saturation"), lines


def _saturation(results: ExperimentResult, run: RunResult) -> float | None:
    """The fraction of a net's hidden tanh values beyond ±END on the test set; None for other activations."""
    split = results.data.test or results.data.train
    model = run.model
    if model is None or run.settings.activation != "tanh" or run.settings.conv:
        return None
    names = [name for name, layer in zip(model.network.names, model.layers, strict=True) if isinstance(layer, Dense)]
    values = [np.abs(model.outputs_of(name, split.x)).ravel() for name in names[:-1]]
    return float((np.concatenate(values) > END).mean())


def _figures(share: float | None) -> dict[str, str]:
    return {} if share is None else {f"hidden values beyond ±{END:g}": percent(share, 1)}


def _saturated(label: str, run: RunResult, share: float | None) -> str:
    if share is None or share < MOST_SATURATED:
        return ""
    accuracy = percent(run.metrics["train_accuracy"], 1)
    return f"{label} is saturated: {percent(share, 1)} of its hidden values are beyond ±{END:g}; it learns {accuracy}."


def _stuck(results: ExperimentResult, label: str, run: RunResult) -> str:
    """A line for a net that for several of its first epochs gives all training pictures the same class; else ""."""
    labels = np.asarray(results.data.train.y).ravel()
    larger = max(np.mean(labels < 0), np.mean(labels > 0)) + SAME_CLASS
    curve = run.curve("train_accuracy")
    epochs = next((number for number, value in enumerate(curve) if value > larger), len(curve))
    if epochs < STUCK:
        return ""
    return (
        f"{label} gives nearly all training pictures the same class in its first {epochs} epochs, as saturated nets do."
    )
