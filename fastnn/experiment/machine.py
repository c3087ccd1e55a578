"""Versions and memory of this process, for a run's summary."""

import platform
import sys

import numba
import numpy as np


def peak_memory_mb() -> float:
    """The most memory this process has had so far, in 10⁶ bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def versions() -> dict[str, str]:
    """Package -> version, of those on which figures or speed depend."""
    from fastnn import __version__

    python = platform.python_version()
    return {"fastnn": __version__, "python": python, "numba": numba.__version__, "numpy": np.__version__}
