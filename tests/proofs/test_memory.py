"""The proof of what trainings take of memory, in small: `python -m tests.proofs.memory --size 100` is the long run."""

from pathlib import Path

import pytest

from tests.proofs import memory
from tests.tiny import jit_only


@jit_only  # in a Python loop no thread has slices of its own, and NumPy takes memory of its own
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux measures a peak anew")
def test_a_training_takes_what_it_says():
    said, grown, parts = memory.run_case("mlp, batch 32, adam, best kept", 15, 1)  # larger copies go to a file
    assert memory.is_right(said, grown), (said, grown, parts)
    for part in ("copies", "optimizer", "callbacks"):
        assert not memory.is_right(said - parts[part], grown), f"a training that forgets {part} would pass"
