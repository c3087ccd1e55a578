"""What can be measured of a border in the plane: how much of the plane a straight line would give the same class, and
how sharply the border turns."""

from collections.abc import Callable

import numpy as np

from fastnn.plots.planes import grid, plane

Predict = Callable[[np.ndarray], np.ndarray]  # points (M, 2) -> a probability for each of two classes (M, 2)

COARSE, FINE = 60, 600  # points along an axis, for shares of the plane and for borders
ANGLES = 180  # directions that are tried for the best straight line
TURN_WITHIN = 0.04  # the length of border over which a turn is measured; longer, and smooth bends count as kinks
STEPS = 4  # pieces of that length


def best_line(points: np.ndarray, is_first: np.ndarray) -> float:
    """The fraction of points (N, 2) that the best straight line puts on the right side, of ANGLES directions.

    is_first : (N,) bool, the side of each
    """
    sign = np.where(is_first, 1, -1)
    total, most = int(sign.sum()), 0
    for angle in np.pi * np.arange(ANGLES) / ANGLES:
        order = np.argsort(points @ (np.cos(angle), np.sin(angle)), kind="stable")
        before = np.concatenate([[0], np.cumsum(sign[order])])
        # A line after the first k points is right on (N ± (2·before[k] − total)) / 2 of them.
        most = max(most, int(np.abs(2 * before - total).max()))
    return (len(points) + most) / (2 * len(points))


def straightness(predict: Predict, x: np.ndarray) -> float:
    """The fraction of the plane around the points x (N, 2) where the best straight line and the net agree."""
    points = grid(*plane(x, COARSE))
    return best_line(points, _lead(predict, points) > 0)


def sharpest_turn(predict: Predict, x: np.ndarray) -> float | None:
    """The largest angle, in degrees, by which the border turns within TURN_WITHIN; None if there is no border so long.

    A border that bends evenly turns by little within a short length, one with kinks by the angle of the kink.
    """
    from matplotlib.figure import Figure

    across, up = plane(x, FINE)
    lead = _lead(predict, grid(across, up)).reshape(FINE, FINE)
    if not lead.min() < 0 < lead.max():
        return None
    lines = Figure().subplots().contour(across, up, lead, levels=[0]).allsegs[0]
    turns = [turn for line in lines if (turn := _turn(np.asarray(line))) is not None]
    return max(turns, default=None)


def _lead(predict: Predict, points: np.ndarray) -> np.ndarray:
    """By how much class 0 leads class 1, as the logarithm of their ratio where that is finite: smooth along borders."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = np.log(np.asarray(predict(points), np.float64)).T
        return np.clip(np.nan_to_num(first - second), -50, 50)


def _turn(line: np.ndarray) -> float | None:
    """The largest turn of a line of points (n, 2); None if it is too short."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = int(along[-1] / (TURN_WITHIN / STEPS))
    if count <= STEPS:
        return None
    even = np.linspace(0, along[-1], count + 1)
    steps = np.diff(np.stack([np.interp(even, along, line[:, i]) for i in range(2)], axis=1), axis=0)
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    return float(np.degrees(np.abs(angle[STEPS:] - angle[:-STEPS]).max()))
