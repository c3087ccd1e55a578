"""Small steps, which one worker takes operation by operation: with the bits of any other plan."""

import numpy as np
import pytest

from fastnn.engine import plan
from fastnn.engine.builder import Builder
from fastnn.engine.ops import array_of, is_array
from fastnn.engine.program import Program
from tests.engine.nets import NETS, compiled, trained
from tests.engine.test_schedule import accumulated
from tests.tiny import dense_model, jit_only, two_threads

ALL = 1 << 40  # bytes: with so many all steps are small


def bytes_of(program):
    arrays = {id(array): array for op in program.ops for array in map(array_of, filter(is_array, op.operands))}
    return sum(array.nbytes for array in arrays.values())


@pytest.mark.parametrize("net", NETS)
def test_one_worker_takes_a_small_step_in_the_order_of_its_operations(net, monkeypatch):
    monkeypatch.setattr(plan, "SMALL_BYTES", ALL)
    program = compiled(net).step.program
    ((only,),) = program.plan.phases(37, 1)
    assert only.axis is None
    assert only.ops == program.ops
    ((entries,),) = program.plan.entries(37, 1)
    assert [entry.op for entry in entries] == program.ops
    assert not any(entry.own for entry in entries)
    assert len(program.plan.phases(37, 2)) > 1


@pytest.mark.parametrize(("more", "phases_are_one"), [(0, True), (-1, False)])
def test_a_step_is_small_up_to_so_many_bytes(more, phases_are_one, monkeypatch):
    program = compiled("words").step.program
    monkeypatch.setattr(plan, "SMALL_BYTES", bytes_of(program) + more)
    assert (len(program.plan.phases(37, 1)) == 1) == phases_are_one


@jit_only
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("optimizer", ["momentum", "adam", "clipped"])
@pytest.mark.parametrize("net", NETS)
def test_a_small_step_has_the_bits_of_one_in_slices(net, optimizer, fused, monkeypatch):
    want = trained(net, optimizer, 1, fused)
    monkeypatch.setattr(plan, "SMALL_BYTES", ALL)
    np.testing.assert_array_equal(trained(net, optimizer, 1, fused), want)


def test_samples_that_are_taken_one_by_one_stay_so_in_a_small_step(monkeypatch):
    monkeypatch.setattr(plan, "SMALL_BYTES", ALL)
    build = Builder(5, "float32")
    accumulated(build)
    assert len(Program(build).plan.phases(5, 1)) > 1


def workers_of(program, batch):
    """On how many threads the phases of a step are planned for two, and whether a kernel has both for itself."""
    phases = list(program.plan.tasks(batch, 2))
    return max(len(tasks) for tasks, _ in phases), any(alone for _, alone in phases)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("batch", [1, 2, 5, 16, 37])
@pytest.mark.parametrize("least", [0.0, 100.0, 2_000.0, 8_000.0, 30_000.0, 1e9])
def test_a_step_that_has_too_little_work_is_planned_for_no_threads(net, batch, least, monkeypatch):
    for name in ("fastnn.engine.plan.PARALLEL_FROM", "fastnn_kernels._tuning.PARALLEL_FROM"):
        monkeypatch.setattr(name, least)
    program = compiled(net).step.program
    pays = program.plan.pays_for_threads(batch)
    assert pays or workers_of(program, batch) == (1, False)
    assert pays == {0.0: True, 1e9: False}.get(least, pays)


@jit_only
@two_threads
def test_a_prediction_of_few_rows_is_planned_once():
    model = dense_model()
    model.predict(np.ones((2, model.network.input_shape[0])))
    assert list(model._runner("predict").step.program._tables) == [(2, 1)]
