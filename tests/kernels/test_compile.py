"""Adapters that the cache does not have are compiled by several processes, and whatever happens to these, by this."""

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fastnn_kernels
from fastnn_kernels._compile import parallel
from tests.kernels.cases import needs_jit
from tests.tiny import python

pytestmark = needs_jit

NAMES = ["relu_forward", "leaky_relu_forward", "bias_forward", "clear_rows"]
# Each job's message waits until the helper process has compiled a function: then the test does not depend on speed.
PROGRAM = """
import json, logging, os, subprocess, sys, time, warnings
warnings.simplefilter("error")
import numpy as np
import fastnn_kernels
from fastnn_kernels._compile import cache, parallel
from fastnn_kernels._run.adapter import Adapter, adapter, operand_type

parallel.FUNCTIONS_PER_PROCESS = 2
started, said = [], []
start = parallel._started
def _started():
    started.append(start())
    return started[-1]
parallel._started = _started

class Listener(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
        arrived()
logging.getLogger("fastnn_kernels").addHandler(Listener())
logging.getLogger("fastnn_kernels").setLevel(logging.INFO)

def arrived():
    pass

def files():
    return [path.name.split("-")[0] for path in cache.cache_folder().glob("entry.*.bin")]

def wait_for_a_file():
    while "of" in said[-1] and not files():
        time.sleep(0.01)

x, b, rows = np.zeros((2, 16), np.float32), np.zeros(16, np.float32), np.zeros(2, np.int64)
operands = {"relu_forward": (x, x, 16), "leaky_relu_forward": (x, x, 16)}
operands |= {"bias_forward": (x, b), "clear_rows": (x, rows)}
adapters = [adapter(getattr(fastnn_kernels, name), False, tuple(map(operand_type, operands[name]))) for name in NAMES]
error = None
try:
    BODY
except BaseException as raised:
    error = repr(raised)
print(json.dumps({
    "said": said,
    "helpers": len(started),
    "ended": [process is None or process.poll() is not None for process in started],
    "hits": [one._cache.hits for one in adapters],
    "addresses": [one.address for one in adapters],
    "files": files() if cache.cache_folder() else [],
    "error": error,
}))
"""


def run(tmp_path, body, **environment):
    """What a new process says that makes four adapters as `body` asks, with an empty cache of its own."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = {"PYTHONPATH": str(Path(fastnn_kernels.__file__).parents[1])}
    program = f"NAMES = {NAMES!r}\n" + PROGRAM.replace("    BODY", "\n".join(f"    {line}" for line in body))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=kept | path | {"FASTNN_CACHE_DIR": str(tmp_path / "cache")} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert all(said["ended"])
    return said


def test_a_helper_compiles_into_the_cache_and_this_process_loads(tmp_path):
    body = ["arrived = wait_for_a_file", "parallel.compile_missing(adapters, 2)"]
    said = run(tmp_path, body)
    assert said["error"] is None
    assert said["helpers"] == 1
    assert sum(said["hits"]) >= 1
    assert all(said["addresses"])
    assert sorted(said["files"]) == sorted(f"entry.{name}__serial" for name in NAMES)
    first, *others = said["said"]
    assert first == "compiling 4 kernels, once for this version and processor"
    counts = [int(line.removeprefix("compiling kernels, ").split(" of 4 done: ")[0]) for line in others]
    assert counts == sorted(counts)
    assert all(0 <= count < 4 for count in counts)
    again = run(tmp_path, body)
    assert (again["said"], again["helpers"], again["hits"]) == ([], 0, [1, 1, 1, 1])


def test_two_processes_compile_each_function_once(tmp_path):
    """Beside each other: the hits of one are what the other compiled."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run(tmp_path, ["parallel.compile_missing(adapters, 1)"]), range(2)))
    assert all(said["error"] is None and all(said["addresses"]) for said in both)
    assert sum(hit for said in both for hit in said["hits"]) == len(NAMES)


@pytest.mark.skipif(sys.platform == "win32", reason="claims are locks of POSIX")
@pytest.mark.parametrize("processes", [1, 2])
def test_what_another_process_never_finishes_is_compiled_here(tmp_path, processes):
    """The other one, a stopped one perhaps, has every byte of the claims."""
    holder = (
        "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    held = (
        f"holder = {holder!r}",
        "lock = str(cache.cache_folder() / '.compiling')",
        "other = subprocess.Popen([sys.executable, '-c', holder, lock], stdin=-1, stdout=-1)",
        "other.stdout.readline()",
        "from fastnn_kernels._compile import claims",
        "claims.PATIENCE = 0.5",
        f"parallel.compile_missing(adapters, {processes})",
        "assert other.poll() is None",
        "other.communicate(b'\\n')",
    )
    said = run(tmp_path, list(held))
    assert said["error"] is None
    assert all(said["addresses"])
    assert sorted(said["files"]) == sorted(f"entry.{name}__serial" for name in NAMES)


