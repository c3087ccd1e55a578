"""The filters of a first convolution: a picture, and how far they differ from noise."""

import numpy as np

from fastnn import plots
from fastnn.experiment.answers import Answer
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult

INDEPENDENT = 2 / np.sqrt(np.pi)  # mean |a − b| of independent normal numbers, in deviations


def filters_answer(results: ExperimentResult, question: str) -> Answer:
    """The filters of the chosen net's first convolution, whose weights are (h, w, channels, filters)."""
    weights = results.model.parameters["conv2d.w"]
    figure = plots.filters(weights, question, note=note_of(results))
    pictures = [("filters.png", "each filter of the convolution; 0 is white", figure)]
    return Answer("filters", question, lines=[_told(np.asarray(weights, np.float64))], pictures=pictures)


def _told(w: np.ndarray) -> str:
    spread = w.std(axis=(0, 1, 2))
    steps = np.concatenate([np.abs(np.diff(w, axis=axis)).mean(axis=(0, 1, 2)) for axis in (0, 1)]).reshape(2, -1)
    rough = float((steps.mean(axis=0) / np.maximum(spread, 1e-30)).mean())
    return (
        f"The standard deviation of a filter's weights is between {spread.min():.3f} and {spread.max():.3f}. "
        f"Neighbouring weights differ by {rough:.2f} standard deviations on average; independent ones would differ by "
        f"{INDEPENDENT:.2f}."
    )
