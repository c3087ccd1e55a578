"""Is squared error an adequate predictor of the classification error?

Both by epoch, for the chosen net and for the same net trained on cross-entropy.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fastnn import plots
from fastnn.common.text import percent
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.train_one import fewer_samples
from fastnn.models import Sequential
from fastnn.nn.layers import Dense
from fastnn.recipes.cats_vs_cars.augmentation import fit_arguments
from fastnn.recipes.shared.building import optimizer_of

QUESTION = "(b) Is the squared error an adequate predictor of the classification error?"


class Course(NamedTuple):
    """A loss of the test set by epoch, and beside it the fraction of errors."""

    unit: str
    losses: list[float]
    errors: list[float]

    @property
    def correlation(self) -> float:
        """Of loss and error over the epochs; NaN if one of them never changes."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.corrcoef(self.losses, self.errors)[0, 1]) if len(self.losses) > 1 else float("nan")

    @property
    def least_loss(self) -> int:
        """The index of the epoch."""
        return int(np.argmin(self.losses))

    @property
    def least_error(self) -> int:
        """The index of the epoch."""
        return int(np.argmin(self.errors))


def error_answer(results: ExperimentResult) -> Answer:
    """Both nets: how loss and error move together, and where each is least. The second net is trained here."""
    chosen = results.chosen
    errors = [1 - value for value in chosen.curve("test_accuracy")]
    courses = {"squared error": Course("mean squared error", chosen.curve("test_mse"), errors)}
    if not chosen.settings.conv:
        courses["cross-entropy"] = _on_cross_entropy(results)
    rows = [Row(name, _figures(course)) for name, course in courses.items()]
    panels = {f"trained on {name}": (c.unit, c.losses, c.errors) for name, c in courses.items()}
    figure = plots.loss_beside_error(panels, QUESTION, note=note_of(results))
    pictures = [
        ("squared-error.png", "loss (left scale) and classification error (right scale) of the test set", figure)
    ]
    return Answer("squared-error", QUESTION, [Table(rows)], [_told(*item) for item in courses.items()], "", pictures)


def _on_cross_entropy(results: ExperimentResult) -> Course:
    """The chosen net with the same first weights and steps, a logit for its output, and cross-entropy for its loss."""
    settings, test = results.chosen.settings, results.data.test
    assert test is not None, "the file has a test set"
    given = fit_arguments(settings, fewer_samples(results.data, settings.samples).train)
    history = _with_logit(results).fit(
        **given | {"y": (given["y"] + 1) / 2},
        optimizer=optimizer_of(settings),
        epochs=settings.epochs,
        validation_data=(test.x, (test.y + 1) / 2),
        verbose=False,
    )
    return Course("cross-entropy, nats", history["val_loss"], [1 - value for value in history["val_accuracy"]])


def _with_logit(results: ExperimentResult) -> Sequential:
    """The chosen net, untrained, with a logit for its output and cross-entropy for its loss."""
    model, settings = results.model, results.chosen.settings
    *hidden, last = model.layers
    assert isinstance(last, Dense), "the recipe ends in one unit"
    return Sequential(
        [*hidden, replace(last, activation="identity")],
        input_shape=model.network.input_shape,
        loss="binary_cross_entropy",
        dtype=settings.dtype,
        seed=settings.seed,
        l2=settings.l2,
    )


def _figures(course: Course) -> dict[str, float | str]:
    return {
        "correlation": f"{course.correlation:.2f}",
        "lowest_loss": course.losses[course.least_loss],
        "errors_at_the_lowest_loss": percent(course.errors[course.least_loss], 1),
        "fewest_errors": percent(course.errors[course.least_error], 1),
    }


def _told(name: str, course: Course) -> str:
    loss, error = course.least_loss, course.least_error
    lost = 100 * (course.errors[loss] - course.errors[error])
    return (
        f"Trained on {name}: over {len(course.losses)} epochs test loss and classification error have a "
        f"correlation of {course.correlation:.2f}. At the lowest loss (epoch {loss + 1}) the error is {lost:.1f} "
        f"points above its minimum (epoch {error + 1})."
    )
