"""Generated points in the plane: two moons, and blobs."""

import numpy as np

from fastnn.common import random
from fastnn.common.errors import DataError
from fastnn.common.validation import any_whole_number, real_number
from fastnn.data.dataset import Dataset, Split

# Of blobs. Nets of tanh units after 20,000 passes, ten seeds of points: 3 units in one layer leave 3 to 6 of 200 points
# wrong, 3 in each of three layers 1 to 8, 5 in one layer 1 to 5, 5 in each of three layers none, on two seeds 1 and 2.
RADIUS = 1.7  # of the circle on which the centres lie
GAP = 0.45  # from the border to the nearest point on its own side
DEPTH = 0.5  # from the border to the hard points on the other side
SCATTER = 0.1  # deviation of the hard points around their places


def generate_moons(count: int = 200, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Two interlocking half circles of radius 1: x (count, 2) float64 and y (count,) uint8, 0 or 1.

    The centre of the upper one is (0, 0), that of the lower one (1, 0.5). Every coordinate has noise N(0, noise²). The
    classes alternate. meta: `classes`, `source`.

    Args:
        count: The number of points.
        noise: Its standard deviation.
        seed: A whole number.

    Raises:
        DataError: For a count below 2 or a negative noise.

    Examples:
        >>> fn.data.generate_moons(100).train.x.shape
        (100, 2)
    """
    _check(count, 2, "noise", noise)
    generator = random.generator(seed, "generated moons")
    y = (np.arange(count) % 2).astype(np.uint8)
    angle = np.pi * generator.random(count)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(y[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    x += noise * generator.standard_normal((count, 2))
    return Dataset(Split(x, y), meta={"classes": ["upper", "lower"], "source": "generated"})


def generate_blobs(
    count: int = 200, clusters: int = 2, deviation: float = 0.9, hard: int = 4, seed: int = 0
) -> Dataset:
    """Clusters N(centre, deviation²): x (count, 2) float64 and y (count,) uint8, the cluster.

    The centres lie evenly on a circle of radius 1.7. The classes alternate. meta: `classes`, `source`, `centres`
    (clusters, 2).

    Args:
        count: The number of points.
        clusters: The number of clusters.
        deviation: The standard deviation within a cluster.
        hard: Of two clusters, this many points each, at most a quarter, lie just beyond the border, in turn along it,
            and the other points do not cross it: a straight line is wrong on most of the hard points, and a border that
            is right on all of them winds. Other numbers of clusters have no hard points.
        seed: A whole number.

    Raises:
        DataError: For fewer points than clusters, fewer than 1 or more than 256 clusters, or a negative number of hard
            points or deviation.

    Examples:
        >>> fn.data.generate_blobs(90, clusters=3).meta["centres"].shape
        (3, 2)
    """
    if not 1 <= any_whole_number("clusters", clusters) <= 256:
        raise DataError(f"clusters={clusters} asked for, expected 1 to 256")
    if any_whole_number("hard", hard) < 0:
        raise DataError(f"hard={hard} points of each cluster asked for, expected at least 0")
    _check(count, clusters, "deviation", deviation)
    y = (np.arange(count) % clusters).astype(np.uint8)
    angle = 2 * np.pi * (np.arange(clusters) / clusters + 1 / 12)
    centres = RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    generator = random.generator(seed, "generated blobs")
    x = centres[y] + deviation * generator.standard_normal((count, 2))
    if clusters == 2:
        x = _across_the_border(x, y, centres[0] / RADIUS, min(hard, count // 8), generator)
    meta = {"classes": [str(i) for i in range(clusters)], "source": "generated", "centres": centres}
    return Dataset(Split(x, y), meta=meta)


def _across_the_border(
    x: np.ndarray, y: np.ndarray, normal: np.ndarray, hard: int, generator: np.random.Generator
) -> np.ndarray:
    """Points of two clusters, 0 where x·normal > 0: the first `hard` of each cross the border, the others do not.

    The hard points of the two clusters alternate along the border, a unit apart.
    """
    side = 1.0 - 2.0 * y
    depth = side * np.maximum(side * (x @ normal), GAP)
    along = x @ (-normal[1], normal[0])
    crossing = slice(0, 2 * hard)
    noise = SCATTER * generator.standard_normal((2, 2 * hard))
    depth[crossing] = -side[crossing] * (DEPTH + noise[0])
    along[crossing] = np.arange(2 * hard) - (2 * hard - 1) / 2 + noise[1]
    return np.outer(depth, normal) + np.outer(along, (-normal[1], normal[0]))


def _check(count: int, least: int, name: str, deviation: float) -> None:
    if any_whole_number("count", count) < least:
        raise DataError(f"count={count} points asked for, expected at least {least}")
    if not 0 <= real_number(name, deviation) < np.inf:
        raise DataError(f"a deviation of {deviation} was asked for, expected a number from 0 up")
