"""The soak in small: `python -m tests.proofs.soak --size 1000000` is the long run."""

import ctypes
import sys

import pytest

from tests.proofs import soak
from tests.tiny import jit_only

STEPS, ROUNDS = 18_000, 9
counted = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="only glibc 2.33 and later says what a process holds",
)


@counted
@jit_only
def test_a_process_does_not_grow():
    grown, _ = soak.soak(STEPS, rounds=ROUNDS)
    assert grown < soak.allowed_bytes(STEPS)


@counted
@jit_only
def test_an_array_kept_a_step_would_be_found():
    grown, _ = soak.soak(STEPS, rounds=ROUNDS, leak=112)  # what NumPy takes for one; the long run finds a few bytes
    assert grown > soak.allowed_bytes(STEPS)
