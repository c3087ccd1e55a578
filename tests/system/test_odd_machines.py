"""Machines that differ from the usual: names in other scripts, no home, a cache that is full or cannot be written."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import replace
from pathlib import Path

import pytest

import fastnn as fn
import fastnn_kernels
from fastnn.cli import main
from fastnn.data import catalogue, generate_moons
from fastnn.experiment.run_folder import RunFolder
from fastnn_kernels._compile.cache import cache_folder
from tests.tiny import environment, fit, is_imitated, jit_only, tiny_model

ODD = "дом с пробелом 🦊"
TRAIN = "from tests.tiny import bits, fit, tiny_model; print(bits(fit(tiny_model(), epochs=1).parameters))"
LOST = "permuted_indices", "entry.permuted_indices"  # a kernel that every training uses, and is compiled soon
UNSHARE = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]  # a user without a name, who is not root


def can_be_another():
    found = shutil.which("unshare")
    if os.name == "nt" or found is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


another_user = pytest.mark.skipif(not can_be_another(), reason="this system lets nobody be a user without a name")


def printed(command, env):
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@jit_only  # the command judges areas of its pictures: minutes in Python loops, of nothing that has to do with names
def test_names_in_other_scripts(tmp_path, monkeypatch, capsys):
    home = tmp_path / ODD
    home.mkdir()
    monkeypatch.chdir(home)
    small = replace(catalogue.DATA_SETS["moons"], generate=lambda: generate_moons(20))
    monkeypatch.setitem(catalogue.DATA_SETS, "moons", small)
    assert main(["data", "make", "moons", "--out", "данные 🦊.npz"]) == 0
    command = ["train", "moons", "--data", "данные 🦊.npz", "--epochs", "1", "--compare", "none", "--hidden", "2"]
    assert main([*command, "--out", f"{ODD}/a b"]) == 0
    assert fn.load(f"{ODD}/a b/model.h5").parameters
    assert f"wrote {ODD}/a b/" in capsys.readouterr().out
    fit(tiny_model(), callbacks=[fn.Checkpoint("модель 🦊.h5"), fn.CSVLogger("история.csv")], epochs=1)
    assert fn.load("модель 🦊.h5").epoch == 1


@jit_only
def test_a_cache_in_another_script_is_used(tmp_path):
    cache = tmp_path / ODD
    shutil.copytree(cache_folder(), cache / cache_folder().name)
    code = f"{TRAIN}; from fastnn_kernels._compile.cache import cache_folder; print(cache_folder())"
    out = printed([sys.executable, "-c", code], environment(FASTNN_CACHE_DIR=str(cache)))
    assert out.endswith(str(cache / cache_folder().name))


@jit_only
@pytest.mark.skipif(is_imitated(), reason="Python's own venv makes links under Linux, which the imitation refuses")
def test_a_virtual_environment_in_another_script(tmp_path):
    """Its interpreter, its packages and its cache lie where paths have spaces and letters of many scripts."""
    home = tmp_path / ODD
    venv.create(home, symlinks=os.name != "nt", with_pip=False)
    base = {"base": str(home), "platbase": str(home)}
    usual = "nt" if os.name == "nt" else "posix_prefix"  # Python 3.10 has no scheme "venv"
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else usual
    scripts, packages = (Path(sysconfig.get_path(name, scheme, base)) for name in ("scripts", "purelib"))
    for package in (fn, fastnn_kernels):
        found = Path(package.__file__).parent
        shutil.copytree(found, packages / found.name, ignore=shutil.ignore_patterns("__pycache__"))
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    env = environment()
    del env["PYTHONPATH"]
    code = """if True:
        import sys
        sys.path.remove("")
        import fastnn as fn
        model = fn.Sequential([fn.Dense(3, "tanh"), fn.Dense(1)], input_shape=(2,), loss="mse")
        model.fit([[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]], epochs=1, verbose=False)
        print(fn.__file__, model.epoch)
    """
    out = printed([str(scripts / "python"), "-c", code], env)
    assert out == f"{packages / 'fastnn' / '__init__.py'} 1"


@another_user
def test_neither_home_nor_name(tmp_path):
    """The cache and fetched data go to the folder of temporary files, under the number of the user."""
    env = environment(TMPDIR=str(tmp_path))
    for name in ("HOME", "FASTNN_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "FASTNN_DATA_DIR"):
        env.pop(name, None)
    code = (
        "from fastnn_kernels._compile.cache import cache_folder; from fastnn.data.download import data_folder; "
        "print(cache_folder().parent, data_folder())"
    )
    assert (
        printed([*UNSHARE, sys.executable, "-c", code], env) == f"{tmp_path}/fastnn-54321 {tmp_path}/fastnn-54321/data"
    )


@another_user
@jit_only
def test_a_cache_that_cannot_be_written(tmp_path):
    """What was asked for by name cannot be used: all is compiled in memory, nothing is said twice or crashes."""
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o555)
    code = "from fastnn_kernels._compile.cache import cache_folder; print(cache_folder())"
    out = printed([*UNSHARE, sys.executable, "-c", code], environment(FASTNN_CACHE_DIR=str(cache)))
    cache.chmod(0o755)
    assert out == "None"
    assert os.listdir(cache) == []


@jit_only
@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_a_cache_that_is_full(tmp_path):
    """What cannot be kept is compiled in memory: the same weights, no noise, and no half a file stays."""
    cache = tmp_path / cache_folder().name
    shutil.copytree(cache_folder(), cache)
    lost = [path for path in cache.glob("*.bin") if path.name.startswith(LOST)]
    assert lost
    for path in lost:
        path.unlink()
    kept = sorted(os.listdir(cache))
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); {TRAIN}"
    want = printed([sys.executable, "-c", TRAIN], environment())
    assert printed([sys.executable, "-c", full], environment(FASTNN_CACHE_DIR=str(tmp_path))) == want
    assert sorted(os.listdir(cache)) == kept


@another_user
@jit_only
def test_a_home_that_cannot_be_written(tmp_path):
    """The cache goes to the folder of temporary files."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(mode=0o555)
    temporary.mkdir()
    env = environment(HOME=str(home), TMPDIR=str(temporary))
    for name in ("FASTNN_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        env.pop(name, None)
    code = "from fastnn_kernels._compile.cache import cache_folder; print(cache_folder().parent)"
    assert printed([*UNSHARE, sys.executable, "-c", code], env) == f"{temporary}/fastnn-54321"
    assert os.listdir(home) == []


@another_user
def test_installed_where_nothing_can_be_written_in_a_path_with_spaces(tmp_path):
    """Read-only site-packages: the command works, and nothing is written beside the code."""
    site = tmp_path / ODD / "site-packages"
    for package in (fn, fastnn_kernels):
        found = Path(package.__file__).parent
        shutil.copytree(found, site / found.name, ignore=shutil.ignore_patterns("__pycache__"))
    names = sorted(site.rglob("*"))
    env = environment(PYTHONPATH=str(site), TMPDIR=str(tmp_path), NUMBA_DISABLE_JIT="1")
    read_only(site)
    code = (
        "import sys; sys.path.remove(''); import fastnn; from fastnn.cli import main; "
        "assert main(['--help']) == 0; print(fastnn.__file__)"
    )
    try:
        out = printed([*UNSHARE, sys.executable, "-c", code], env)
    finally:
        read_only(site, False)
    assert out.endswith(f"{site}/fastnn/__init__.py")
    assert sorted(site.rglob("*")) == names


def read_only(folder, is_so=True):
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o555 if is_so else 0o755) if path.is_dir() else 0o444)


