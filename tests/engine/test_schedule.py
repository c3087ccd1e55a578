"""Phases, slices and transient gradients: the bits are those of the operations run one by one."""

import itertools

import numpy as np
import pytest

import fastnn_kernels as k
from fastnn.engine import schedule
from fastnn.engine.builder import Builder
from fastnn.engine.ops import OFFSET, Axis, Columns, Slice
from fastnn.engine.program import Program
from fastnn_kernels import _tuning
from tests.engine.conflicts import conflicts
from tests.engine.nets import NETS, OPTIMIZERS, compiled, trained
from tests.tiny import THREADS, jit_only, two_threads


@jit_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_fused_or_not_on_any_threads_the_bits_are_those_of_operations_one_by_one(net, optimizer, monkeypatch):
    want = trained(net, optimizer, 1, False, one_by_one=True)
    monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)  # use threads even where it does not pay
    for fused, threads in itertools.product((False, True), (1, 2, 3)):
        if threads <= THREADS:
            got = trained(net, optimizer, threads, fused)
            np.testing.assert_array_equal(got, want, err_msg=f"fused {fused}, {threads} threads")


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("optimizer", ["adam", "clipped"])
@pytest.mark.parametrize("net", NETS)
def test_every_operation_comes_after_those_it_depends_on(net, optimizer, few, monkeypatch):
    monkeypatch.setattr("fastnn.nn.layers.dense.LARGE_WEIGHT", few)
    ops = compiled(net, optimizer).step.program.ops
    found = schedule.phases(ops, {i for i, op in enumerate(ops) if op.kernel.name.startswith("layer_norm")})
    position = {
        id(op): (p, g, i) for p, gs in enumerate(found) for g, one in enumerate(gs) for i, op in enumerate(one.ops)
    }
    assert sorted(position) == sorted(map(id, ops))
    for i, op in enumerate(ops):
        for before in ops[:i]:
            if any(True for _ in conflicts(op, before)):
                (phase, chain, order), (phase_0, group_0, order_0) = position[id(op)], position[id(before)]
                assert phase_0 < phase or ((phase_0, group_0) == (phase, chain) and order_0 < order)


def test_a_product_that_needs_every_row_of_another_is_right():
    """Both are cut along one axis; the second reads all that the first writes slice by slice."""
    n = 96
    x, y = np.random.default_rng(0).normal(size=(2, n, n)).astype(np.float32)
    a, b = np.zeros((2, n, n), np.float32)
    build, axis = Builder(4, "float32"), Axis(n, 16, 48)
    build.emit_along(axis, k.matmul, Slice(a), Slice(x), y)
    build.emit_along(axis, k.matmul, Slice(b), Slice(x), a)
    assert len(schedule.phases(build.ops)) == 2
    Program(build).run(1)
    assert np.abs(b).max() > 100
    np.testing.assert_allclose(b, x @ (x @ y), rtol=1e-4, atol=1e-2)


def test_a_gradient_that_is_read_as_a_whole_is_stored_whole():
    """A worker keeps only its ops of a gradient in its own memory if nobody reads others."""
    n = 64
    x, dw, w = (np.ones((n, n), np.float32) for _ in range(3))
    rates = np.ones(1, np.float32)

    def used(*reads):
        build, axis = Builder(4, "float32"), Axis(n, 16, 48)
        build.emit_along(axis, k.matmul_xt, Slice(dw), x, x, OFFSET)
        for operands in reads:
            build.emit_along(axis, *operands)
        return schedule.sliced_in_one_chain([dw], schedule.phases(build.ops))

    def alone(*operands):
        build = Builder(4, "float32")
        build.emit_along(Axis(n, 16, 48), *operands)
        return schedule.sliced_in_one_chain([dw], schedule.phases(build.ops))

    assert alone(k.matmul_xt, Slice(dw), x, x, OFFSET) == [dw]
    assert alone(k.transpose, Columns(dw), Slice(w), OFFSET) == []
    assert alone(k.matmul, Slice(w), Slice(x), dw) == []
    assert alone(k.sgd_update, Slice(w, flat=True), Slice(dw[:], flat=True), rates) == []
    update = k.sgd_update, Slice(w, flat=True), Slice(dw, flat=True), rates
    assert used(update) == [dw]
    assert used(update, (k.matmul, Slice(w), Slice(x), dw)) == []
    assert used(update, (k.transpose, Columns(dw), Slice(w), OFFSET)) == []
    assert (
        used((k.sgd_update, Slice(w, flat=True), Slice(dw[:], flat=True), rates)) == []
    )  # the same memory, another array


def test_the_gradient_of_a_weight_that_its_layer_reads_late_is_not_stored(monkeypatch):
    """The input's gradient needs a whole transpose, the weight's does not; it waits all the same, for the update."""
    monkeypatch.setattr("fastnn.nn.layers.dense.LARGE_WEIGHT", 0)
    step = compiled("words", "adam").step
    phases = schedule.phases(step.program.ops)
    chains = [[op.kernel for op in chain.ops] for phase in phases for chain in phase]
    assert sum({k.matmul_xt_prefetch, k.matmul, k.adam_update} <= set(kernels) for kernels in chains) == 2
    sliced = set(map(id, schedule.sliced_in_one_chain(step.program.transient, phases)))
    assert {id(step.gradients.buffers[name]) for name in ("dense.w", "dense_1.w")} <= sliced


def test_a_step_of_the_trigram_net_needs_few_phases():
    assert len(schedule.phases(compiled("words", "momentum").step.program.ops)) <= 3


