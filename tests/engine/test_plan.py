"""Memory layout, and programs: rows that run as a compiled table or as a Python loop."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.data.source import Chunk
from fastnn.engine import program as program_module
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Arena, Buffer, padded
from fastnn.engine.parameters import Block
from fastnn.engine.program import Program
from fastnn.engine.table import Table
from fastnn.nn.optimizers import SGD
from fastnn.training.compile import compile_train
from fastnn.training.runner import Runner
from tests.tiny import jit_only, python, tiny_model, trigrams

SHAPES = {"table.w": (5, 3), "b": (17,), "scalar": (), "filters": (2, 3, 4), "row": (1, 16)}
DTYPES = ("float32", "float64")


@pytest.mark.parametrize(("dtype", "lane"), [("float32", 16), ("float64", 8), ("uint8", 64)])
def test_rows_are_padded_to_cache_lines(dtype, lane):
    assert [padded(n, dtype) for n in (0, 1, lane, lane + 1)] == [0, lane, lane, 2 * lane]


@pytest.mark.parametrize("dtype", DTYPES)
class TestBlock:
    def test_arrays_have_their_shapes_and_start_on_cache_lines(self, dtype):
        block = Block(SHAPES, dtype)
        assert {name: array.shape for name, array in block.items()} == SHAPES
        assert list(block) == list(SHAPES)
        assert len(block) == len(SHAPES)
        assert all(array.ctypes.data % 64 == 0 for array in block.values())
        assert all(array.strides[-2] % 64 == 0 for array in block.values() if array.ndim > 1)

    def test_arrays_are_views_of_flat_and_share_nothing_with_each_other(self, dtype):
        block = Block(SHAPES, dtype)
        for number, array in enumerate(block.values(), 1):
            array[...] = number
        for number, (name, array) in enumerate(block.items(), 1):
            assert (array == number).all(), name
        sizes = {number: array.size for number, array in enumerate(block.values(), 1)}
        assert {number: (block.flat == number).sum() for number in sizes} == sizes
        assert (block.flat == 0).sum() == block.flat.size - sum(sizes.values()), "padding is not 0"

    def test_buffers_are_the_same_memory_with_padding(self, dtype):
        block = Block(SHAPES, dtype)
        block["table.w"][...] = 1
        block["filters"][...] = np.arange(24).reshape(2, 3, 4)
        assert block.buffers["table.w"].shape == (5, padded(3, dtype))
        assert block.buffers["table.w"].sum() == 15
        assert block.buffers["filters"].shape == (6, padded(4, dtype))
        assert np.array_equal(block.buffers["filters"][:, :4], np.arange(24).reshape(6, 4))
        assert all(buffer.flags.c_contiguous for buffer in block.buffers.values())

    def test_like_is_zeroed_and_laid_out_alike(self, dtype):
        block = Block(SHAPES, dtype)
        block.flat[...] = 1
        other = block.like()
        assert not other.flat.any()
        assert other.flat.shape == block.flat.shape
        assert {name: array.shape for name, array in other.items()} == SHAPES

    def test_copy_is_independent(self, dtype):
        block = Block(SHAPES, dtype)
        copied = block.copy()
        block["b"][...] = 1
        assert not copied["b"].any()

    @pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda block: pickle.loads(pickle.dumps(block))])
    def test_a_copied_block_is_still_one_block(self, dtype, again):
        block = Block(SHAPES, dtype)
        block["b"][...] = 3
        other = again(block)
        other.flat[...] += 1
        assert (other["b"] == 4).all()
        assert (other.buffers["b"][:17] == 4).all()
        assert (block["b"] == 3).all()

    @pytest.mark.parametrize("name", list(SHAPES))
    def test_assigning_cleans_the_padding(self, dtype, name):
        block = Block(SHAPES, dtype)
        block.buffers[name][...] = np.nan
        block.assign(name, np.ones(SHAPES[name]))
        assert (block[name] == 1).all()
        assert block.flat.sum() == block[name].size
        block.assign(name, block[name])  # of its own memory
        assert (block[name] == 1).all()

    def test_empty(self, dtype):
        assert Block({}, dtype).flat.size == 0
        assert Block({"none": (0, 3)}, dtype)["none"].shape == (0, 3)


def test_arena_places_every_buffer_on_lines_of_its_own():
    buffers = [
        Buffer(name, shape, np.dtype(dtype))
        for name, shape, dtype in [
            ("a", (3, 16), "f4"),
            ("b", (), "f8"),
            ("c", (5,), "u1"),
            ("d", (0,), "f4"),
            ("e", (2,), "i8"),
        ]
    ]
    arena = Arena(buffers)
    assert arena.nbytes == 192 + 64 + 64 + 0 + 64
    for number, buffer in enumerate(buffers, 1):
        assert arena[buffer].shape == buffer.shape
        assert arena[buffer].dtype == buffer.dtype
        assert arena[buffer].ctypes.data % 64 == 0
        assert not arena[buffer].any()
        arena[buffer][...] = number
    assert all((arena[buffer] == number).all() for number, buffer in enumerate(buffers, 1))


def test_buffers_of_one_name_are_different_buffers():
    one, other = (Buffer("dx", (2,), np.dtype("f4")) for _ in range(2))
    arena = Arena([one, other])
    arena[one][...] = 1
    assert not arena[other].any()


def test_values_are_padded_unless_their_dtype_is_their_own():
    build = Builder(4, "float32")
    assert build.value("x", (3, 5)).buffer.shape == (4, 16)
    assert build.value("ids", (3,), np.int32).buffer.shape == (4, 3)
    assert build.value("x", (3, 5)).reshaped((15,)).width == 15
    assert build.scratch("t", 3, 17).shape == (3, 32)


def shift_and_step():
    """A program of three kernels: indices, their rows gathered, a bias added; and its buffers."""
    build = Builder(4, "float32")
    source = Buffer("source", (), np.dtype("float32"))
    indices = build.array("indices", (4,), np.int64, batched=True)
    cursor = build.cursor
    out = build.value("out", (3,)).buffer
    bias = np.arange(16, dtype=np.float32)
    build.emit(k.sequential_indices, indices, cursor)
    build.emit(k.gather_rows, out, source, indices)
    build.emit(k.bias_forward, out, bias)
    build.emit(k.advance_cursor, cursor, indices)
    return Program(build, (source,)), source, out, cursor


class TestProgram:
    x = np.arange(60, dtype=np.float32).reshape(20, 3) / 7

    def test_rows_run_in_order_as_often_as_asked(self):
        program, source, out, cursor = shift_and_step()
        program.bind({source: self.x})
        program.run(3)
        assert program[cursor].tolist() == [12, 3, 3, 0]
        assert np.array_equal(program[out][:, :3], self.x[8:12] + np.arange(3, dtype=np.float32))

    def test_table_and_python_loop_agree(self, monkeypatch):
        table, source, out, cursor = shift_and_step()
        table.bind({source: self.x})
        table.run(2)
        loop, source, out_of_loop, cursor_of_loop = shift_and_step()
        loop.bind({source: self.x})
        monkeypatch.setattr(program_module, "JIT", False)
        loop.run(2)
        assert np.array_equal(table[out], loop[out_of_loop])
        assert np.array_equal(table[cursor], loop[cursor_of_loop])

    def test_a_short_batch_uses_the_first_rows_only(self):
        program, source, out, cursor = shift_and_step()
        program.bind({source: self.x})
        program[out][...] = -1
        program.run(1, batch=3)
        assert program[cursor].tolist() == [3, 1, 1, 0]
        assert np.array_equal(program[out][:3, :3], self.x[:3] + np.arange(3, dtype=np.float32))
        assert (program[out][3] == -1).all()

    def test_bind_takes_another_array(self):
        program, source, out, _ = shift_and_step()
        program.bind({source: self.x})
        program.run(1)
        program.bind({source: self.x + 1})
        program.run(1)
        assert np.array_equal(program[out][:, :3], self.x[4:8] + 1 + np.arange(3, dtype=np.float32))

    @jit_only
    def test_binding_the_same_memory_again_encodes_nothing(self, monkeypatch):
        renewed, renew = [], Table.renew
        monkeypatch.setattr(Table, "renew", lambda self, operands: renewed.append(self) or renew(self, operands))
        program, source, _, _ = shift_and_step()
        for x in (self.x, self.x.reshape(20, 3), self.x[:18], self.x[:18]):
            program.bind({source: x})
            program.run(1)
        assert len(renewed) == 1

    @jit_only
    def test_a_strided_array_is_refused(self):
        program, source, _, _ = shift_and_step()
        program.bind({source: self.x[::2]})
        with pytest.raises(ValueError, match="C-contiguous"):
            program.run(1)


def trained_once(batch=8):
    model = tiny_model()
    runner = Runner(compile_train(model.network, model.state, batch, SGD(0.1, momentum=0.5)))
    runner.start(Chunk(*trigrams(100_000 if batch == 8 else 400)))
    runner.advance(1, opt_scalars)
    return model, runner


def opt_scalars(steps):
    return np.tile([0.1, 0.5], (steps, 1))


def run(runner, steps):
    """A call of `steps` steps, as `advance` makes it, whatever time they take."""
    runner.step.program[runner.step.inputs.cursor][2] = 0
    runner.step.program.run(steps)


@jit_only
def test_training_steps_allocate_no_python_memory():
    _, runner = trained_once()
    run(runner, 10)
    tracemalloc.start()
    try:
        peaks = []
        for steps in (1, 1000):
            run(runner, steps)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            run(runner, steps)
            now, peak = tracemalloc.get_traced_memory()
            peaks.append(peak - before)
            assert now - before < 1024
    finally:
        tracemalloc.stop()
    assert peaks[1] <= peaks[0] + 1024, "memory grows with the number of steps"
    assert peaks[1] < 4096


@jit_only
def test_training_steps_allocate_no_memory_inside_kernels():
    code = """
