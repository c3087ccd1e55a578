"""The registry is complete, and the inputs of each spec can show an error."""

import inspect

import numpy as np
import pytest

import fastnn_kernels
from fastnn_kernels import _tuning, reference
from fastnn_kernels._jit import Kernel
from fastnn_kernels.registry import REGISTRY
from tests.kernels.cases import DTYPES, made, params

EXPORTED = {name: value for name, value in vars(fastnn_kernels).items() if isinstance(value, Kernel)}


def test_every_kernel_has_a_spec_and_every_spec_a_kernel():
    assert set(EXPORTED) == set(reference.__all__), "a kernel lacks its reference, or the other way round"
    names = {kernel.name for kernel in EXPORTED.values()}  # some kernels have a second, former name
    assert set(REGISTRY) == names, "a kernel lacks its spec in fastnn_kernels/registry"
    for name, spec in REGISTRY.items():
        assert spec.kernel is EXPORTED[name]
        assert spec.kernel.name == name
        assert spec.reference is getattr(reference, name)


@pytest.mark.parametrize("name", REGISTRY)
def test_a_whole_array_is_what_a_kernel_takes_if_it_is_not_told_where_its_slice_begins(name):
    offset = inspect.signature(REGISTRY[name].kernel.body).parameters.get("offset")
    assert offset is None or offset.default in (0, inspect.Parameter.empty)


@pytest.mark.parametrize("name", REGISTRY)
def test_reference_has_the_kernels_signature_and_a_formula(name):
    spec = REGISTRY[name]
    assert list(inspect.signature(spec.reference).parameters) == list(inspect.signature(spec.kernel.body).parameters)
    assert spec.reference.__doc__
    assert spec.kernel.__doc__


def test_reference_imports_no_kernel():
    for value in vars(reference).values():
        if inspect.ismodule(value):
            assert not any(isinstance(v, Kernel) for v in vars(value).values())
            imported = {m.__name__ for m in vars(value).values() if inspect.ismodule(m)}
            assert imported <= {"numpy"}, f"{value.__name__} imports {imported}"


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params(over_twins=False))
def test_buffers_are_aligned_padded_and_of_one_dtype(name, dtype, shape, twin):
    _, args = made(name, dtype, shape)
    for a in (a for a in args if isinstance(a, np.ndarray)):
        assert a.flags.c_contiguous
        assert a.flags.writeable
        assert a.dtype in (dtype, np.float64, np.int32, np.int64, np.uint16, np.uint32, np.uint64)
    if args[0].ndim == 2 and args[0].size:
        assert args[0].strides[0] % _tuning.ALIGNMENT == 0
        assert args[0].ctypes.data % _tuning.ALIGNMENT == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [n for n, spec in REGISTRY.items() if spec.kernel.work])
def test_threshold_sizes_lie_on_both_sides(name, dtype):
    work = REGISTRY[name].kernel.work
    costs = [work(*made(name, dtype, f"threshold{d}")[1]) for d in ("-1", "", "+1")]
    assert costs[0] < _tuning.PARALLEL_FROM <= costs[1] < costs[2]


@pytest.mark.parametrize(("name", "dtype", "shape", "twin"), params(over_twins=False, over_shapes=False))
def test_outputs_change_so_a_kernel_that_does_nothing_fails(name, dtype, shape, twin):
    spec, args = made(name, dtype, shape)
    assert any(not np.array_equal(w, a) for w, a in zip(spec.want(args), args[: spec.outputs], strict=True))


def test_scores_have_near_certain_rows_and_ties():
    _, args = made("softmax_cross_entropy", np.float64, "threshold")
    spec = REGISTRY["softmax_cross_entropy"]
    loss, correct, _ = spec.want(args)
    assert loss.min() < 1e-3
    assert loss.max() > 10
    assert 0.3 < correct.mean() < 0.9
    x, n = args[3], args[6]
    assert (np.sum(x[:, :n] == x[:, :n].max(axis=1, keepdims=True), axis=1) > 1).any()


def _is_read(spec, args, position, want):
    """Whether other numbers in an argument change what the kernel computes; whole numbers are taken to be read."""
    given = args[position]
    if not isinstance(given, np.ndarray) or given.dtype.kind != "f" or not given.size:
        return True
    other = [*args[:position], np.full_like(given, np.nan), *args[position + 1 :]]
    got = spec.run(spec.kernel.serial, tuple(other))
    return any(not np.array_equal(g, w, equal_nan=g.dtype.kind == "f") for g, w in zip(got, want, strict=True))


@pytest.mark.parametrize("name", REGISTRY)
def test_no_more_bytes_are_counted_than_are_read_or_written(name):
    """Else the kernel stands in the tables with a bandwidth that it does not have: relu_backward reads x or out."""
    spec = REGISTRY[name]
    shape = max((s for s in spec.shapes if "threshold" not in s), key=lambda s: np.prod([*_sizes(spec.shapes[s]), 1]))
    _, args = made(name, np.float64, shape)
    want = spec.run(spec.kernel.serial, args)
    moved = [a for i, a in enumerate(args) if i < spec.outputs or _is_read(spec, args, i, want)]
    assert spec.bytes(args) <= sum(a.nbytes for a in moved if isinstance(a, np.ndarray))


def _sizes(shape):
    return [size for size in shape if isinstance(size, int)] if isinstance(shape, tuple) else []
