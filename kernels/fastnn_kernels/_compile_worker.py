"""A helper process of `_compile`: reads jobs, one a line, compiles each into the cache and answers "done"."""

import json
import sys

import numba
import numpy as np
from numba import types

import fastnn_kernels
from fastnn_kernels._adapter import adapter


def main() -> None:
    """Work until the input ends. Any error ends the process: the one that sent the job does it and meets the error."""
    for line in sys.stdin:
        name, parallel, kinds = json.loads(line)
        one = adapter(getattr(fastnn_kernels, name), parallel, tuple(map(_kind, kinds)))
        one.make()
        if not one.on_disk():
            sys.exit(1)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _kind(described):
    """The operand's type of which `_compile` made this description."""
    if described is None:
        return types.int64
    dtype, dimensions = described
    return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C")
