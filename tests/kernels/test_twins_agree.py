"""The same bits serial and parallel, on any number of threads, and for a row alone or in a batch."""

import numba
import numpy as np
import pytest

from fastnn_kernels._jit import JIT
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import DTYPES, made, needs_jit, params
from tests.tiny import THREADS, two_threads

SHARED = params(over_twins=False, only=lambda spec: JIT and spec.kernel.work)


@pytest.fixture
def thread_count():
    """`numba.set_num_threads`, undone afterwards."""
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


def assert_same_bits(got, want):
    for g, w in zip(got, want, strict=True):
        if g.dtype != w.dtype or g.tobytes() != w.tobytes():
            np.testing.assert_array_equal(g.view(np.uint8), w.view(np.uint8))  # says where
            raise AssertionError(f"{g.dtype}, not {w.dtype}")


@needs_jit
@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), SHARED)
def test_parallel_twin_gives_the_bits_of_the_serial_one(name, dtype, shape, twin):
    spec, args = made(name, dtype, shape)
    assert spec.kernel.parallel is not spec.kernel.serial
    assert_same_bits(spec.run(spec.kernel.parallel, args), spec.run(spec.kernel.serial, args))


@needs_jit
@two_threads
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [n for n, spec in REGISTRY.items() if spec.kernel.work])
def test_any_number_of_threads_gives_the_same_bits(name, dtype, thread_count):
    spec, args = made(name, dtype, "threshold+1")
    want = spec.run(spec.kernel.serial, args)
    for threads in range(1, min(4, THREADS) + 1):
        thread_count(threads)
        for _ in range(3):  # a race need not show at once
            assert_same_bits(spec.run(spec.kernel.parallel, args), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_of_a_product_is_the_same_alone_and_in_a_batch(dtype):
    spec, args = made("matmul", dtype, "7x13x11")
    for twin in (spec.kernel.serial, spec.kernel.parallel):
        (whole,) = spec.run(twin, args)
        for rows in (slice(2, 3), slice(1, 5), slice(3, 7), slice(0, 6)):
            part = tuple(np.ascontiguousarray(a[rows]) for a in args[:2])
            assert_same_bits(spec.run(twin, (*part, args[2])), [whole[rows].copy()])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax_forward", "tanh_forward", "sigmoid_forward"])
def test_a_row_of_an_activation_is_the_same_alone_and_in_a_batch(name, dtype):
    spec, (out, x, n) = made(name, dtype, "7x31")
    (whole,) = spec.run(spec.kernel.serial, (out, x, n))
    for i in range(len(x)):
        alone = spec.run(spec.kernel.serial, (out[i : i + 1], x[i : i + 1], n))
        assert_same_bits(alone, [whole[i : i + 1]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_does_not_change_a_product(dtype):
    spec, (out, x, w) = made("matmul", dtype, "7x13x11")
    (padded,) = spec.run(spec.kernel.serial, (out, x, w))
    bare = [np.ascontiguousarray(a[:, :c]) for a, c in ((out, 11), (x, 13), (w, 11))]
    assert_same_bits(spec.run(spec.kernel.serial, tuple(bare)), [np.ascontiguousarray(padded[:, :11])])
