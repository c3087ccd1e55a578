"""A helper process of `_compile`: reads jobs, one a line, compiles each into the cache and answers "done"."""

import json
import sys

import numba
import numpy as np
from numba import types

import fastnn_kernels
from fastnn_kernels import _block
from fastnn_kernels._adapter import adapter


def main() -> None:
    """Work until the input ends. Any error ends the process: the one that sent the job does it and meets the error."""
    for line in sys.stdin:
        if not _done(*json.loads(line)):
            sys.exit(1)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _done(name, variant, kinds) -> bool:
    """Whether the code is on disk after it was made: an adapter, or where `name` is None a block of tiles."""
    if name is None:
        _block.load(_block.REALS[kinds], variant)
        return not _block.is_missing(kinds, variant)
    one = adapter(getattr(fastnn_kernels, name), variant, tuple(map(_kind, kinds)))
    one.make()
    return one.on_disk()


def _kind(described):
    """The operand's type of which `_compile` made this description."""
    if described is None:
        return types.int64
    dtype, dimensions = described
    return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C")
