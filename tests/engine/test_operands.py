"""What operands stand for: of a batch, of one sample, of the slice that a task works on."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine.memory import Arena, Buffer
from fastnn.engine.operands import Operands
from fastnn.engine.ops import OFFSET, Axis, Columns, Op, Slice, Whole
from fastnn.engine.schedule import Chain, Task
from fastnn.engine.table import Entry

SAMPLES, SERIAL, ROWS = Axis(None, 1, 8), Axis(None, 1, 1, serial=True), Axis(6, 2, 4)
FLOAT = np.dtype(np.float32)
BATCHED, FIXED = Buffer("batched", (4, 16), FLOAT, batched=True), Buffer("fixed", (3, 16), FLOAT)
SOURCE, COUNT = Buffer("source", (), FLOAT), Buffer("count", (), FLOAT)


@pytest.fixture
def operands():
    arena = Arena([BATCHED, FIXED])
    for buffer in (BATCHED, FIXED):
        arena[buffer][...] = np.random.default_rng(0).normal(size=buffer.shape)
    made = Operands(arena, (SOURCE, COUNT), SAMPLES)
    made.arena = arena
    return made


def op(*given, axis=None):
    return Op(k.add_rows, given, "layer", axis)


def entry(axis, first, last, *given, own=None):
    one = op(*given, axis=axis)
    return Entry(one, Task(Chain(axis, [one]), first, last), False, own or {})


def is_view(got, want):
    return np.shares_memory(got, want) and got.shape == want.shape and np.array_equal(got, want)


def test_a_batch_takes_its_rows_and_everything_else_whole(operands):
    weight = np.ones((6, 5))
    batched, fixed, rows, number, offset = operands.whole(op(BATCHED, FIXED, Slice(weight), 7, OFFSET), 3)
    assert is_view(batched, operands.arena[BATCHED][:3])
    assert is_view(fixed, operands.arena[FIXED])
    assert (rows is weight, number, offset) == (True, 7, 0)
    assert operands.whole(op(Slice(weight, flat=True)), 3)[0].shape == (30,)


def test_a_task_along_the_samples_takes_theirs(operands):
    batched, fixed, offset = operands.of_entry(entry(SAMPLES, 1, 3, BATCHED, FIXED, OFFSET), 4)
    assert is_view(batched, operands.arena[BATCHED][1:3])
    assert is_view(fixed, operands.arena[FIXED])
    assert offset == 1


def test_a_task_along_a_parameter_takes_its_rows_of_slices_and_the_whole_batch(operands):
    weight, other = np.arange(30.0).reshape(6, 5), np.ones((5, 6))
    given = entry(ROWS, 2, 6, Slice(weight), Slice(weight, flat=True), Columns(other), BATCHED, OFFSET)
    rows, flat, columns, batched, offset = operands.of_entry(given, 3)
    assert is_view(rows, weight[2:6])
    assert flat.shape == (20,)
    assert columns is other
    assert is_view(batched, operands.arena[BATCHED][:3])
    assert offset == 2


def test_a_worker_that_has_memory_of_its_own_takes_that(operands):
    weight, mine = np.zeros((6, 5)), np.ones((4, 5))
    own = {(id(weight), 4): mine}
    assert operands.of_entry(entry(ROWS, 2, 6, Slice(weight), own=own), 3)[0] is mine
    assert is_view(operands.of_entry(entry(ROWS, 0, 2, Slice(weight), own=own), 3)[0], weight[:2])


def test_a_sample_of_a_serial_axis_may_get_the_rows_of_all(operands):
    for got in (
        operands.of_entry(entry(SERIAL, 2, 3, BATCHED, Whole(BATCHED), OFFSET), 3),
        operands.of_samples(op(BATCHED, Whole(BATCHED), OFFSET, axis=SERIAL), 2, 3, 3),
    ):
        assert is_view(got[0], operands.arena[BATCHED][2:3])
        assert is_view(got[1], operands.arena[BATCHED][:3])
        assert got[2] == 2


def test_inputs_stand_for_what_is_bound(operands):
    data = np.zeros((9, 2), np.float32)
    assert operands.is_input(SOURCE)
    assert not operands.is_input(BATCHED)
    assert not operands.are_bound
    assert operands.bind({SOURCE: data, COUNT: 9})
    assert operands.are_bound
    source, count = operands.whole(op(SOURCE, COUNT), 4)
    assert source is data is operands.bound(SOURCE)
    assert count == 9
    operands.unbind()
    assert operands.bound(SOURCE) is None


def test_binding_what_kernels_cannot_tell_apart_changes_nothing(operands):
    data = np.zeros((9, 2), np.float32)
    operands.bind({SOURCE: data, COUNT: 9})
    assert not operands.bind({SOURCE: data[:], COUNT: 9})
    for other in (data[1:], data.view(np.int32), data.copy()):
        assert operands.bind({SOURCE: other})
        assert operands.bind({SOURCE: data})
    assert operands.bind({COUNT: 8})


def test_all_inputs_must_be_bound(operands):
    assert not operands.are_bound
    operands.bind({SOURCE: np.ones(3, np.float32)})
    assert not operands.are_bound
    operands.bind({COUNT: 3})
    assert operands.are_bound
    operands.unbind()
    assert not operands.are_bound
