"""The search for the largest errors of exp, log, tanh and sigmoid, on its first inputs: those from 0 to 1.7e-38."""

import pytest

from bench import exhaustive_math
from tests.kernels.cases import needs_jit


@needs_jit
@pytest.mark.parametrize("name", exhaustive_math.TRUTH)
def test_the_first_inputs_keep_the_promise(name, capsys):
    assert exhaustive_math.examine(name, calls=1)
    assert "wrong specials: 0" in capsys.readouterr().out


@needs_jit
def test_a_function_that_breaks_its_promise_is_seen(monkeypatch, capsys):
    monkeypatch.setitem(exhaustive_math.TRUTH, "exp", exhaustive_math.TRUTH["sigmoid"])
    assert not exhaustive_math.examine("exp", calls=1)
