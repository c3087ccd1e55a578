"""The house rules that the sources themselves can be asked about."""

import ast
import functools
import sys
from pathlib import Path

import pytest

import fastnn
import fastnn_kernels
from tests.tiny import python

FASTNN, KERNELS = (Path(package.__file__).parent for package in (fastnn, fastnn_kernels))


def sources(folder):
    """Dotted module name -> path, of a package."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = sources(FASTNN)
BENCH = FASTNN.parent / "bench"


@functools.cache  # many tests ask for the same file
def nodes(path):
    """All nodes of the syntax tree of a file."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


def imported(path):
    """Dotted names that a file imports, wherever it does, also for types alone. Of `from a import b` both a and a.b."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", sorted(KERNELS.rglob("*.py")), ids=lambda path: path.relative_to(KERNELS).as_posix())
def test_kernels_import_nothing_but_numpy_and_numba(path):
    allowed = set(sys.stdlib_module_names) | {"numpy", "numba", "llvmlite", "fastnn_kernels"}
    allowed |= {"platformdirs"} if path.name == "folders.py" else set()  # no file with a loop
    assert {name.split(".")[0] for name in imported(path)} <= allowed


def dependencies(modules):
    """Module -> the modules among these that it imports. `from package import module` means the module."""
    graph = {}
    for module, path in modules.items():
        names = set(imported(path)) & set(modules)
        shorter = {name for name in names if any(other.startswith(f"{name}.") for other in names)}
        graph[module] = names - shorter - {module}
    return graph


def circle(graph):
    """Modules that import each other in a ring, or nothing."""
    done = set()

    def visit(module, trail):
        if module in trail:
            return trail[trail.index(module) :]
        if module in done:
            return None
        found = next((ring for other in sorted(graph[module]) if (ring := visit(other, [*trail, module]))), None)
        done.add(module)
        return found

    return next((ring for module in graph if (ring := visit(module, []))), None)


@pytest.mark.parametrize("modules", [MODULES, sources(KERNELS), sources(BENCH)], ids=["fastnn", "kernels", "bench"])
def test_no_circles(modules):
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c"], "the search finds none"
    assert circle(dependencies(modules)) is None


# A file may import from its own package and from those to its left; `top` are the files of fastnn itself.
ORDER = ["common", "text", "engine", "ranks", "nn", "data", "plots", "training", "top", "experiment", "recipes", "cli"]


def package(module):
    """The package of a module; `python -m fastnn` is the command line."""
    part = module.split(".")[1] if "." in module else "top"
    return {"__main__": "cli"}.get(part, part if part in ORDER else "top")


def against(order, place):
    """Imports of what stands right of the file that imports it, in such an order of the places of modules."""
    return [
        f"{module} imports {other}"
        for module, others in dependencies(MODULES).items()
        for other in others
        if place(module) in order and place(other) in order and order.index(place(module)) < order.index(place(other))
    ]


def test_imports_point_one_way():
    assert not against(ORDER, package)


# The same among the packages of `training`; `top` are the files of training itself.
TRAINING = ["history", "steps", "passes", "models", "callbacks", "fit", "ranks", "many", "top"]


def package_of_training(module):
    """The package of a module within `training`; None for what is elsewhere."""
    if not module.startswith("fastnn.training"):
        return None
    head = module.removeprefix("fastnn.training").lstrip(".").split(".")[0]
    return head if head in TRAINING else "top"


def test_the_order_has_each_package_of_training():
    assert {path.parent.name for path in (FASTNN / "training").glob("*/__init__.py")} == set(TRAINING) - {"top"}


def test_imports_within_training_point_one_way():
    assert not against(TRAINING, package_of_training)


def test_data_knows_no_network():
    """Left of it stand packages that it has no use for."""
    others = {other for module, names in dependencies(MODULES).items() if package(module) == "data" for other in names}
    assert {package(other) for other in others} == {"common", "text", "data"}


def test_importing_fastnn_is_light():
    code = """
import sys, os
import numba.core.registry
from numba.core import event

compiled = []

class Listener(event.Listener):
    def on_start(self, event): compiled.append(event)
    def on_end(self, event): pass

event.register("numba:compile", Listener())
import numba
before = set(sys.modules)  # Numba imports SciPy where it is installed
import fastnn
heavy = {"h5py", "matplotlib", "rich", "click", "torch", "scipy", "pandas"} & (set(sys.modules) - before)
print(sorted(heavy), len(compiled))
"""
    assert python(code).strip() == "[] 0"


def calls(path):
    return [node for node in nodes(path) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("fastnn.cli")])
def test_only_the_command_line_prints(module):
    prints = [call.lineno for call in calls(MODULES[module]) if ast.unparse(call.func) == "print"]
    assert not prints


OPTIONS = {
    "fastmath",
    "error_model",
    "nogil",
    "boundscheck",
    "njit",
    "jit",
    "cfunc",
    "vectorize",
    "guvectorize",
    "CFunc",
}


@pytest.mark.parametrize(
    "path", [*KERNELS.glob("*.py"), *KERNELS.glob("_*/*.py"), *FASTNN.rglob("*.py")], ids=lambda path: path.name
)
def test_numba_s_options_are_spelled_in_one_place(path):
    if path.name in ("_jit.py", "adapter.py"):
        return
    spelled = {keyword.arg for call in calls(path) for keyword in call.keywords if keyword.arg} & OPTIONS
    names = {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)} & OPTIONS
    assert not spelled | names | ({name.split(".")[-1] for name in imported(path)} & OPTIONS)
