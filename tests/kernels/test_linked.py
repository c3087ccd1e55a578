"""Helpers become part of the code of their callers: none is translated to machine code by itself."""

import numpy as np
import pytest
from numba.core import codegen

from fastnn_kernels._jit import always_inline, compiled, implementation, inline, rounded
from tests.kernels.cases import needs_jit

pytestmark = needs_jit


def _twice(x):
    return 2 * x


@pytest.fixture
def translated(monkeypatch):
    """Names of the libraries that are translated to machine code."""
    names, finalize = [], codegen.JITCodeLibrary._finalize_specific

    def noted(self):
        names.append(self.name)
        finalize(self)

    monkeypatch.setattr(codegen.JITCodeLibrary, "_finalize_specific", noted)
    return names


@pytest.mark.parametrize("helper", [inline, always_inline, rounded])
def test_a_helper_has_no_machine_code_of_its_own(helper, translated):
    inner = helper(lambda x: x + 1)
    outer = helper(lambda x: inner(x) * 3)

    caller = compiled(lambda x: outer(x) + inner(x), cached=False)
    assert caller(np.float32(4)) == 20
    assert [name for name in translated if name != "nrt"] == [caller.py_func.__qualname__]  # "nrt": Numba's runtime


def test_an_implementation_has_none_either(translated):
    def stand_in(x):
        raise NotImplementedError

    implementation(stand_in)(lambda x: _twice)
    caller = compiled(lambda x: stand_in(x), cached=False)
    assert caller(4) == 8
    assert [name for name in translated if name != "nrt"] == [caller.py_func.__qualname__]  # "nrt": Numba's runtime


def test_a_call_from_python_runs_the_plain_function():
    helper = inline(lambda x: x + 1)
    assert compiled(lambda x: helper(x), cached=False)(4) == 5
    assert helper(7) == 8
