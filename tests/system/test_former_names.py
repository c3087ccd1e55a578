"""Former names work, warn in the words of the policy (CONTRIBUTING.md), and are removed when their version comes."""

import re
import warnings
from pathlib import Path

import pytest

import fastnn as fn
import fastnn_kernels
from fastnn.training.callbacks.run import Run
from tests.tiny import is_imitated, python

RUN = object.__new__(Run)  # the property asks nothing of it

# Former name -> where it is looked up, today's name, the value under that, the version in which the former one is gone.
FORMER = {
    "fastnn.random.stream": (fn.random, "fastnn.random.generator", fn.random.generator, "0.3"),
    "fastnn_kernels.clear": (fastnn_kernels, "fastnn_kernels.zero", fastnn_kernels.zero, "0.3"),
    "fastnn_kernels.scale_by_norm": (
        fastnn_kernels,
        "fastnn_kernels.clip_by_global_norm",
        fastnn_kernels.clip_by_global_norm,
        "0.3",
    ),
    "fastnn_kernels.select_rates": (
        fastnn_kernels,
        "fastnn_kernels.select_scalars",
        fastnn_kernels.select_scalars,
        "0.3",
    ),
    "run.plan": (RUN, "run", RUN, "0.3"),
}


def numbers(version):
    return tuple(map(int, version.split(".")[:2]))


@pytest.mark.parametrize("name", FORMER)
def test_it_warns_and_gives_what_has_another_name_now(name):
    where, now, value, gone = FORMER[name]
    with pytest.warns(DeprecationWarning, match="is deprecated") as told:
        assert getattr(where, name.rpartition(".")[2]) is value
    assert [str(one.message) for one in told] == [f"{name} is deprecated and gone in fastnn {gone}: write {now}"]
    # The imitated Windows stands between: what it replaces is written in Python.
    assert told[0].filename == __file__ or is_imitated(), "it points at the user's line"
    assert numbers(fn.__version__) < numbers(gone), "its time has come: remove it, and this row"


def test_none_is_left_out():
    """Each warning in the sources has a row above."""
    found = 0
    for package in (fn, fastnn_kernels):
        for path in Path(package.__file__).parent.rglob("*.py"):
            text = path.read_text("utf-8")
            found += len(re.findall(r'warn_of_former\("', text)) + len(re.findall(r'": \("\w+", "\d+\.\d+"\)', text))
    assert found == len(FORMER)


def test_no_warning_without_a_former_name():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(AttributeError, match="module 'fastnn_kernels' has no attribute 'nothing'"):
            _ = fastnn_kernels.nothing
    assert python("import warnings; warnings.simplefilter('error'); import fastnn; fastnn.random.generator(0)") == ""
