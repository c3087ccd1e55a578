"""Generated points in the plane: two moons, and blobs."""

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.data.dataset import Dataset, Split


def generate_moons(count: int = 200, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Two interlocking half circles of radius 1: x (count, 2) float64 and y (count,) uint8, 0 or 1.

    The centre of the upper one is (0, 0), that of the lower one (1, 0.5). Every coordinate has noise N(0, noise²). The
    classes alternate. meta: `classes`, `source`. Raises DataError for a count below 2 or a negative noise.
    """
    _check(count, 2, noise)
    generator = random.generator(seed, "generated moons")
    y = (np.arange(count) % 2).astype(np.uint8)
    angle = np.pi * generator.random(count)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    x += noise * generator.standard_normal((count, 2))
    return Dataset(Split(x, y), meta={"classes": ["upper", "lower"], "source": "generated"})


def generate_blobs(count: int = 200, clusters: int = 2, deviation: float = 1.0, seed: int = 0) -> Dataset:
    """Clusters N(centre, deviation²): x (count, 2) float64 and y (count,) uint8, the cluster.

    The centres lie evenly on a circle of radius 4. The classes alternate. meta: `classes`, `source`, `centres`
    (clusters, 2). Raises DataError for fewer points than clusters, fewer than 1 or more than 256 clusters, or a
    negative deviation.
    """
    if not 1 <= clusters <= 256:
        raise DataError(f"clusters={clusters} asked for, expected 1 to 256")
    _check(count, clusters, deviation)
    y = (np.arange(count) % clusters).astype(np.uint8)
    angle = 2 * np.pi * (np.arange(clusters) / clusters + 1 / 12)
    centres = 4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = centres[y] + deviation * random.generator(seed, "generated blobs").standard_normal((count, 2))
    meta = {"classes": [str(i) for i in range(clusters)], "source": "generated", "centres": centres}
    return Dataset(Split(x, y), meta=meta)


def _check(count: int, least: int, deviation: float) -> None:
    if count < least:
        raise DataError(f"count={count} points asked for, expected at least {least}")
    if not 0 <= deviation < np.inf:
        raise DataError(f"a deviation of {deviation} was asked for, expected a number from 0 up")
