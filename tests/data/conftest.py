"""Fixtures of the data tests: the folder of real files beside the checkout, and a small valid trigram file."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def real_data():
    """Folder of real files; tests that need it are skipped where it is absent."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real files is absent")
    return folder


@pytest.fixture
def arrays():
    """The arrays of a small valid trigram file: ids from 1 to 250, both ends present in every array."""
    rng = np.random.default_rng(3)
    out = {"words": np.array([f"word{i}".encode() for i in range(250)])}
    for name, rows in (("train", 70), ("val", 12), ("test", 9)):
        x, d = rng.integers(1, 251, (rows, 3)), rng.integers(1, 251, rows)
        x[0], x[-1], d[0], d[-1] = 1, 250, 250, 1
        out[f"{name}x"], out[f"{name}d"] = x.astype(np.int32), d.astype(np.int32)
    return out
