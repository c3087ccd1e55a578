"""The proof in small: a few hundred inputs of each kind that costs no process, two of each that does."""

import pytest

from fastnn.data.hdf5 import child_process
from tests.proofs.hostile_files import fault_of, faults
from tests.proofs.hostile_kinds import KINDS
from tests.tiny import JIT


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_files(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(child_process, "SECONDS", 2)
    count = 2 if KINDS[kind].costly else 200 if JIT else 50
    assert list(faults(kind, 0, range(count), tmp_path)) == []


def test_what_counts_as_a_fault(tmp_path):
    def two_lines(_):
        from fastnn.common.errors import DataError

        raise DataError("one\ntwo")

    assert fault_of(lambda path: None, tmp_path) == ""
    assert "KeyError: 'x'" in fault_of(lambda path: {}["x"], tmp_path)
    assert "several lines" in fault_of(two_lines, tmp_path)
