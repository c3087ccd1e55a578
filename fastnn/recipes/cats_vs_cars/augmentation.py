"""Further pictures to train on: mirror images, and copies that are shifted by a few pixels."""

from typing import Any

import numpy as np

from fastnn.common.random import generator
from fastnn.data import Split

REACH = 2  # the most pixels by which a copy is shifted along an axis


def fit_arguments(settings: Any, train: Split) -> dict[str, Any]:
    """The training pictures; then with `mirror` their mirror images; then with `shifts` shifted copies of all these."""
    # The pictures lie on their side, so a mirror image reverses the first axis.
    pictures = [train.x, train.x[:, ::-1]] if settings.mirror else [train.x]
    rng = generator(settings.seed, "shifted copies")
    pictures += [_shifted(each, rng) for _ in range(settings.shifts) for each in pictures]
    x, y = np.concatenate(pictures), np.tile(train.y, len(pictures))
    return {"x": x, "y": y, "batch_size": settings.batch_size}


def _shifted(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each picture moved by −REACH … REACH pixels along both axes; its border fills the gap."""
    count, height, width, _ = x.shape
    wide = np.pad(x, ((0, 0), (REACH, REACH), (REACH, REACH), (0, 0)), "edge")
    down, right = generator.integers(0, 2 * REACH + 1, (2, count, 1, 1))
    rows, columns = down + np.arange(height)[:, None], right + np.arange(width)
    return np.asarray(wide[np.arange(count)[:, None, None], rows, columns])
