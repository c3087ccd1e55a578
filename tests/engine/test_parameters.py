"""All parameters of a model in one block of memory."""

import copy
import pickle

import numpy as np
import pytest

from fastnn.common.errors import DataError, ShapeError
from fastnn.engine.memory import padded
from fastnn.engine.parameters import NamedArrays

SHAPES = {"table.w": (5, 3), "b": (17,), "scalar": (), "filters": (2, 3, 4), "row": (1, 16)}
DTYPES = ("float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
class TestBlock:
    def test_arrays_have_their_shapes_and_start_on_cache_lines(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        assert {name: array.shape for name, array in block.items()} == SHAPES
        assert list(block) == list(SHAPES)
        assert len(block) == len(SHAPES)
        assert all(array.ctypes.data % 64 == 0 for array in block.values())
        assert all(array.strides[-2] % 64 == 0 for array in block.values() if array.ndim > 1)

    def test_arrays_are_views_of_flat_and_share_nothing_with_each_other(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        for number, array in enumerate(block.values(), 1):
            array[...] = number
        for number, (name, array) in enumerate(block.items(), 1):
            assert (array == number).all(), name
        sizes = {number: array.size for number, array in enumerate(block.values(), 1)}
        assert {number: (block.flat == number).sum() for number in sizes} == sizes
        assert (block.flat == 0).sum() == block.flat.size - sum(sizes.values()), "padding is not 0"

    def test_buffers_are_the_same_memory_with_padding(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        block["table.w"][...] = 1
        block["filters"][...] = np.arange(24).reshape(2, 3, 4)
        assert block.buffers["table.w"].shape == (5, padded(3, dtype))
        assert block.buffers["table.w"].sum() == 15
        assert block.buffers["filters"].shape == (6, padded(4, dtype))
        assert np.array_equal(block.buffers["filters"][:, :4], np.arange(24).reshape(6, 4))
        assert all(buffer.flags.c_contiguous for buffer in block.buffers.values())

    def test_like_is_zeroed_and_laid_out_alike(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        block.flat[...] = 1
        other = block.like()
        assert not other.flat.any()
        assert other.flat.shape == block.flat.shape
        assert {name: array.shape for name, array in other.items()} == SHAPES

    def test_copy_is_independent(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        copied = block.copy()
        block["b"][...] = 1
        assert not copied["b"].any()

    @pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda block: pickle.loads(pickle.dumps(block))])
    def test_a_copied_block_is_still_one_block(self, dtype, again):
        block = NamedArrays(SHAPES, dtype)
        block["b"][...] = 3
        other = again(block)
        other.flat[...] += 1
        assert (other["b"] == 4).all()
        assert (other.buffers["b"][:17] == 4).all()
        assert (block["b"] == 3).all()

    @pytest.mark.parametrize("name", list(SHAPES))
    def test_assigning_cleans_the_padding(self, dtype, name):
        block = NamedArrays(SHAPES, dtype)
        block.buffers[name][...] = np.nan
        block.assign(name, np.ones(SHAPES[name]))
        assert (block[name] == 1).all()
        assert block.flat.sum() == block[name].size
        block.assign(name, block[name])  # of its own memory
        assert (block[name] == 1).all()

    def test_empty(self, dtype):
        assert NamedArrays({}, dtype).flat.size == 0
        assert NamedArrays({"none": (0, 3)}, dtype)["none"].shape == (0, 3)


@pytest.mark.parametrize("dtype", DTYPES)
class TestAssignment:
    def test_numbers_change_in_place(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        for name in SHAPES:
            view = block[name]
            block[name] += 3
            block[name] *= 0.5
            block[name] -= np.ones(SHAPES[name])
            assert (view == 0.5).all()
        assert block.flat.sum() == 0.5 * sum(array.size for array in block.values()), "the padding is not 0"

    @pytest.mark.parametrize("name", list(SHAPES))
    def test_an_array_of_the_shape_is_copied(self, name, dtype):
        block = NamedArrays(SHAPES, dtype)
        view, given = block[name], np.arange(np.prod(SHAPES[name], dtype=int)).reshape(SHAPES[name])
        block[name] = given
        given += 1
        assert np.array_equal(view, given - 1)
        block[name] = given.tolist()
        assert np.array_equal(view, given)
        block[name] = block[name][...]
        assert np.array_equal(view, given)

    def test_what_does_not_fit_is_refused(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        block.flat[...] = 0
        for value, error, message in (
            (np.ones((3, 5)), ShapeError, r"table.w has shape \(3, 5\), expected \(5, 3\)"),
            (0.5, ShapeError, r"table.w has shape \(\), expected \(5, 3\)"),
            (np.full((5, 3), np.nan), DataError, r"table.w\[0, 0\] is nan, expected finite"),
            ([["a"] * 3] * 5, TypeError, "table.w has dtype <U1, expected numbers"),
        ):
            with pytest.raises(error, match=message):
                block["table.w"] = value
        assert not block.flat.any()

    def test_unknown_names(self, dtype):
        block = NamedArrays(SHAPES, dtype)
        for use in (lambda: block["table.x"], lambda: block.__setitem__("table.x", np.ones((5, 3)))):
            with pytest.raises(KeyError, match=r"no array 'table.x'; did you mean table.w\?"):
                use()
        assert "table.x" not in block
        assert block.get("table.x") is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_assigned_must_be_numbers(dtype):
    block = NamedArrays(SHAPES, dtype)
    with pytest.raises(TypeError, match="b has dtype <U1, expected numbers"):
        block.assign("b", np.full(17, "1"))
    with pytest.raises(TypeError, match="b has dtype complex128, expected"):
        block.assign("b", np.full(17, 1j))
    assert not block.flat.any()


def test_a_number_beyond_float32_is_refused():
    block = NamedArrays(SHAPES, "float32")
    with pytest.raises(DataError, match=r"b\[0\] is 1e\+39, expected at most 3.4"):
        block["b"] = np.full(17, 1e39)
    block = NamedArrays(SHAPES, "float64")
    block["b"] = np.full(17, 1e39)
    assert block["b"][0] == 1e39
