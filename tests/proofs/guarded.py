"""A call of a kernel on arrays between guards, with any numbers in them."""

import numpy as np

from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.proofs.random_shapes import drawn

GUARD = 256  # bytes before and behind each array
FEW = 2_000  # numbers of an array
ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-310, 3e38, -3e38, 1e30, -1e-30)


def guarded_run(name, seed, rng):
    """What is wrong with a call of the kernel, serial or parallel, on random numbers; "" if nothing is."""
    spec = REGISTRY[name]
    _, _, args = drawn(name, seed, FEW)
    args = _spoiled(args, rng)
    twin = spec.kernel.twin(bool(rng.integers(2)) and JIT)
    found = []
    for byte in (0x00, 0xFF):  # as floats 0 and NaN, as whole numbers 0 and −1
        arrays = [_between(a, byte) if isinstance(a, np.ndarray) else (None, a) for a in args]
        with np.errstate(all="ignore"):
            twin(*[a for _, a in arrays])
        for place, (memory, a) in enumerate(arrays):
            if memory is not None and not _untouched(memory, a, byte):
                return f"wrote outside of argument {place}"
        found.append([a.tobytes() for _, a in arrays[: spec.outputs]])
    return "" if found[0] == found[1] else "what lies outside of an array shows in an output"


def _spoiled(args, rng):
    """Odd numbers among those of some float arrays; whole numbers choose places in arrays and stay."""
    changed = []
    for a in args:
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size > 1 and rng.random() < 0.3:
            a = a.copy()
            for _ in range(rng.integers(1, 5)):
                with np.errstate(all="ignore"):
                    a.reshape(-1)[rng.integers(a.size)] = ODD[rng.integers(len(ODD))]
        changed.append(a)
    return changed


def _between(a, byte):
    """The memory of a copy of `a` with a guard on either side, and the copy: aligned as `a` was, to cache lines."""
    memory = np.full(a.nbytes + 2 * GUARD + 64, byte, np.uint8)
    start = GUARD + -(memory.ctypes.data + GUARD) % 64
    copy = memory[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
    copy[...] = a
    return memory, copy


def _untouched(memory, a, byte):
    start = a.ctypes.data - memory.ctypes.data if a.size else len(memory)
    return (memory[:start] == byte).all() and (memory[start + a.nbytes :] == byte).all()
