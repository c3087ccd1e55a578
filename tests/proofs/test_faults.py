"""`tests.proofs.faults` in small."""

import sys

import pytest

from tests.proofs import faults

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or faults.compiler() is None, reason="needs Linux and a C compiler"
)


def test_whatever_fails_the_old_or_the_new_is_whole(monkeypatch):
    monkeypatch.delenv("FASTNN_OFFLINE", raising=False)  # the server is this test's own
    found = faults.prove(["model", "download", "mnist"], 2, 0)
    assert [failures for _, _, _, failures in found] == [[], [], []]
    assert all(calls > 10 and count == 6 for _, calls, count, _ in found)
