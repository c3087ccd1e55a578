"""A table of entries does what its kernels do when they are called one by one."""

import json

import numpy as np
import pytest

from fastnn_kernels._compile import worker
from fastnn_kernels._compile.cache import cache_folder
from fastnn_kernels._jit import compiled, inline
from fastnn_kernels._run import driver
from fastnn_kernels._run.adapter import adapter, operand_type, operand_words
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import DTYPES, made, needs_jit


def entry_of(kernel, parallel, args):
    one = adapter(kernel, parallel, tuple(map(operand_type, args)))
    one.make()
    return [one.address, *(word for a in args for word in operand_words(a))]


def table(*entries):
    width = max(map(len, entries))
    return np.array([e + [0] * (width - len(e)) for e in entries], np.int64)


def copied(args):
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)


@needs_jit
@pytest.mark.parametrize("parallel", [False, True], ids=["serial", "parallel"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("matmul", "7x13x11"),
        ("softmax_cross_entropy", "7x31"),
        ("embedding_backward", "7x2x2x16"),
        ("sgd_update", "17"),
    ],
)
def test_an_entry_does_what_the_twin_does(name, shape, dtype, parallel):
    spec, args = made(name, dtype, shape)
    want, given = spec.run(spec.kernel.twin(parallel), args), copied(args)
    driver.run(table(entry_of(spec.kernel, parallel, given)), 1)
    for got, w in zip(given, want, strict=False):
        np.testing.assert_array_equal(got, w)
    for got, before in zip(given[spec.outputs :], args[spec.outputs :], strict=True):
        np.testing.assert_array_equal(got, before)


@needs_jit
def test_entries_run_in_order_as_often_as_asked():
    bias, update = REGISTRY["bias_forward"].kernel, REGISTRY["sgd_update"].kernel
    out, b, w, scalars = np.zeros((2, 4)), np.ones(4), np.zeros(4), np.array([1.0])
    calls = (bias, (out, b)), (update, (w, b, scalars)), (update, (b, b, np.array([-1.0])))
    driver.run(table(*(entry_of(kernel, False, args) for kernel, args in calls)), 3)
    # b doubles at the end of each step: 1, 2, 4 were added to out and taken from w
    assert out.tolist() == [[7] * 4] * 2
    assert w.tolist() == [-7] * 4
    assert b.tolist() == [8] * 4


@needs_jit
def test_no_entries_and_no_steps():
    out, b = np.zeros((2, 4)), np.ones(4)
    full = table(entry_of(REGISTRY["bias_forward"].kernel, False, (out, b)))
    driver.run(full, 0)
    driver.run(full[:0], 5)
    assert not out.any()


@needs_jit
def test_one_adapter_for_each_kernel_twin_and_operand_types():
    kernel, kinds = REGISTRY["matmul"].kernel, tuple(operand_type(np.zeros((2, 2))) for _ in range(3))
    serial, parallel = adapter(kernel, False, kinds), adapter(kernel, True, kinds)
    assert adapter(kernel, False, kinds) is serial
    serial.make()
    parallel.make()
    assert 0 != serial.address != parallel.address != 0


@needs_jit
def test_a_helper_can_be_called_from_python_after_it_was_compiled():
    """It has no wrapper for Python: a call of the compiled code would end the process."""
    helper = inline(lambda x: x + x)

    def run(out):
        out[0] = helper(out[0])

    out = np.ones(1, np.float32)
    compiled(run, cached=False)(out)
    assert (out[0], helper(3), helper("a")) == (2, 6, "aa")


def test_operands_become_words():
    a = np.zeros((3, 4), np.float32)
    assert operand_words(a) == [a.ctypes.data, 3, 4]
    assert operand_words(np.int64(5)) == [5]


@pytest.mark.parametrize("operand", [np.zeros((3, 4)).T, np.zeros((3, 4))[:, 1:], np.zeros(6)[::2], np.zeros(6)[::-1]])
def test_strided_operands_are_refused(operand):
    with pytest.raises(ValueError, match="C-contiguous arrays, got strides"):
        operand_words(operand)


@needs_jit
@pytest.mark.parametrize("name", ["run", "run_phases"])
def test_a_loop_that_is_made_is_not_compiled_again(name):
    loop, words = driver.Loop(name), table([0, 0])
    loop.make()
    assert loop.address
    assert loop.on_disk() == (cache_folder() is not None)
    before = list(getattr(driver, name).overloads)
    others = () if name == "run" else (np.array([[0, 0, 0]]), 0, np.zeros(0, np.int64))
    getattr(driver, name)(words[:0], *(others or (0,)))
    loop(words[:0], *(others or (0,)))
    assert list(getattr(driver, name).overloads) == before
    again = worker._job(json.loads(json.dumps(loop.description())))
    assert (type(again), again.name) == (driver.Loop, name)
