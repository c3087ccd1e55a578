"""Compiled code on disk, seen by processes that start after another, on a copy of the kernels."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import llvmlite
import numba
import numpy as np
import pytest

import fastnn_kernels
from fastnn_kernels._compile import cache
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import made, needs_jit

pytestmark = needs_jit

PROGRAM = """
import json, warnings
warnings.simplefilter("error")
import numpy as np
import fastnn_kernels as kernels
from fastnn_kernels._compile import cache
x, out = np.zeros((2, 16)), np.zeros((2, 16))
hits = {}
for name in NAMES:
    kernel, _, twin = name.partition(":")
    twin = getattr(getattr(kernels, kernel), twin)
    twin(out, x, 16)
    hits[name] = getattr(twin._cache, "hits", None)
print(json.dumps({"hits": hits, "out": out[0, 0], "folder": str(cache.cache_folder()), "where": kernels.__file__}))
"""


@pytest.fixture
def tree(tmp_path):
    """A copy of the kernels that a test may edit."""
    source = Path(fastnn_kernels.__file__).parent
    shutil.copytree(source, tmp_path / "kernels/fastnn_kernels", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(tree, *names, **environment):
    """A new process calls these twins: its cache hits, its result and the folder it chose."""
    kept = {k: v for k, v in os.environ.items() if k not in ("FASTNN_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    environment = {"FASTNN_CACHE_DIR": str(tree / "cache"), **environment}
    kept |= {k: v for k, v in environment.items() if v} | {"PYTHONPATH": str(tree / "kernels")}
    program = f"NAMES = {names!r}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], env=kept, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["where"]).is_relative_to(tree)
    return said | {"stderr": done.stderr}


def files(tree):
    return {p.name: p.stat().st_mtime_ns for p in (tree / "cache").rglob("*.bin")}


def test_second_process_loads_its_own_file_for_each_twin_and_a_third_survives_damaged_ones(tree):
    names = "relu_forward:serial", "relu_forward:parallel"
    assert run(tree, *names)["hits"] == dict.fromkeys(names, 0)
    written = files(tree)
    assert len(written) == 2
    assert {"serial" in name for name in written} == {True, False}
    assert run(tree, *names)["hits"] == dict.fromkeys(names, 1)
    assert files(tree) == written
    for path in (tree / "cache").rglob("*.bin"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run(tree, *names)["hits"] == dict.fromkeys(names, 0)


def test_edit_of_a_helper_in_another_file_is_seen(tree):
    before = run(tree, "sigmoid_forward:serial")
    with (tree / "kernels/fastnn_kernels/_math/elementary.py").open("a", encoding="utf-8") as file:
        file.write("\n\n@always_inline\ndef sigmoid(x):\n    return type(x)(0.25)\n")
    after = run(tree, "sigmoid_forward:serial")
    assert (before["out"], after["out"]) == (0.5, 0.25)
    assert after["hits"] == {"sigmoid_forward:serial": 0}
    assert after["folder"] != before["folder"]


def test_without_a_home_a_temporary_folder_serves(tree):
    (tree / "file").write_text("", "utf-8")  # below a file nothing can be made, not even by root
    (tree / "tmp").mkdir()
    said = run(tree, "relu_forward:serial", FASTNN_CACHE_DIR="", HOME=str(tree / "file/home"), TMPDIR=str(tree / "tmp"))
    assert Path(said["folder"]).is_relative_to(tree / "tmp")


def test_where_nothing_can_be_written_kernels_still_run(tree):
    (tree / "file").write_text("", "utf-8")
    said = run(tree, "relu_forward:serial", FASTNN_CACHE_DIR=str(tree / "file/cache"))
    assert said["folder"] == "None"
    assert said["hits"] == {"relu_forward:serial": 0}


posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_to_is_not_used(tree, mode):
    """Whoever can write there could have code run, by all who use the folder."""
    names = ("relu_forward:serial",)
    folder = Path(run(tree, *names)["folder"])
    folder.chmod(mode)
    said = run(tree, *names)
    assert (said["folder"], said["hits"]) == ("None", dict.fromkeys(names, 0))
    assert said["stderr"].count("\n") == 1
    assert f"the kernel cache {folder} is not used: other users can write to it" in said["stderr"]
    folder.chmod(0o700)
    assert run(tree, *names)["hits"] == dict.fromkeys(names, 1)


@posix
def test_nor_one_that_others_could_put_another_in_the_place_of(tree):
    (tree / "cache").mkdir()
    (tree / "cache").chmod(0o777)
    said = run(tree, "relu_forward:serial")
    assert said["folder"] == "None"
    assert f"all users can write to {tree / 'cache'}" in said["stderr"]
    (tree / "cache").chmod(0o1777)  # as of /tmp: they cannot rename what is this user's
    assert run(tree, "relu_forward:serial")["folder"] != "None"


@posix
def test_a_cache_made_without_a_umask_is_private(tree):
    before = os.umask(0)
    try:
        folder = Path(run(tree, "relu_forward:serial")["folder"])
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o077 for path in (folder.parent, folder, *folder.iterdir())} == {0}
    assert run(tree, "relu_forward:serial")["hits"] == {"relu_forward:serial": 1}


@posix
@pytest.mark.parametrize("how", ["owner", "mode"])
def test_a_file_of_another_user_is_not_loaded(tmp_path, monkeypatch, caplog, how):
    path = tmp_path / "kernel.bin"
    cache._write(path, b"code")
    assert cache._read(path) == b"code"
    if how == "mode":
        path.chmod(0o620)
    else:
        user = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert cache._read(path) is None
    assert f"{path} is not used, but compiled again" in caplog.text


@needs_jit
def test_no_kernel_is_kept_out_of_the_cache():
    """Numba does not save code that holds an address of this process: such a kernel would compile in every one."""
    for name, spec in REGISTRY.items():
        _, args = made(name, np.float32, next(iter(spec.shapes)))
        spec.kernel.serial(*args)
        for result in spec.kernel.serial.overloads.values():
            assert not result.library.has_dynamic_globals, name


class Codegen:
    def __init__(self, *processor):
        self.processor = processor

    def magic_tuple(self):
        return self.processor


def test_a_file_is_of_one_function_signature_processor_and_version(tmp_path, monkeypatch):
    """Else code of another processor, or of another Numba, is run."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)

    def file_of(name="k", signature="float32", processor="zen"):
        return cache.SourceStampedCache(name)._path(signature, Codegen("triple", processor))

    found = [file_of(), file_of(name="other"), file_of(signature="float64"), file_of(processor="skylake")]
    for module, name, value in (
        (numba, "__version__", "0.0"),
        (llvmlite, "__version__", "0.0"),
        (sys, "version_info", (9, 9, 9)),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            found.append(file_of())
    assert len(set(found)) == len(found)
    assert file_of() == found[0]
    assert {path.parent for path in found} == {tmp_path}


@pytest.mark.parametrize("unsaved", ["has_dynamic_globals", "lifted"])
def test_code_with_an_address_of_this_process_is_not_saved(tmp_path, monkeypatch, unsaved):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(cache, "_without_modules_of_numba", lambda reduced: reduced)
    library = SimpleNamespace(codegen=Codegen("zen"), has_dynamic_globals=unsaved == "has_dynamic_globals")
    data = SimpleNamespace(library=library, lifted=("loop",) * (unsaved == "lifted"), _reduce=lambda: ("code",))
    of_kernel = cache.SourceStampedCache("k")
    of_kernel.save_overload("float32", data)
    assert not list(tmp_path.iterdir())
    library.has_dynamic_globals, data.lifted = False, ()
    of_kernel.save_overload("float32", data)
    (path,) = tmp_path.iterdir()
    assert path == of_kernel._path("float32", library.codegen)
    assert pickle.loads(cache._read(path)) == ("code",)


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path, monkeypatch):
    path = tmp_path / "kernel.bin"
    cache._write(path, b"code")

    def full(*paths):
        raise OSError

    monkeypatch.setattr(os, "replace", full)
    cache._write(path, b"other")
    assert cache._read(path) == b"code"
    assert [found.name for found in tmp_path.iterdir()] == ["kernel.bin"]


def test_only_the_kernel_s_own_files_are_flushed(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    for name in ("k-1.bin", "k-2.bin", "kernel-1.bin", ".compiling"):
        (tmp_path / name).write_bytes(b"")
    cache.SourceStampedCache("k").flush()
    assert {path.name for path in tmp_path.iterdir()} == {"kernel-1.bin", ".compiling"}


@pytest.mark.parametrize("damage", ["payload", "digest", "short", "empty"])
def test_a_damaged_file_is_as_none(tmp_path, damage):
    path = tmp_path / "kernel.bin"
    cache._write(path, b"code")
    whole = path.read_bytes()
    damaged = {"payload": whole[:-1] + b"!", "digest": b"!" + whole[1:], "short": whole[:20], "empty": b""}
    path.write_bytes(damaged[damage])
    assert cache._read(path) is None
    assert cache._read(tmp_path / "none.bin") is None