@pytest.mark.parametrize(
    "body",
    [
        ["arrived = lambda: [process.kill() for process in started]"],
        ["parallel.PROGRAM = 'print(1)'"],
        ["parallel._started = lambda: started.append(None) or subprocess.Popen(['/no such program'])"],
        ["parallel.PROGRAM = 'import sys; sys.stdin.readline(); raise MemoryError'"],
    ],
    ids=["killed", "no answer", "not started", "raises"],
)
def test_what_a_helper_does_not_do_is_done_here(tmp_path, body):
    said = run(tmp_path, [*body, "parallel.compile_missing(adapters, 2)"])
    assert said["error"] is None
    assert said["helpers"] == 1
    assert said["hits"] == [0, 0, 0, 0]
    assert all(said["addresses"])
    assert said["said"][-1].startswith("compiling kernels, 3 of 4 done")


def test_no_helper_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    said = run(tmp_path, ["parallel.compile_missing(adapters, 2)"], FASTNN_CACHE_DIR=str(tmp_path / "file/cache"))
    assert (said["helpers"], said["error"]) == (0, None)
    assert all(said["addresses"])


@pytest.mark.parametrize(("functions", "processes"), [(4, 1), (3, 2)])
def test_no_helper_for_one_processor_or_few_functions(tmp_path, functions, processes):
    said = run(tmp_path, [f"parallel.compile_missing(adapters[:{functions}], {processes})"])
    assert (said["helpers"], said["error"]) == (0, None)
    assert len(said["files"]) == functions


@pytest.mark.parametrize("error", ["KeyboardInterrupt()", "RuntimeError('cannot be compiled')"])
def test_an_error_here_ends_the_helper(tmp_path, error):
    fails = ["def fails(self):", f"    raise {error}", "Adapter._compiled = fails"]
    said = run(tmp_path, [*fails, "parallel.compile_missing(adapters, 2)"])
    assert said["helpers"] == 1
    assert said["error"] == error


def test_a_helper_ends_with_its_input():
    process = parallel._started()
    process.stdin.write(json.dumps(sys.path) + "\n")
    process.stdin.close()
    assert process.wait(timeout=100) == 0
    assert process.stdout.read() == ""  # it was asked for nothing, and has answered nothing
    process.stdout.close()


def test_no_helper_of_a_process_among_others(monkeypatch):
    assert parallel._may_start_processes() == (parallel.cache_folder() is not None)
    monkeypatch.setattr(multiprocessing.process, "parent_process", lambda: object())
    assert not parallel._may_start_processes()


def test_no_helper_of_a_frozen_program(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)  # its executable is the program itself, not Python
    assert not parallel._may_start_processes()


def test_a_kernel_around_a_user_s_function_is_no_job(monkeypatch):
    mine = fastnn_kernels.losses.elementwise_loss(lambda x, t: x - t, lambda x, t: x, "own_loss_of_a_test")
    one = parallel.Adapter(mine, False, ())
    made, handed_over = [], []
    monkeypatch.setattr(one, "make", lambda: made.append(one))
    monkeypatch.setattr(parallel, "_compile", lambda jobs, processes: handed_over.extend(jobs))
    parallel.compile_missing([one], 8)
    assert (made, handed_over) == ([one], [])


def test_blocks_of_tiles_stand_at_both_ends_of_the_queue(tmp_path):
    """They take as long as several kernels: two processes make them at the same time, and before the products."""
    code = """
import numpy as np
import fastnn_kernels
from fastnn_kernels._compile import parallel
from fastnn_kernels._products import block, registers, tile
from fastnn_kernels._run.adapter import adapter, operand_type
from fastnn_kernels._run.driver import Loop
a = np.zeros((3, 16), np.float32)
names = ["softmax_forward", "relu_forward", "matmul"]
operands = {"softmax_forward": (a, a, 16), "relu_forward": (a, a, 16), "matmul": (a, a, np.zeros((16, 16), np.float32))}
missing = [adapter(getattr(fastnn_kernels, name), False, tuple(map(operand_type, operands[name]))) for name in names]
missing.append(Loop("run"))
jobs = [one.title for one in parallel._jobs(missing)]
others = ["matmul", "relu_forward", "softmax_forward", "driver"]  # the short ones in the middle, where the ends meet
assert jobs == (["tiles", *others, "tiles"] if registers.shape().rows else others), jobs
assert parallel._jobs(missing[1:2])[0] is missing[1]  # no tiles without a product
if registers.shape().rows:
    first, *_, last = parallel._jobs(missing)
    first.make()
    assert first.on_disk() and not last.on_disk()
    assert last.description() == ["tiles", "float32", False]
    assert [one.title for one in parallel._jobs(missing)][:2] == ["tiles", "matmul"]  # the other one, first
print("ok")
"""
    assert python(code, FASTNN_CACHE_DIR=str(tmp_path)).strip() == "ok"
