"""How far a kernel may be from its float64 reference: the one table, and the one comparison.

Rounding errors of a sum of K terms of size 1 in one chain: each of K additions rounds a partial sum
that grows as √p, together √(Σ p)·eps/2 ≈ .35·K·eps; the largest of many thousand outputs is a few
times that. So the absolute part grows with K. The relative part covers the few operations around a
sum: a polynomial (under 2 ulp), a division, scores near 50 whose difference rounds before exp.
Kernels that only move or count numbers are exact anyway, and integers are compared exactly.

A bfloat16 word (uint16) is rounded by random bits: a last bit more or less of the number that is rounded changes it
with probability 2⁻¹⁶. So one word in 100 may be the other one of the two around the number.
"""

import numpy as np

# dtype: (relative, absolute, absolute for each term of the longest sum), in units of its eps
ULPS = {np.float32: (16, 4, 2), np.float64: (16, 4, 2)}


def tolerance(want: np.ndarray, dtype: np.dtype, terms: int) -> np.ndarray:
    """The largest error allowed for each element of `want`."""
    relative, absolute, per_term = ULPS[np.dtype(dtype).type]
    eps = np.finfo(dtype).eps
    return eps * (relative * np.abs(want) + absolute + per_term * terms)


def error(got: np.ndarray, want: np.ndarray, terms: int, precision: np.dtype | None = None) -> float:
    """The largest error of `got` as a fraction of what is allowed; infinite where one is NaN and the other is not.

    precision : of what it was computed in; None: of its own dtype
    """
    assert got.shape == want.shape, f"got shape {got.shape}, want {want.shape}"
    if got.dtype == np.uint16:
        return _error_of_words(got.astype(int), want.astype(int))
    if got.dtype.kind != "f":
        return 0.0 if np.array_equal(got, want) else np.inf
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        fraction = np.abs(got.astype(np.float64) - want) / tolerance(want, precision or got.dtype, terms)
    return float(np.where(same, 0, np.where(np.isfinite(fraction), fraction, np.inf)).max(initial=0))


def _error_of_words(got: np.ndarray, want: np.ndarray) -> float:
    both_nan = (got & 0x7FFF > 0x7F80) & (want & 0x7FFF > 0x7F80)
    apart = np.where(both_nan, 0, np.abs(got - want))
    return float(apart.max(initial=0)) if np.count_nonzero(apart) <= apart.size / 100 else np.inf


def check(got: list, want: list, terms: int, label: str, precision: np.dtype | None = None) -> float:
    """Fail unless every output is within tolerance; prints and returns the largest error."""
    worst = max(error(g, w, terms, precision) for g, w in zip(got, want, strict=True))
    print(f"{label}: largest error {worst:.3f} of the tolerance")  # noqa: T201  (pytest shows it with -s)
    assert worst <= 1, f"{label}: an error is {worst:.3g} times the tolerance"
    return worst
