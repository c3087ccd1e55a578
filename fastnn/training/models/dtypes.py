"""The dtypes that a model can have."""

from typing import Any, Literal, get_args

import numpy as np

DtypeName = Literal["float32", "float64"]
DTYPES: tuple[DtypeName, ...] = get_args(DtypeName)


def checked_dtype(given: Any) -> np.dtype:
    """The dtype that NumPy or another library calls so. ValueError unless it is one of a model."""
    try:
        dtype = np.dtype(given)
    except TypeError:  # torch.float32, "half": nothing that NumPy knows
        dtype = None
    if given is None or dtype is None or dtype.name not in DTYPES:
        raise ValueError(f"dtype is {given!r}, expected float32 or float64")
    return dtype
