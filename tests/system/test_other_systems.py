"""What Windows and macOS lack is looked for before it is used: nothing of the library needs it, nor do its tests."""

import ast
import os
import re
import sys
import types
from pathlib import Path

import pytest

import fastnn
import fastnn_kernels
from fastnn_kernels._compile import folders
from tests.imitated.missing_names import MODULES, NAMES
from tests.tiny import jit_only, python

SOURCES = [
    path
    for package in (fastnn, fastnn_kernels)
    for path in sorted(Path(package.__file__).parent.rglob("*.py"))
    if "sklearn" not in path.parts
]
ROOT = Path(__file__).parents[2]
TESTS = [
    path for room in ("tests", "bench") for path in sorted((ROOT / room).rglob("*.py")) if "imitated" not in str(path)
]


def unguarded(text, tree=None):
    """Lines that use what some systems lack: modules outside of a `try`, names without a `hasattr` in the file."""
    tree = tree or ast.parse(text)
    tried = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in tried:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            yield from (f"{node.lineno}: {name}" for name in names if name in MODULES)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            lacking = NAMES.get(node.value.id, ())
            if node.attr in lacking and f'hasattr({node.value.id}, "{node.attr}")' not in text:
                yield f"{node.lineno}: {node.value.id}.{node.attr}"


def test_what_some_systems_lack_is_looked_for_first():
    assert [*unguarded("import fcntl\nos.fork()\nsignal.alarm(1)")] == ["1: fcntl", "2: os.fork", "3: signal.alarm"]
    assert {str(path): lines for path in SOURCES if (lines := [*unguarded(path.read_text("utf-8"))])} == {}


def without_encoding(text):
    """Lines that read or write a text in the encoding that the system happens to have."""
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func).rpartition(".")[2]
        place = {"read_text": 0, "write_text": 1}.get(name)
        if name in ("open", "fdopen") and ast.unparse(call.func) in ("open", "io.open", "os.fdopen"):
            modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
            place = 3 if not modes or "b" not in ast.unparse(modes[0]) else None
        if place is not None and len(call.args) <= place and "encoding" not in {word.arg for word in call.keywords}:
            yield f"{call.lineno}: {ast.unparse(call)}"


def test_every_text_has_an_encoding():
    wrong = "open(a)\nopen(a, 'w')\nopen(a, 'rb')\na.read_text()\na.write_text(b)\na.write_text(b, 'utf-8')"
    assert [line[0] for line in without_encoding(wrong)] == ["1", "2", "4", "5"]
    paths = [*SOURCES, *TESTS]
    assert {str(path): lines for path in paths if (lines := [*without_encoding(path.read_text("utf-8"))])} == {}


def at_the_head(text):
    """What some systems lack and a file uses when it is imported, which no mark of a test can skip."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [ast.Pass(lineno=node.lineno)]
    return unguarded(text, tree)


LACKING_NAME = re.compile(
    "|".join(
        [rf"\b{module}\.(?:{'|'.join(names)})\b" for module, names in NAMES.items()]
        + [rf"\bimport (?:{'|'.join(MODULES)})\b"]
    )
)


def nowhere_skipped(text):
    """Names in a test's file, also in the code of other processes, without a word of where they are missing."""
    known = re.search(r"hasattr\((os|signal), |sys\.platform|os\.name|importorskip|/proc/self", text)
    return [] if known else LACKING_NAME.findall(text)


def test_the_tests_themselves_begin_on_every_system():
    assert [*at_the_head("import pwd\n@skip(os.getuid())\ndef f():\n    import pty")] == ["1: pwd", "2: os.getuid"]
    assert nowhere_skipped("os.fork()") == ["os.fork"]
    assert nowhere_skipped("if hasattr(os, 'fork'): os.fork()") == []
    found = {}
    for path in TESTS:
        text = path.read_text("utf-8")
        found[path.name] = [*at_the_head(text)]
        if path.parent.name != "proofs" or path.name.startswith("test_"):  # else it is a command for POSIX
            found[path.name] += nowhere_skipped(text)
        if "os.kill(os." + "getpid(), " in text:
            found[path.name].append("os.kill ends a process under Windows: signal.raise_signal")
    assert {name: lines for name, lines in found.items() if lines} == {}


