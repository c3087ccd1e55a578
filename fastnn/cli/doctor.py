"""`fastnn doctor`: what decides the speed on this machine, and advice where it could be higher."""

import os
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numba
import numpy as np
from llvmlite import binding

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine.threads import threads, usable_threads
from fastnn_kernels._compile.cache import cache_folder
from fastnn_kernels._jit import JIT


def report() -> Iterator[str]:
    """Lines for a person, facts first, then advice."""
    packages = ("fastnn", "numba", "llvmlite", "numpy", "h5py", "matplotlib")
    yield "versions    " + ", ".join(f"{name} {_version(name)}" for name in packages)
    yield f"processor   {binding.get_host_cpu_name()}, vectors of {_vector_bits()} bits"
    yield f"threads     {usable_threads()} used of {os.cpu_count()} processors{_why_fewer()}"
    yield f"threading   {numba.threading_layer()}"
    yield f"cache       {_cache_state()}"
    if not JIT:
        yield "advice      NUMBA_DISABLE_JIT is set: kernels run as plain Python, a thousand times slower"
        return
    yield from _warmed()
    yield from _speed()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _vector_bits() -> int:
    features = binding.get_host_cpu_features()
    for feature, bits in (("avx512f", 512), ("avx2", 256), ("avx", 256)):
        if features.get(feature):
            return bits
    return 128


def _why_fewer() -> str:
    """Why there are fewer threads than processors; "" if there are not."""
    if usable_threads() == os.cpu_count():
        return ""
    reasons = [name for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS") if os.environ.get(name)]
    return f" ({', '.join(reasons) or 'affinity or quota of this process'})"


def _cache_state() -> str:
    folder = cache_folder()
    if folder is None:
        return "no folder can be written: every process compiles anew; set FASTNN_CACHE_DIR to a writable folder"
    files = list(folder.glob("*.bin"))
    size = sum(file.stat().st_size for file in files) / 1e6
    state = f"{len(files)} compiled functions, {size:.1f} MB" if files else "empty: the first training will compile"
    return f"{folder}, {state}"


def _warmed() -> Iterator[str]:
    """Compile the systems' kernels, unless the cache has them; for tiny nets, because a kernel serves all sizes."""
    begin, before = time.perf_counter(), _compiled_functions()
    rng = np.random.default_rng(0)
    words, images, labels = rng.integers(0, 5, (12, 3)), rng.random((12, 6, 6, 1)), np.arange(12) % 3
    dense = [fn.Dense(4, name) for name in ("sigmoid", "relu", "tanh")]
    conv = [fn.Conv2D(4, activation="relu"), fn.BatchNorm(), fn.MaxPool2D(), fn.Flatten(), fn.Dropout(rate=0.5)]
    for layers, x, optimizer in (
        ([fn.Embedding(5, 2), fn.Flatten(), *dense, fn.Dense(3)], words, fn.SGD(0.1, momentum=0.5)),
        ([fn.Flatten(), *dense, fn.Dense(3)], images, fn.SGD(0.1)),
        ([*conv, *dense, fn.Dense(3)], images, fn.Adam(0.1)),
    ):
        model = fn.Sequential(layers, input_shape=x.shape[1:], l2=0.1)
        model.fit(x, labels, optimizer=optimizer, batch_size=5, validation_data=(x, labels), verbose=False)
        model.predict(x)
    compiled = _compiled_functions() - before
    done = f"{compiled} functions compiled now" if compiled > 0 else "nothing to compile"
    yield f"            {done}, {time.perf_counter() - begin:.1f} s"


def _compiled_functions() -> int:
    folder = cache_folder()
    return len(list(folder.glob("*.bin"))) if folder else 0


def _speed() -> Iterator[str]:
    """The speed of a matrix product on one thread and on all, and advice if all are hardly faster."""
    count = usable_threads()
    with threads(1):
        alone = _gflops(k.matmul.serial)
    yield f"product     {alone.fastest:.1f} GFLOP/s on one thread (256 x 256 float32)"
    if count == 1:
        return
    together = _gflops(k.matmul.parallel)
    yield f"            {together.fastest:.1f} GFLOP/s on {count} threads"
    if said := advice(count, alone.fastest, together):
        yield f"advice      {said}"


OTHERS = "Wait for it, or --threads 1"


class Speed(NamedTuple):
    """GFLOP/s of the fastest of many calls, and of the usual one, their median."""

    fastest: float
    usual: float


def advice(count: int, alone: float, together: Speed) -> str:
    """What to do where `count` threads are hardly faster than one, whose speed is `alone`; "" if they are.

    Threads of a call wait for each other, so one that another process holds up makes all of them slow.
    """
    enough = 0.6 * count * alone
    if together.usual >= enough:
        return ""
    if together.fastest >= enough:
        longer = f"{together.fastest / together.usual:.3g} x as long as the fastest"
        return f"half of the calls on {count} threads take {longer}: is another process busy? {OTHERS}"
    times = together.usual / alone
    told = "slower than one" if times < 1 else f"only {times:.1f} x as fast as one"
    return f"{count} threads are {told}: is another process busy? {OTHERS}"


def _gflops(matmul) -> Speed:
    x = np.ones((256, 256), np.float32)
    out = np.empty_like(x)
    matmul(out, x, x)
    seconds = []
    for _ in range(30):
        begin = time.perf_counter()
        matmul(out, x, x)
        seconds.append(time.perf_counter() - begin)
    work = 2 * 256**3 / 1e9
    return Speed(work / min(seconds), work / float(np.median(seconds)))
