"""Every kernel of a family file is exported by its package, and has a reference of the same name."""

from importlib import import_module
from pathlib import Path

import pytest

import fastnn_kernels
from fastnn_kernels import reference
from fastnn_kernels._jit import Kernel

FAMILIES = [path.stem for path in Path(fastnn_kernels.__file__).parent.glob("[a-z]*.py")]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_exports_its_kernels_and_their_references(name):
    family, references = import_module(f"fastnn_kernels.{name}"), import_module(f"fastnn_kernels.reference.{name}")
    own = {k for k, v in vars(family).items() if isinstance(v, Kernel)}
    assert own == {k for k in family.__all__ if isinstance(getattr(family, k), Kernel)} == set(references.__all__)
    assert set(family.__all__) <= set(fastnn_kernels.__all__)
    assert own <= set(reference.__all__)


@pytest.mark.parametrize("package", [fastnn_kernels, reference])
def test_every_exported_name_exists_once(package):
    assert all(hasattr(package, name) for name in package.__all__)
    assert len(package.__all__) == len(set(package.__all__))
