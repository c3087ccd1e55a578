"""The proof of races in small, and that it finds a race."""

import dataclasses

import numba
import numpy as np
import pytest
from numba import prange

from fastnn_kernels._jit import Kernel
from fastnn_kernels.registry import REGISTRY
from tests.proofs import races
from tests.tiny import THREADS, jit_only


@jit_only
@pytest.mark.parametrize("name", races.PARALLEL)
def test_random_shapes(name):
    assert races.races(name, 4, first_seed=0, most_threads=THREADS) == []


def shifted(out, x, n):
    for i in prange(x.shape[0]):
        for j in range(n):
            out[i, j] = x[i, j] + numba.get_thread_id()


def in_turn(out, x, n):
    for i in range(x.shape[0]):
        for j in prange(n):
            out[i, j] = x[i, j]


def never(out, x, n):
    for i in range(x.shape[0]):
        out[i, :n] = x[i, :n]


@jit_only
def test_a_kernel_that_depends_on_threads_is_found(monkeypatch):
    spec = REGISTRY["relu_forward"]
    serial = Kernel(shifted, lambda *args: 1.0, cached=False)
    serial.serial = lambda *args: spec.kernel.serial(*args)
    monkeypatch.setitem(REGISTRY, "relu_forward", dataclasses.replace(spec, kernel=serial))
    found = races.races("relu_forward", 3, first_seed=0, most_threads=1)
    assert len(found) == 3
    assert found[0].startswith("relu_forward float")
    assert found[0].endswith("seed 0")


@jit_only
def test_the_loops_that_numba_divides():
    x = np.ones((3, 4))
    for function, parallel in ((shifted, True), (in_turn, True), (never, False)):
        assert bool(races.loops(function)) == parallel
        assert races.loops(function) <= races.parallel_loops(function, (x.copy(), x, 4))


@jit_only
@pytest.mark.parametrize("name", ["accumulate"])
def test_every_prange_is_parallel(name):
    assert races.loops(REGISTRY[name].kernel.body)
    assert races.serial_loops(name) == []


@pytest.mark.parametrize("name", races.PARALLEL)
def test_a_kernel_with_a_parallel_version_has_a_prange(name):
    assert races.loops(REGISTRY[name].kernel.body)


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in races.PARALLEL])
def test_a_kernel_without_one_has_none(name):
    assert not races.loops(REGISTRY[name].kernel.body)
