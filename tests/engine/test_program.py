"""Programs: operations that run as a compiled table or as a Python loop."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine import program as program_module
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.program import Program
from fastnn.engine.table import Table
from tests.tiny import jit_only


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