from numba.core.runtime import rtsys
from fastnn_kernels import _tuning
from tests.engine.test_plan import trained_once
for threshold in (_tuning.PARALLEL_FROM, 300.0):  # serial, then some parallel twins
    _tuning.PARALLEL_FROM = threshold
    model, runner = trained_once()
    runner.step.program.run(1)
    for steps in (1, 100):
        before = rtsys.get_allocation_stats()
        runner.step.program.run(steps)
        after = rtsys.get_allocation_stats()
        print(after.alloc - before.alloc, after.mi_alloc - before.mi_alloc)
"""
    # One for a call, in which Numba takes the table as an argument; none for a step.
    assert python(code, NUMBA_NRT_STATS="1").split() == ["1"] * 8


STEPS = """
import fastnn as fn
from tests.tiny import fit, tiny_model
model = fit(tiny_model(dtype="float64"), count=20, batch_size=8)
print(*[value.hex() for value in model.parameters["dense.w"].ravel()], *[v.hex() for v in model.history.steps["loss"]])
"""


@jit_only
def test_with_jit_off_the_same_steps_are_taken():
    on, off = ([float.fromhex(value) for value in python(STEPS, NUMBA_DISABLE_JIT=flag).split()] for flag in "01")
    # Not the same bits: only compiled code fuses multiply and add.
    np.testing.assert_allclose(on, off, rtol=1e-12, atol=1e-14)
