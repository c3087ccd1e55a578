"""Activations and their derivatives: a picture, and a check of the derivatives by central differences."""

import numpy as np

from fastnn import ops, plots
from fastnn.experiment.answers import Answer, Row, Table

SHOWN = ("tanh", "sigmoid", "relu")
STEP = 1e-5  # of the central differences
FAR = 3.0  # where the table has the derivative of a unit that is nearly saturated


def activation_answer() -> Answer:
    """What the activations that the recipe offers do to their input, and to a gradient."""
    x = np.linspace(-4, 4, 400)  # 0, where ReLU has no derivative, is none of these
    values = {name: _value(name, x) for name in SHOWN}
    slopes = {name: _slope(name, x) for name in SHOWN}
    rows = [Row(name, _figures(name, x)) for name in SHOWN]
    figure = plots.functions(
        x.tolist(),
        {"activation": _lists(values), "its derivative": _lists(slopes)},
        "Which gradients do activations let through?",
        xlabel="input of the unit",
    )
    furthest = max(float(np.abs(slopes[name] - _difference(name, x)).max()) for name in SHOWN)
    line = f"The kernels' derivatives and central differences (step {STEP:g}) differ by at most {furthest:.1e}."
    pictures = [("activations.png", "values and derivatives, as the kernels compute them", figure)]
    return Answer("activations", "Which gradients do activations let through?", [Table(rows)], [line], "", pictures)


def _value(name: str, x: np.ndarray) -> np.ndarray:
    return np.asarray(getattr(ops, f"{name}_forward")(x))


def _slope(name: str, x: np.ndarray) -> np.ndarray:
    """The derivative at x; the kernel of ReLU takes the input, the others take the output."""
    return np.asarray(getattr(ops, f"{name}_backward")(np.ones_like(x), x if name == "relu" else _value(name, x)))


def _difference(name: str, x: np.ndarray) -> np.ndarray:
    return (_value(name, x + STEP) - _value(name, x - STEP)) / (2 * STEP)


def _figures(name: str, x: np.ndarray) -> dict[str, float]:
    far = float(_slope(name, np.array([FAR]))[0])
    largest = _slope(name, np.append(x, 0.0)).max()  # at 0 for tanh and the sigmoid
    return {"largest_derivative": float(largest), f"derivative_at_{FAR:g}": far}


def _lists(curves: dict[str, np.ndarray]) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in curves.items()}
