"""The public names: each exists, is documented, and stands in `__all__`."""

import inspect

import pytest

import fastnn as fn
import fastnn.data
import fastnn.ops
import fastnn.plots
from tests.tiny import python

# A package exports all that it imports from fastnn; `ops` is a file, which exports only what it defines.
ORIGINS = {fastnn: "fastnn", fastnn.data: "fastnn", fastnn.plots: "fastnn", fastnn.ops: "fastnn.ops"}


@pytest.mark.parametrize("module", ORIGINS, ids=lambda module: module.__name__)
def test_exported_members(module):
    public = {name: getattr(module, name) for name in module.__all__}  # some are imported now
    public |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    defined = {name for name, value in public.items() if getattr(value, "__module__", "").startswith(ORIGINS[module])}
    assert defined <= set(module.__all__)
    documented = [name for name in module.__all__ if callable(public[name]) or inspect.ismodule(public[name])]
    assert [name for name in documented if not inspect.getdoc(public[name])] == []


@pytest.mark.parametrize("room", [fn.layers, fn.losses, fn.optimizers], ids=lambda room: room.__name__)
def test_every_kind_of_layer_loss_and_optimizer_is_a_name_of_fastnn(room):
    assert {kind.__name__ for kind in room.KINDS} <= set(fn.__all__)


def test_ops_and_plots_need_no_import_of_their_own():
    printed = python("import sys, fastnn as fn; print('matplotlib' in sys.modules, fn.ops.matmul, fn.plots.save)")
    assert printed.startswith("False <function matmul")


def test_loaders_and_generators_are_imported_when_they_are_asked_for():
    """They are a tenth of the time of `import fastnn`, and a training of one's own arrays needs none of them."""
    ask = "import sys, fastnn as fn; before = 'fastnn.data.catalogue' in sys.modules"
    assert python(f"{ask}; fn.data.find_data; print(before, 'fastnn.data.catalogue' in sys.modules)") == "False True\n"
    assert {"load_idx", "generate_moons", "Dataset"} <= set(dir(fn.data))
