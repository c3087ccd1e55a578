"""The level of each operation: as early as the memory that it shares with others allows."""

import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.engine import schedule
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Axis, Columns, Op, Slice, array_of, cut_of
from fastnn.engine.program import Program
from fastnn.engine.regions import Regions
from fastnn.training.steps.compile import compile_evaluate, compile_predict, compile_train
from tests.engine.conflicts import conflicts
from tests.stacks import random_stack
from tests.tiny import THREADS


def along_one_axis(op, before):
    """What the scheduler once took for enough."""
    return op.axis is before.axis


def cut_alike(op, before):
    """Whether a slice of `op` needs only what the same slice of `before` did."""
    return op.axis is before.axis and (
        op.axis is None
        or all(
            array_of(a) is array_of(b) and cut_of(a, op.axis) == cut_of(b, op.axis) is not None
            for a, b in conflicts(op, before)
        )
    )


def pairwise_levels(ops, alone, together):
    """The phase of each op, found by comparing it with every earlier one."""
    levels = []
    for i, op in enumerate(ops):
        after = [0]
        for j, before in enumerate(ops[:i]):
            if any(True for _ in conflicts(op, before)):
                after.append(levels[j] + (i in alone or j in alone or not together(op, before)))
        levels.append(max(after))
    return levels


def levels_of(ops, alone):
    """The same, from the scheduler: a op that is alone in a phase of its own counts with its level."""
    memory = Regions(ops)
    return [memory.level_of(memory.uses_of([op], i in alone)) for i, op in enumerate(ops)]


@pytest.mark.parametrize("seed", range(40))
def test_stacks_of_layers_keep_the_phases_of_the_rule_by_axis_alone(seed):
    """All layers cut what they share alike, so checking it costs no barrier: several hundred programs."""
    draw = np.random.default_rng(seed)
    layers, shape = random_stack(draw)
    network = fn.Sequential(layers, input_shape=shape, l1=0.1 * (seed % 2), seed=seed).network
    state = network.initial_state(np.float32, seed)
    for optimizer, batch in ((None, 5), (fn.SGD(0.1, momentum=0.9), 37), (fn.Adam(clip_norm=1.0), 300)):
        for step in (
            compile_train(network, state, batch, optimizer, fused=True, weighted=bool(seed % 3)),
            compile_evaluate(network, state, batch),
            compile_predict(network, state, batch, False),
        ):
            ops = step.program.ops
            alone = {i for i, op in enumerate(ops) if op.axis is None and draw.random() < 0.3}
            for these in (set(), alone):
                want = pairwise_levels(ops, these, along_one_axis)
                assert levels_of(ops, these) == want == pairwise_levels(ops, these, cut_alike)


def random_rows(draw, n=48):
    """Products of matrices, some cut along one of two axes, some whole, that read and write each other's arrays."""
    arrays = [np.asarray(draw.standard_normal((n, n)) / n, np.float32) for _ in range(5)]
    axes = (Axis(n, 16, 16), Axis(n, 16, 32))
    build = Builder(4, "float32")
    for _ in range(int(draw.integers(3, 12))):
        out, a, b = draw.permutation(5)[:3]
        axis = (None, *axes)[draw.integers(3)]
        if axis is None:
            build.ops.append(Op(k.matmul, (arrays[out], arrays[a], arrays[b]), "test"))
        elif draw.random() < 0.3:
            build.emit_along(axis, k.transpose, Columns(arrays[out]), Slice(arrays[a]), OFFSET)
        else:
            build.emit_along(axis, k.matmul, Slice(arrays[out]), Slice(arrays[a]), arrays[b])
    return build, arrays


@pytest.mark.parametrize("seed", range(60))
def test_operations_that_need_more_than_their_own_part_wait(seed):
    """Whatever ops read and write, phases on any number of threads give the bits of the ops one by one."""
    build, arrays = random_rows(np.random.default_rng(seed))
    assert levels_of(build.ops, set()) == pairwise_levels(build.ops, set(), cut_alike)
    start = [a.copy() for a in arrays]

    def run(threads):
        for a, b in zip(arrays, start, strict=True):
            a[...] = b
        program = Program(build)
        if threads:
            program.run(2, workers=threads)
        else:
            for _ in range(2):
                list(program.trace(4))
        return [a.copy() for a in arrays]

    want = run(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
        for threads in range(1, min(3, THREADS) + 1):
            np.testing.assert_array_equal(run(threads), want)


def test_an_operation_may_not_read_what_its_other_slices_write():
    a, x = np.ones((2, 32, 32), np.float32)
    build, axis = Builder(4, "float32"), Axis(32, 16, 16)
    build.emit_along(axis, k.matmul, Slice(a), Slice(x), a)
    with pytest.raises(ValueError, match=r"matmul of batch .* reads more than its own part"):
        schedule.phases(build.ops)


def test_a_deep_net_is_planned_in_linear_time():
    """Regions are looked at once for each use: the count is of uses, not of pairs of ops."""

    def looks(layers):
        network = fn.Sequential([fn.Dense(16, "relu")] * layers, input_shape=(16,)).network
        ops = compile_train(network, network.initial_state(np.float32, 0), 32, fn.SGD(0.1)).program.ops
        memory = Regions(ops)
        return sum(len(list(memory._uses(op, False))) for op in ops), len(ops)

    (few, ops), (many, more_rows) = looks(8), looks(64)
    assert many / more_rows < 1.1 * few / ops
