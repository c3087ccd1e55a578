"""`tests.proofs.kills` in small."""

import os

import pytest

from tests.proofs import kills
from tests.tiny import jit_only

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@jit_only
@pytest.mark.parametrize("kind", ["cnn", "sweep", "halving"])
def test_killed_trainings_end_with_the_same_bits(kind):
    number, trainings, failures = kills.prove(kind, 1, 0)
    assert number >= 1
    assert trainings
    assert failures == []
