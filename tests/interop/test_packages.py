"""`fn.interop` is imported when it is asked for, its packages when they are used; its examples hold."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.errors import MissingPackageError
from tests.tiny import dense_model, python

PACKAGES = {  # what each function, and its example, needs
    "from_sklearn": ("sklearn",),
    "to_sklearn": ("sklearn",),
    "from_torch": ("torch",),
    "to_torch": ("torch",),
    "to_torch_module": ("torch",),
    "to_onnx": ("onnx", "onnxruntime"),
    "save_safetensors": ("safetensors",),
    "load_safetensors": ("safetensors",),
}


def test_nothing_is_imported_before_it_is_used():
    code = """
import sys, fastnn as fn
before = "fastnn.interop" in sys.modules
functions = [getattr(fn.interop, name) for name in fn.interop.__all__]
print(before, len(functions), sorted({"torch", "onnx", "safetensors", "sklearn"} & set(sys.modules)))
"""
    assert python(code).strip() == f"False {len(PACKAGES)} []"


CALLS = {
    "to_torch": lambda path: fn.interop.to_torch(dense_model()),
    "to_torch_module": lambda path: fn.interop.to_torch_module(dense_model()),
    "to_onnx": lambda path: fn.interop.to_onnx(dense_model()),
    "save_safetensors": lambda path: fn.interop.save_safetensors(dense_model(), path),
    "load_safetensors": lambda path: fn.interop.load_safetensors(path),
    "from_sklearn": lambda path: fn.interop.from_sklearn(None),
    "to_sklearn": lambda path: fn.interop.to_sklearn(dense_model()),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_line_says_what_to_install(name, monkeypatch, tmp_path):
    missing = PACKAGES[name][0]
    for module in [missing, *(module for module in sys.modules if module.startswith(f"{missing}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    want = f'{name}: the package {missing} is not installed; install it with: pip install "fastnn[{missing}]"'
    with pytest.raises(MissingPackageError) as caught:
        CALLS[name](tmp_path / "net")
    assert str(caught.value) == want


def test_state_dicts_of_arrays_need_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    state = {"dense.weight": np.ones((4, 5)), "dense.bias": np.ones(4)}
    state |= {"dense_1.weight": np.ones((3, 4)), "dense_1.bias": np.ones(3)}
    assert np.all(fn.interop.from_torch(state, dense_model()).parameters["dense_1.w"] == 1)


def test_the_page_of_exchanges_runs(monkeypatch, tmp_path):
    """All blocks of Python on the page, one after the other."""
    for package in {package for needed in PACKAGES.values() for package in needed}:
        pytest.importorskip(package)
    page = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text("utf-8")
    blocks = re.findall("```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 6
    monkeypatch.chdir(tmp_path)
    exec("".join(blocks), {})