def test_a_run_within_the_unfinished_folder_of_another(tmp_path):
    """It is a stranger there: the outer run is refused and deletes nothing."""
    inner = tmp_path / "run.unfinished" / "inner"
    inner.mkdir(parents=True)
    (inner / "model.h5").write_bytes(b"mine")
    with pytest.raises(fn.FileFormatError, match=r"no run made|what no run wrote"):
        RunFolder(tmp_path / "run", fresh=True)
    assert (inner / "model.h5").read_bytes() == b"mine"


@pytest.mark.parametrize("flags", [["-OO"], ["-O"], ["-W", "error"], ["-X", "dev", "-W", "error"]])
def test_flags_of_python(flags):
    """Without docstrings and assertions; warnings as errors."""
    code = "import fastnn as fn; print(fn.Sequential([fn.Dense(3)], input_shape=4))"
    assert printed([sys.executable, *flags, "-c", code], environment()) == "<Sequential of 1 layer, 15 parameters>"


UNUSABLE = {
    "no thread": ("NUMBA_NUM_THREADS", "0", "NUMBA_NUM_THREADS is 0, expected at least 1"),
    "less than none": ("NUMBA_NUM_THREADS", " -3", "NUMBA_NUM_THREADS is -3, expected at least 1"),
    "more than any machine has": ("NUMBA_NUM_THREADS", "100000", "NUMBA_NUM_THREADS is 100000, expected at most 1,024"),
    "layer": ("NUMBA_THREADING_LAYER", "mpi", "NUMBA_THREADING_LAYER is 'mpi', expected one of default, safe"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_variables_with_which_numba_would_fail(case):
    name, value, message = UNUSABLE[case]
    env = environment(**{name: value})
    done = subprocess.run(
        [sys.executable, "-m", "fastnn", "list"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"fastnn: {message}")
    assert done.stderr.count("\n") == 1
    done = subprocess.run([sys.executable, "-c", "import fastnn"], env=env, capture_output=True, text=True, check=False)
    assert f"ValueError: {message}" in done.stderr.splitlines()[-1]