@pytest.mark.parametrize("seed", range(20))
def test_tasks_cover_each_axis_once(seed):
    draw = np.random.default_rng(seed)
    axes = [
        Axis(int(draw.integers(1, 300)), int(draw.choice([1, 16])), int(draw.choice([24, 48, 1000]))) for _ in range(4)
    ]
    chains = [schedule.Chain(axis) for axis in (*axes, Axis(None, 1, 50), None)]
    costs = draw.exponential(size=6).tolist()
    for workers in (1, 2, 5):
        tasks = schedule.tasks_of(chains, costs, 77, workers)
        assert len(tasks) == workers
        for chain in chains:
            taken = [
                i
                for of_worker in tasks
                for task in of_worker
                if task.chain is chain
                for i in range(task.first, task.last)
            ]
            size = 0 if chain.axis is None else chain.axis.size or 77
            assert sorted(taken) == list(range(size))
            assert chain.axis is None or all(
                j.first % chain.axis.step == 0 for s in tasks for j in s if j.chain is chain
            )
        assert sum(task.chain is chains[-1] for of_worker in tasks for task in of_worker) == 1


def test_each_worker_takes_one_part_of_a_batch_that_cannot_be_halved():
    """What is left of a share is no task of its own: a product would read all its weights for one sample."""
    tasks = schedule.tasks_of([schedule.Chain(Axis(None, 1, 128))], [1.0], 65, 2)
    assert [[(task.first, task.last) for task in own] for own in tasks] == [[(0, 32)], [(32, 65)]]


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=two_threads)])
def test_the_input_s_gradient_is_the_same_whatever_is_transposed(threads, monkeypatch):
    ends = []
    for few in (0, 10**9):
        monkeypatch.setattr("fastnn.nn.layers.dense.LARGE_WEIGHT", few)
        monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
        ends.append(trained("words", "momentum", threads, True))
        ends.append(trained("images", "adam", threads, False))
    np.testing.assert_array_equal(ends[0], ends[2])
    np.testing.assert_array_equal(ends[1], ends[3])


def accumulated(build, samples=5):
    """A batch whose rows are doubled at once, then added one by one to a total, which each row also keeps."""
    x = build.array("x", (samples, 16), batched=True)
    doubled, kept = build.array("doubled", (samples, 16), batched=True), build.array("kept", (samples, 16))
    total, late = build.array("total", (16,)), build.array("late", (16,))
    build.emit(k.relu_forward, doubled, x, 16)
    build.emit(k.bias_backward, late, doubled, 0)  # needs the whole batch: a later phase
    build.begin_one_by_one()
    build.emit(k.bias_forward, doubled, total)
    build.emit(k.bias_backward, total, doubled, 0)  # written as a whole, and read by the next sample
    build.emit_numbered(k.keep_steps, kept, doubled, np.full(1, -1, np.float32), OFFSET)
    build.emit(k.bias_forward, doubled, late)
    build.end_one_by_one()
    build.emit(k.bias_forward, doubled, late)
    return x, kept, doubled


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=[two_threads, jit_only])])
def test_samples_taken_one_by_one_see_what_earlier_ones_left(workers, monkeypatch):
    monkeypatch.setattr("fastnn.engine.plan.PARALLEL_FROM", 0.0)
    build = Builder(5, "float32")
    x, kept, doubled = accumulated(build)
    program, values = Program(build), np.arange(1, 81, dtype=np.float32).reshape(5, 16)
    program[x][:] = values
    program.run(1, 5, workers)
    np.testing.assert_array_equal(program[kept], np.cumsum(values, axis=0))
    np.testing.assert_array_equal(program[doubled], np.cumsum(values, axis=0) + 2 * values.sum(0))
    traced = Program(build)
    traced[x][:] = values
    list(traced.trace(5))
    np.testing.assert_array_equal(traced[doubled], program[doubled])


def test_operations_one_by_one_share_a_phase_which_no_two_threads_divide():
    build = Builder(5, "float32")
    accumulated(build)
    phases = schedule.phases(build.ops)
    serial = [(p, chain) for p, chains in enumerate(phases) for chain in chains if chain.axis and chain.axis.serial]
    assert [(p, len(chain.ops)) for p, chain in serial] == [(2, 4)]
    tasks = schedule.tasks_of([serial[0][1]], [1.0], 5, 2)
    assert [[(task.first, task.last) for task in own] for own in tasks] == [[], [(i, i + 1) for i in range(5)]]


@pytest.mark.parametrize(("after", "sharing"), [(1_000, 1), (300_000, 2)])
def test_a_short_phase_is_shared_where_a_long_one_brings_the_threads_together(after, sharing):
    """By itself it is not worth a parallel region; threads that are there would only wait for the one that takes it."""
    a, transposed = np.zeros((128, 256), np.float32), np.zeros((256, 128), np.float32)
    assert _tuning.SHARED_FROM < k.transpose.work(transposed, a) < _tuning.PARALLEL_FROM
    build = Builder(4, "float32")
    build.emit_along(Axis(128, 16, 16), k.transpose, Columns(transposed), Slice(a), OFFSET)
    w, dw = np.zeros((2, after), np.float32)
    build.emit_along(Axis(after, 16, after), k.sgd_update, Slice(w), Slice(dw), transposed[0])
    found = [tasks for tasks, _ in Program(build).plan.tasks(4, 2)]
    assert [sum(map(bool, of_workers)) for of_workers in found] == [sharing, sharing]
