"""What a type checker makes of ordinary use: nothing wrong with what runs, a word on what does not."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest

from fastnn.nn import initializers, losses, optimizers, schedules
from fastnn.nn.layers import activation, convolution
from fastnn.nn.optimizers import arguments, state
from fastnn.training.models import dtypes

REPOSITORY = Path(__file__).parents[2]


def test_names_are_those_of_the_tables():
    assert {*get_args(activation.ActivationName)} == {*activation.KERNELS, "identity"}
    assert {*get_args(losses.LossName)} == {*losses.LOSSES}
    assert {*get_args(optimizers.OptimizerName)} == {*optimizers.OPTIMIZERS}
    assert {*get_args(losses.base.Reduction)} == {*losses.base.REDUCTIONS}
    assert {*get_args(initializers.InitializerName)} == {*initializers.INITIALIZERS}
    assert get_args(arguments.StateDtype) == (state.BFLOAT16,)
    assert (convolution.PADDINGS, schedules.PER) == (("same", "valid"), ("epoch", "step"))
    assert dtypes.DTYPES == ("float32", "float64")


def first_block_of_the_readme():
    return re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]


def is_installed_from_here():
    """Whether fastnn is an editable install of this repository, which a checker must find by itself."""
    try:
        origin = json.loads(distribution("fastnn").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return False
    return origin.get("url", "") == REPOSITORY.as_uri()


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_the_readme_s_example_and_ordinary_use_are_strict(tmp_path):
    use = Path(__file__).with_name("typed_use.txt").read_text(encoding="utf-8")
    program = f"import numpy as np\n\n{first_block_of_the_readme()}{use}"
    (tmp_path / "use.py").write_text(program, encoding="utf-8")
    paths = "" if is_installed_from_here() else os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "kernels")])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"MYPYPATH": paths}
    options = ["--strict", "--follow-imports=silent", "--ignore-missing-imports", "--no-incremental"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "use.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = {int(line) for line in re.findall(r"^use\.py:(\d+): error", done.stdout, re.MULTILINE)}
    wrong = {number for number, line in enumerate(program.splitlines(), 1) if line.endswith("# wrong")}
    assert len(wrong) == 12
    assert told == wrong, done.stdout + done.stderr
