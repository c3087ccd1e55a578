"""Errors of exp, log, tanh and sigmoid over all 2**32 float32 inputs, against libm in float64.

    python bench/exhaustive_math.py [exp log tanh sigmoid]

Prints, per function, the largest error in ulp where the true value is a normal number, the input that
has it, and how many inputs got a wrong special value: NaN or infinity not where it should be, or, for a
true value below the smallest normal number, a result not between 0 and that number. The exit status is
1 if there is one of those, or an error above that which the function promises. Takes a minute or two per function on
two cores.
"""

import argparse
import math
import sys
import time

import numba
import numpy as np

from fastnn_kernels._jit import OPTIONS
from fastnn_kernels._math import elementary

CHUNK = 1 << 16  # inputs, results: 512 KB
CHUNKS_PER_CALL = 1 << 8  # a call takes about a second, so that Ctrl-C is heard
CALLS = (1 << 32) // (CHUNK * CHUNKS_PER_CALL)
PROMISED_ULP = {"exp": 1.05, "log": 0.96, "tanh": 2.29, "sigmoid": 1.87}
SMALLEST_NORMAL = float(np.finfo(np.float32).smallest_normal)


@numba.njit(error_model="numpy")
def _true_exp(x):
    return math.exp(x)


@numba.njit(error_model="numpy")
def _true_log(x):
    return math.log(x)


@numba.njit(error_model="numpy")
def _true_tanh(x):
    return math.tanh(x)


@numba.njit(error_model="numpy")
def _true_sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


TRUTH = {"exp": _true_exp, "log": _true_log, "tanh": _true_tanh, "sigmoid": _true_sigmoid}
WRONG = np.inf  # the error of a special value that is wrong


@numba.njit(error_model="numpy")
def _error(got, want):
    """|got − want| in ulp of float32 at `want`, both float64."""
    rounded = np.float64(np.float32(want))
    if math.isnan(rounded) or math.isinf(rounded):
        right = got == rounded or (math.isnan(rounded) and math.isnan(got))
        return 0.0 if right else WRONG
    if abs(want) < SMALLEST_NORMAL:
        return 0.0 if 0.0 <= math.copysign(1.0, want) * got <= SMALLEST_NORMAL else WRONG
    ulp = math.ldexp(1.0, math.frexp(want)[1] - 24)
    return abs(got - want) / ulp if math.isfinite(got) else WRONG


def walker(function, truth):
    """A compiled loop over the inputs of one call: (worst error, its bits, wrong specials) per chunk."""

    @numba.njit(parallel=True, **OPTIONS | {"_nrt": True})  # it makes arrays
    def walk(worst, worst_bits, wrong, first):
        for chunk in numba.prange(worst.shape[0]):
            bits = np.arange(CHUNK).astype(np.uint32) + np.uint32(first + chunk * CHUNK)
            x = bits.view(np.float32)
            got = np.empty_like(x)
            for i in range(CHUNK):
                got[i] = function(x[i])
            worst[chunk] = -1.0
            wrong[chunk] = 0
            for i in range(CHUNK):
                error = _error(np.float64(got[i]), truth(np.float64(x[i])))
                if error == WRONG:
                    wrong[chunk] += 1
                elif error > worst[chunk]:
                    worst[chunk] = error
                    worst_bits[chunk] = bits[i]

    return walk


def examine(name, calls=CALLS):
    """Prints the line of one function, for the first inputs or all; returns whether it keeps its promise."""
    walk = walker(getattr(elementary, name), TRUTH[name])
    worst = np.empty(CHUNKS_PER_CALL)
    worst_bits = np.empty(CHUNKS_PER_CALL, np.uint32)
    wrong = np.empty(CHUNKS_PER_CALL, np.int64)
    largest, where, wrongs, start = -1.0, np.uint32(0), 0, time.perf_counter()
    for call in range(calls):
        walk(worst, worst_bits, wrong, call * CHUNK * CHUNKS_PER_CALL)
        wrongs += int(wrong.sum())
        if worst.max() > largest:
            largest, where = worst.max(), worst_bits[worst.argmax()]
    x = where.view(np.float32)
    seconds = time.perf_counter() - start
    print(f"{name:8} {largest:.4f} ulp at {x!r} ({where:#010x}); wrong specials: {wrongs}; {seconds:.0f} s", flush=True)
    return largest <= PROMISED_ULP[name] and not wrongs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="*", metavar="function", help=f"of {', '.join(TRUTH)}; all of them if none")
    names = parser.parse_args().functions or list(TRUTH)
    unknown = set(names) - set(TRUTH)
    if unknown:
        parser.error(f"no such function: {', '.join(sorted(unknown))}")
    kept = [examine(name) for name in names]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
