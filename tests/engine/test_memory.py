"""Memory layout: padded rows, and buffers on cache lines of their own."""

import mmap
import sys

import numpy as np
import pytest

from fastnn.engine import memory
from fastnn.engine.memory import Arena, Buffer, padded, row_length


@pytest.mark.parametrize(("dtype", "lane"), [("float32", 16), ("float64", 8), ("uint8", 64)])
def test_rows_are_padded_to_cache_lines(dtype, lane):
    assert [padded(n, dtype) for n in (0, 1, lane, lane + 1)] == [0, lane, lane, 2 * lane]


@pytest.mark.parametrize(("dtype", "page"), [("float32", 1024), ("float64", 512)])
def test_rows_never_lie_whole_pages_apart(dtype, page):
    line = 64 // np.dtype(dtype).itemsize
    for columns, want in (
        (0, 0),
        (1, line),
        (page, page + line),
        (2 * page - 1, 2 * page + line),
        (page + 1, page + line),
    ):
        assert row_length(columns, dtype) == want


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux gives such pages back as zeros")
def test_values_of_a_batch_are_given_back_and_nothing_else_is():
    many = memory.LARGE // 4
    shapes = {"values": (2, many), "kept": (1, many), "few": (1, 5), "weight": (1, many)}
    buffers = {name: Buffer(name, shape, np.dtype("f4"), name != "weight") for name, shape in shapes.items()}
    arena = Arena(list(buffers.values()))
    for buffer in buffers.values():
        arena[buffer][:] = 7
    arena.give_back({buffers["kept"]})
    values = arena[buffers["values"]].reshape(-1)
    page = mmap.PAGESIZE // 4
    assert not values[page:-page].any()
    assert all((arena[buffers[name]] == 7).all() for name in ("kept", "few", "weight"))
    values[:] = 3
    assert (arena[buffers["values"]] == 3).all()


def test_small_pages_change_no_number():
    for size in (100, memory.LARGE + 100):
        array = memory.aligned_bytes(size)
        array[:] = 7
        memory.take_small_pages(array)
        assert (array == 7).all()
