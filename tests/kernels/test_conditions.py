"""What a condition may choose is read before it: as vectors, a loop would read it under a mask, for each sample."""

import re

import numpy as np
import pytest

from fastnn_kernels._jit import compiled, renamed
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import made, needs_jit

MASKED = re.compile(r"call .*@llvm\.masked\.(load|gather)")


def masked_reads(body, args):
    run = compiled(renamed(body, "__conditions"), parallel=False, cached=False)
    run(*args)
    (code,) = run.inspect_llvm().values()
    return MASKED.findall(code)


@needs_jit
@pytest.mark.parametrize("name", ["step_labels", "list_rows"])
def test_no_read_is_masked(name):
    spec, args = made(name, np.float32, list(REGISTRY[name].shapes)[-1])
    assert not masked_reads(spec.kernel.body, args)
