"""Compiled kernels count no references to arrays: each slice of one would cost an atomic addition."""

import numpy as np
import pytest

from fastnn_kernels._jit import compiled, renamed
from tests.kernels.cases import made, needs_jit


@needs_jit
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mse", "4x17"),
        ("narrow_backward", "moons"),
        ("embedding_backward", "5x3x7x5"),
        ("softmax_cross_entropy", "4x17"),
    ],
)
@pytest.mark.parametrize("parallel", [False, True])
def test_no_reference_is_counted(name, shape, parallel):
    spec, args = made(name, np.float32, shape)
    run = compiled(renamed(spec.kernel.body, "__counts"), parallel=parallel, cached=False)
    run(*args)
    (code,) = run.inspect_llvm().values()
    assert "NRT_" not in code
