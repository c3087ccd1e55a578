"""Clocks within a step: each operation has one, and the step computes what it computed without them."""

import numpy as np
import pytest

import fastnn as fn
from bench import operations, systems
from fastnn_kernels._jit import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="without JIT there is no table whose operations could be timed")


@pytest.mark.parametrize("threads", [1, 2])
def test_each_operation_of_a_step_has_a_clock_that_runs(threads):
    with fn.threads(threads):
        clocks = operations.measured(systems.TRIGRAM, seconds=0.01)
    rows = clocks.rows.values()
    assert clocks.workers <= threads
    assert clocks.steps > 0
    assert {"matmul", "sigmoid_forward", "softmax_cross_entropy", "momentum_update"} <= {row.kernel for row in rows}
    assert all(row.nanoseconds(reading=0) > 0 for row in rows)
    assert all(row.calls % clocks.steps == 0 for row in rows)  # as many slices in each step


def test_a_step_with_clocks_computes_the_same():
    with fn.threads(1):
        _, _, run = systems.fastnn_step(systems.TRIGRAM)
        want = run(20)
        _, step, run = systems.fastnn_step(systems.TRIGRAM)
        operations.Clocks(step.program, systems.TRIGRAM.batch, 1)
        np.testing.assert_array_equal(run(20), want)


def test_a_line_tells_microseconds_of_a_step():
    row = operations.Timed(2, "dense", "matmul", [np.array([60_000, 20]), np.array([44_000, 20])])
    clocks = type("Clocks", (), {"rows": {0: row}, "steps": 10, "workers": 2})
    _, line, total = operations.lines(clocks, reading=100.0)
    assert line.split() == ["2", "10.00", "100.0", "%", "4.0", "dense", "matmul"]  # (104,000 - 40 * 100) / 10 ns
    assert total.split()[:3] == ["10.00", "of", "2"]


def test_systems_are_found_by_name_and_nets_by_a_word():
    assert operations.named("trigram") is systems.TRIGRAM
    assert "ResNet" in operations.named("resnet").id
    with pytest.raises(Exception, match="there are trigram; moons"):
        operations.named("no such system")
