"""Large rooms have a map: the docstring of their `__init__.py` says which file to read for what."""

import ast
import re
from pathlib import Path

import pytest

import fastnn
import fastnn_kernels

FASTNN, KERNELS = (Path(package.__file__).parent for package in (fastnn, fastnn_kernels))


def mapped(room):
    """The files and folders that the list of a map names, in backticks; folders end with a slash."""
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    return re.findall(r"`(\w+/?)`", "".join(text.partition("\n- ")[1:]))


def parts(room):
    """The files and folders of a room, in the same form."""
    files = {path.stem for path in room.glob("*.py")} - {"__init__"}
    return files | {f"{path.parent.name}/" for path in room.glob("*/__init__.py")}


@pytest.mark.parametrize("room", ["common", "training"])
def test_a_map_names_each_part_of_a_room_once(room):
    assert sorted(mapped(FASTNN / room)) == sorted(parts(FASTNN / room))


def test_the_map_of_the_kernels_names_each_helper_once():
    helpers = [part for part in parts(KERNELS) if part.startswith("_")]
    assert sorted(mapped(KERNELS)) == sorted(helpers)