LACKING = f"""
import os, signal, subprocess, sys, warnings
import click, h5py, jinja2, matplotlib.pyplot, multiprocessing, numba, numpy, rich.progress, socket, tempfile
for name in {sorted(MODULES - {"posix"})!r}:
    sys.modules[name] = None
for where, names in ((os, {NAMES["os"]!r}), (signal, {NAMES["signal"]!r})):
    for name in names:
        if hasattr(where, name):
            delattr(where, name)
subprocess.Popen.kill = subprocess.Popen.terminate  # as under Windows
warnings.filterwarnings("ignore", "only soft file lock is available")  # filelock's word on a POSIX without locks
"""

TRAINS = """
import numpy as np
import fastnn as fn
from fastnn.cli import main
from fastnn_kernels._compile.cache import cache_folder
from fastnn_kernels._jit import JIT
from tests.tiny import bits, fit, tiny_model

os.chdir(sys.argv[1])
model = fit(tiny_model(), callbacks=[fn.Checkpoint("c.h5")], epochs=2)
print("loads:", bits(fn.load("c.h5").parameters) == bits(model.parameters))
with h5py.File("data.h5", "w") as file:
    file["x"] = np.ones((40, 3), np.float32)  # read from the file itself
    file.create_dataset("y", data=np.zeros(40, np.int64), compression="gzip")  # by another process
with fn.H5Stream("data.h5", "x") as x, fn.H5Stream("data.h5", "y") as y:
    model = fn.Sequential([fn.Dense(2)], input_shape=(3,))
    model.fit(x, y, optimizer=fn.SGD(0.1), verbose=False)
    print("streams:", model.epoch)
print("caches:", cache_folder() is not None or not JIT)
print("runs:", main(["train", "moons", "--epochs", "2", "--compare", "none", "--hidden", "2", "--out", "run"]))
with open("data.csv", "w") as file:
    file.write("0.5,0.5\\n")
print("predicts:", main(["predict", "run", "data.csv"]))
"""


@jit_only
def test_all_goes_on_without_what_windows_lacks(tmp_path):
    said = python(f"{LACKING}\nsys.argv = ['', {str(tmp_path)!r}]\n{TRAINS}")
    answers = dict(line.split(": ", 1) for line in said.splitlines() if re.match(r"[a-z]+: ", line))
    want = {"loads": "True", "streams": "1", "caches": "True", "runs": "0", "predicts": "0"}
    assert {name: answers.get(name) for name in want} == want


@jit_only
def test_no_text_is_in_the_encoding_that_the_system_happens_to_have(tmp_path):
    """Windows still has encodings of its own; a warning turned into an error ends the command with another status."""
    strict = "import warnings; warnings.filterwarnings('error', category=EncodingWarning, module='fastnn')"
    code = f"{strict}\nimport os, sys\nos.chdir({str(tmp_path)!r})\nfrom fastnn.cli import main\n"
    code += "for command in (['train', 'moons', '--quick', '--compare', 'none', '--hidden', '2'], ['list']):\n"
    code += "    assert main(command) == 0"
    said = python(code, PYTHONWARNDEFAULTENCODING="1", PYTHONIOENCODING="iso8859-5:strict", PYTHONUTF8="0")
    assert re.search(r"[0-9] deg", said), "a sign of degrees, which that encoding lacks, has a stand-in"


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_cache_and_data_lie_where_the_system_keeps_such_files(monkeypatch, tmp_path, system):
    asked = []

    def user_cache_path(*names, **keywords):
        asked.append((names, keywords))
        return tmp_path / "of the system"

    monkeypatch.setitem(sys.modules, "platformdirs", types.SimpleNamespace(user_cache_path=user_cache_path))
    monkeypatch.setattr(sys, "platform", system)
    for name in ("XDG_CACHE_HOME", "FASTNN_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    first, last = folders.user_folders()
    assert (first, asked) == (tmp_path / "of the system", [(("fastnn",), {"appauthor": False})])
    assert last.name.startswith("fastnn-")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert next(folders.user_folders()) == tmp_path / "fastnn"


@pytest.mark.skipif(os.name == "nt", reason="under Windows the system says where")
def test_under_linux_it_is_the_folder_of_ever(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert next(folders.user_folders()) == tmp_path / ".cache" / "fastnn"
