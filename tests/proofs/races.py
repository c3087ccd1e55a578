"""Races cannot hide: every parallel kernel gives the bits of its serial version, and every prange is parallel.

    python -m tests.proofs.races --size 2000 --seed 0
    python -m tests.proofs.races --loops

`size` is the number of random shapes of each parallel kernel. Each shape runs serially once, and in parallel on two
random numbers of threads from 1 to 16, whatever the machine has. `--loops` compiles every parallel version anew, which
takes some minutes, and asks Numba which loops it divides among threads.
"""

import argparse
import ast
import inspect
import os
import sys
import textwrap

import numba
import numpy as np

from fastnn_kernels._jit import compiled, renamed
from fastnn_kernels.registry import REGISTRY
from tests.proofs.random_shapes import drawn

PARALLEL = [name for name, spec in REGISTRY.items() if spec.kernel.work]
MOST_THREADS = 16


def race(name, seed, most_threads):
    """What is wrong with the parallel version on one random shape; None if nothing is."""
    spec = REGISTRY[name]
    shape, dtype, args = drawn(name, seed)
    want = [array.tobytes() for array in spec.run(spec.kernel.serial, args)]
    for threads in np.random.default_rng(seed).integers(1, most_threads + 1, 2).tolist():
        numba.set_num_threads(threads)
        if [array.tobytes() for array in spec.run(spec.kernel.parallel, args)] != want:
            return f"{name} {np.dtype(dtype)} {shape} on {threads} threads: seed {seed}"
    return None


def races(name, size, first_seed, most_threads):
    """The failures of one kernel on `size` random shapes."""
    before = numba.get_num_threads()
    try:
        found = (race(name, seed, most_threads) for seed in range(first_seed, first_seed + size))
        return [failure for failure in found if failure]
    finally:
        numba.set_num_threads(before)


def loops(function):
    """The lines of the function's file on which a prange begins that is in no other prange."""
    lines, first = inspect.getsourcelines(function)

    def outermost(node):
        if isinstance(node, ast.For) and "prange" in ast.unparse(node.iter):
            yield first + node.lineno - 1
            return
        for child in ast.iter_child_nodes(node):
            yield from outermost(child)

    return set(outermost(ast.parse(textwrap.dedent("".join(lines)))))


def parallel_loops(function, args):
    """The lines of the loops that Numba divides among threads in the parallel version, compiled for these arguments."""
    version = compiled(renamed(function, "__proof"), parallel=True, cached=False)
    version(*args)
    (overload,) = version.overloads.values()
    return {loop.loc.line for loop in overload.metadata["parfor_diagnostics"].initial_parfors}


def serial_loops(name):
    """Lines with a prange that the compiled parallel version runs on one thread."""
    _, _, args = drawn(name, 0)
    body = REGISTRY[name].kernel.body
    return sorted(loops(body) - parallel_loops(body, args))


def report(names, kind, check):
    """Print what `check` finds wrong with each parallel kernel, then the total; whether that is something."""
    failures = []
    for name in names:
        found = check(name)
        print(f"{name:32} {kind}, {len(found)} failures", flush=True)
        failures += found
    print(*failures, f"{len(names)} kernels, {kind}: {len(failures)} failures", sep="\n")
    return bool(failures)


def main(names, size, seed, only_loops):
    if only_loops:
        return report(
            names, "loops", lambda name: [f"{name}: the prange of line {n} is serial" for n in serial_loops(name)]
        )
    kind = f"{size} shapes on 1 to {MOST_THREADS} threads"
    return report(names, kind, lambda name: races(name, size, seed, MOST_THREADS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kernels", nargs="*", help="names; all if there are none")
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loops", action="store_true")
    given = parser.parse_args()
    if numba.config.NUMBA_NUM_THREADS < MOST_THREADS:  # it is read when Numba is imported
        wanted = {"NUMBA_NUM_THREADS": str(MOST_THREADS), "OMP_WAIT_POLICY": "passive"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.proofs.races", *sys.argv[1:]], os.environ | wanted)
    sys.exit(main(given.kernels or PARALLEL, given.size, given.seed, given.loops))
