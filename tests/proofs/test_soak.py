"""The soak in small: `python -m tests.proofs.soak --size 1000000` is the long run."""

from pathlib import Path

import pytest

from tests.proofs import soak
from tests.tiny import jit_only


@jit_only
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what a process takes")
def test_a_process_does_not_grow():
    assert soak.soak(30_000, rounds=9) < soak.ALLOWED_BYTES
