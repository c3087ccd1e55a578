"""What leads through the sources names what is there: the maps of large packages, and CONTRIBUTING.md.

A map is the docstring of a package's `__init__.py`: it says which file to read for what.
"""

import ast
import re
from pathlib import Path

import pytest

import fastnn
import fastnn_kernels

ROOT = Path(__file__).parents[2]
FASTNN, KERNELS = (Path(package.__file__).parent for package in (fastnn, fastnn_kernels))


def mapped(package):
    """The files and folders that the list of a map names, in backticks; folders end with a slash."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    return re.findall(r"`(\w+/?)`", "".join(text.partition("\n- ")[1:]))


def parts(package):
    """The files and folders of a package, in the same form."""
    files = {path.stem for path in package.glob("*.py")} - {"__init__"}
    return files | {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}


def folders(package):
    """The packages of a package."""
    return sorted(path.parent for path in package.glob("*/__init__.py"))


LARGE = ["cli", "common", "data", "engine", "experiment", "interop", "language", "nn", "ops", "plots", "ranks"]
LARGE += ["recipes", "search", "sklearn", "text", "training"]
PRIVATE = [path for path in folders(KERNELS) if path.name.startswith("_")]
PACKAGES = [*(FASTNN / name for name in LARGE), *folders(FASTNN / "recipes"), *folders(FASTNN / "training"), *PRIVATE]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_map_names_each_part_of_a_package_once(package):
    assert sorted(mapped(package)) == sorted(parts(package))


def test_the_map_of_the_kernels_names_each_helper_once():
    helpers = [part for part in parts(KERNELS) if part.startswith("_")]
    assert sorted(mapped(KERNELS)) == sorted(helpers)


def test_contributing_names_files_that_are_there():
    named = re.findall(r"`(\w[\w.-]*/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(named) > 50
    roots = [ROOT / folder for folder in (".", "fastnn", "kernels", "kernels/fastnn_kernels")]
    assert {path for path in named if not any((root / path).exists() for root in roots)} == set()


def test_make_says_what_each_target_does():
    text = (ROOT / "Makefile").read_text("utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)", text, re.MULTILINE)
    assert sorted(re.findall(r"^([a-z-]+):.* ## \S", text, re.MULTILINE)) == sorted(targets.split())
