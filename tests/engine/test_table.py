"""The table that the compiled driver reads: which worker runs which entries, in whose memory."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine.ops import Axis, Op, Slice
from fastnn.engine.schedule import Chain, Task
from fastnn.engine.table import Entry, Table, entries_of
from fastnn_kernels._run.adapter import operand_words
from tests.tiny import jit_only


def add_one(*arrays):
    """Entries that add 1 to each array."""
    rates = np.array([-1.0])
    return [Entry(Op(k.sgd_update, (w, np.ones_like(w), rates), "test"), None, False, {}) for w in arrays]


def table(lists):
    return Table(lists, lambda entry: entry.op.operands, lambda op: False)


@jit_only
@pytest.mark.parametrize("cut", [(3,), (1, 2), (0, 3), (1, 1, 1)], ids=str)
def test_every_worker_runs_its_entries_phase_after_phase(cut):
    arrays = [np.zeros(4) for _ in range(3)]
    entries, phase = iter(add_one(*arrays)), []
    for count in cut:
        phase.append([next(entries) for _ in range(count)])
    first = add_one(arrays[0])
    made = table([[first], phase])
    assert (made.bounds is None) == (len(cut) == 1)
    if made.bounds is not None:
        ends = np.cumsum(cut) + 1
        assert made.bounds.tolist() == [[0, *[1] * len(cut)], [1, *ends.tolist()]]
    made.run(2)
    assert [w.tolist() for w in arrays] == [[4.0] * 4, [2.0] * 4, [2.0] * 4]


@jit_only
def test_operands_that_were_bound_anew_are_written_and_the_others_left(monkeypatch):
    old, new, same = np.zeros(4), np.zeros(4), np.zeros(4)
    varying, fixed = add_one(old, same)
    made = Table([[[varying, fixed]]], lambda entry: entry.op.operands, lambda op: op is varying.op)
    made.release()
    encoded = []
    monkeypatch.setattr("fastnn.engine.table.operand_words", lambda a: encoded.append(a) or operand_words(a))
    made.renew(lambda entry: (new, *entry.op.operands[1:]))
    made.run(1)
    assert (old.sum(), new.sum(), same.sum()) == (0, 4, 4)
    assert len(encoded) == 3


def test_a_worker_has_memory_of_its_own_for_its_slices_of_transient_arrays():
    dw, w = np.zeros((32, 16), np.float32), np.zeros((32, 16), np.float32)
    op = Op(k.sgd_update, (Slice(w, flat=True), Slice(dw, flat=True), np.ones(1, np.float32)), "test", Axis(32, 16, 16))
    chain = Chain(op.axis, [op])
    entries = entries_of([Task(chain, 0, 12), Task(chain, 16, 24)], {id(dw)}, False, {})
    assert [entry.task.first for entry in entries] == [0, 16]
    (own,) = {id(entry.own): entry.own for entry in entries}.values()
    assert {key: array.shape for key, array in own.items()} == {(id(dw), 12): (12, 16), (id(dw), 8): (8, 16)}
    assert np.shares_memory(own[id(dw), 12], own[id(dw), 8]), "slices follow each other in one piece of memory"
    assert not np.shares_memory(own[id(dw), 12], dw)
    assert all(array.ctypes.data % 64 == 0 and not array.any() for array in own.values())
