"""What layers emit on: values, scratch memory, and operations that say what they write."""

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.ops import Axis, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.program import Program


def test_values_are_padded_unless_their_dtype_is_their_own():
    build = Builder(4, "float32")
    assert build.value("x", (3, 5)).buffer.shape == (4, 16)
    assert build.value("ids", (3,), np.int32).buffer.shape == (4, 3)
    assert build.value("x", (3, 5)).reshaped((15,)).width == 15
    assert build.scratch("t", 3, 17).shape == (3, 32)


def test_a_matrix_that_one_chain_passes_on_is_one_of_those_that_workers_keep_in_parts():
    build = Builder(4, "float32")
    matrix = build.passing_matrix(3, 17)
    assert (matrix.shape, matrix.dtype) == ((3, 32), np.float32)
    assert any(one is matrix for one in Program(build, ()).transient)


def test_an_operation_that_is_cut_says_which_part_it_takes():
    build, a = Builder(4, "float32"), np.ones((16, 16), np.float32)
    with pytest.raises(ValueError, match="matmul of batch is cut along an axis, but out is a whole array"):
        build.emit_along(Axis(16, 16, 16), k.matmul, a, Slice(a), a)
    with pytest.raises(ValueError, match="but out is a whole array"):
        build.emit(k.matmul, a, a, a)  # along the samples, which an array from outside does not have
    with pytest.raises(ValueError, match="but x is a whole array"):  # its rows would be those of another slice
        build.emit_along(Axis(16, 16, 16), k.matmul, Slice(a), a, a)
    with pytest.raises(ValueError, match="matmul_xt of batch is cut along an axis; expected OFFSET"):
        build.emit_along(Axis(16, 16, 16), k.matmul_xt, Slice(a), a, a)  # each slice would be that of the first rows


@pytest.mark.parametrize(("batch", "grain"), [(32, 48), (1024, 48), (1025, 300), (4096, 300)])
def test_a_gradient_is_summed_in_slices_that_stay_in_the_cache_unless_the_batch_does_not(batch, grain):
    """300 rows of 512 bytes: 64 of them are 32 KiB, of which whole tiles are 48; a batch fits up to 512 KiB."""
    build = Builder(batch, "float32")
    axis = build.axis_of(ParameterView("dense.w", np.zeros((300, 128), np.float32)))
    assert (axis.size, axis.step, axis.grain) == (300, 16, grain)
    assert build.axis_of(ParameterView("dense.b", np.zeros(128, np.float32))).grain == 128


def test_an_axis_is_a_parameter_s_own_until_it_is_cut_with_another():
    build = Builder(4, "float32")
    w, b = (ParameterView(name, np.zeros(shape, np.float32)) for name, shape in (("w", (32, 16)), ("b", (32,))))
    assert build.cut_axis(w) is None
    axis = build.axis_of(w)
    assert build.axis_of(w) is build.cut_axis(w) is axis
    build.cut_with(b, axis)
    assert build.axis_of(b) is axis
