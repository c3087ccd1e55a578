"""Which kernels, sizes, dtypes and twins the tests of this folder run over."""

import itertools
import zlib

import numpy as np
import pytest

from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY

DTYPES = (np.float32, np.float64)
needs_jit = pytest.mark.skipif(not JIT, reason="with JIT off there is one twin and nothing is compiled")


def twins(entry):
    """The distinct twins of a kernel: one where it has no parallel loop, or where nothing is compiled."""
    return ("serial", "parallel") if JIT and entry.kernel.work else ("serial",)


def shapes(entry):
    """All test sizes; with JIT off those that a Python loop finishes at once."""
    return [name for name in entry.shapes if JIT or not name.startswith("threshold")]


def made(name, dtype, shape_name):
    """(entry, args) of one case; the numbers depend on its names alone."""
    entry = REGISTRY[name]
    rng = np.random.default_rng(zlib.crc32(f"{name} {shape_name}".encode()))
    return entry, entry.inputs(rng, dtype, entry.shapes[shape_name])


def params(*, over_twins=True, over_shapes=True, only=lambda entry: True):
    """pytest parameters (name, dtype, shape name, twin) over the registry."""
    found = []
    for name, entry in REGISTRY.items():
        names = shapes(entry) if over_shapes else shapes(entry)[4:5]
        for dtype, shape in itertools.product(DTYPES, names if only(entry) else ()):
            for twin in twins(entry) if over_twins else ("serial",):
                found.append(pytest.param(name, dtype, shape, twin, id=f"{name}-{dtype.__name__}-{shape}-{twin}"))
    return found
