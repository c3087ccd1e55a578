"""Which words have vectors that point the same way."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NOTHING = 1e-30  # lengths below it are no direction


def directions(vectors: NDArray[Any]) -> Floats:
    """Vectors (V, D) less the mean of all, of length 1, float64; what equals the mean stays 0.

    The mean is common to all words and says nothing of any; with it all cosines would be high.
    """
    rows = np.asarray(vectors, np.float64)
    rows = rows - rows.mean(axis=0)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), NOTHING)
    return rows


def nearest(rows: Floats, row: int, count: int, never: Collection[int] = ()) -> list[tuple[int, float]]:
    """The `count` other rows with the highest cosine to this one of `directions`, and the cosine; of equals the first.

    never : rows that are not looked for
    """
    cosines = rows @ rows[row]
    order = np.argsort(-cosines, kind="stable")
    left = order[~np.isin(order, [row, *never])][:count]
    return [(int(i), float(cosines[i])) for i in left]
