"""The kernels, sizes, dtypes and versions (twins: serial, parallel) that the tests of this folder run over."""

import itertools
import zlib

import numpy as np
import pytest

from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY

DTYPES = (np.float32, np.float64)
needs_jit = pytest.mark.skipif(not JIT, reason="with JIT off there is one version and nothing is compiled")


def twins(spec):
    """The versions of a kernel: only "serial" if it has no parallel loop, or if nothing is compiled."""
    return ("serial", "parallel") if JIT and spec.kernel.work else ("serial",)


def shapes(spec):
    """All test sizes; with JIT off only those that a Python loop finishes quickly."""
    return [name for name in spec.shapes if JIT or not name.startswith("threshold")]


def made(name, dtype, shape_name):
    """(spec, args) of one case; the numbers depend on its names alone."""
    spec = REGISTRY[name]
    rng = np.random.default_rng(zlib.crc32(f"{name} {shape_name}".encode()))
    return spec, spec.inputs(rng, dtype, spec.shapes[shape_name])


def copies(args):
    """The same arguments, with arrays of their own."""
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)


def params(*, over_twins=True, over_shapes=True, only=lambda spec: True):
    """pytest parameters (name, dtype, shape name, twin) over the registry."""
    found = []
    for name, spec in REGISTRY.items():
        names = shapes(spec) if over_shapes else shapes(spec)[4:5]
        for dtype, shape in itertools.product(DTYPES, names if only(spec) else ()):
            for twin in twins(spec) if over_twins else ("serial",):
                found.append(pytest.param(name, dtype, shape, twin, id=f"{name}-{dtype.__name__}-{shape}-{twin}"))
    return found
