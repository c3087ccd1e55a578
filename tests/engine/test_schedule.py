"""Phases, shares and transient gradients: the bits are those of the ops run one by one."""

import itertools

import numba
import numpy as np
import pytest

import fastnn as fn
import fastnn_kernels as k
from fastnn.data.source import Chunk
from fastnn.engine import schedule
from fastnn.engine.autotune import ThreadTuner
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Axis, Columns, Op, Slice, array_of, cut_of, is_array
from fastnn.engine.program import Program
from fastnn.engine.regions import Regions
from fastnn.training.compile import compile_evaluate, compile_predict, compile_train
from fastnn.training.runner import Runner
from tests.stacks import random_stack
from tests.tiny import jit_only

rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(90, 8, 9, 2)), rng.integers(0, 3, 90)
WORDS = rng.integers(0, 20, (90, 3)), rng.integers(0, 3, 90)
NETS = {
    "words": (lambda: [fn.Embedding(20, 5), fn.Flatten(), fn.Dense(70, "sigmoid"), fn.Dense(3)], WORDS),
    "images": (
        lambda: [
            *(
                fn.Conv2D(17, 3, "relu"),
                fn.BatchNorm(),
                fn.MaxPool2D(),
                fn.Conv2D(5, 3, "tanh", stride=2),
                fn.Flatten(),
            ),
            *(fn.Dropout(keep=0.7), fn.Dense(33, "elu", max_norm=1.0), fn.LayerNorm(), fn.Dense(3)),
        ],
        IMAGES,
    ),
}
OPTIMIZERS = {
    "momentum": lambda: fn.SGD(0.1, momentum=0.9),
    "nesterov": lambda: fn.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: fn.Adam(0.01),
    "adamw": lambda: fn.AdamW(0.01),
    "rmsprop": lambda: fn.RMSProp(0.01),
    "adagrad": lambda: fn.AdaGrad(0.1),
    "clipped": lambda: fn.SGD(0.1, clip_norm=0.5),
}


def trained(net, optimizer, threads, fused, one_by_one=False, steps=6):
    """The flat parameters after some steps of 37 samples."""
    layers, (x, y) = NETS[net]
    model = fn.Sequential(layers(), input_shape=x.shape[1:], l1=0.01, l2=0.02, seed=1)
    x, y = model.network.checked(x, y)
    opt = OPTIMIZERS[optimizer]()
    runner = Runner(compile_train(model.network, model.state, 37, opt, fused=fused))
    program, key = runner.step.program, np.arange(4, dtype=np.uint64)
    runner.start(Chunk(x, y), dropout_key=key)
    for step in range(steps):
        if runner.next_batch < 37:
            runner.start(Chunk(x, y), dropout_key=key)
        runner.set_up_call(37, opt.scalars(np.array([step])))
        if one_by_one:
            list(program.trace(37))
        else:
            program.run(1, 37, threads)
    return model.parameters.flat.copy()


@jit_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_fused_or_not_on_any_threads_the_bits_are_those_of_rows_one_by_one(net, optimizer, monkeypatch):
    want = trained(net, optimizer, 1, False, one_by_one=True)
    monkeypatch.setattr("fastnn.engine.program.PARALLEL_FROM", 0.0)  # share even what is not worth it
    for fused, threads in itertools.product((False, True), (1, 2, 3)):
        if threads <= numba.config.NUMBA_NUM_THREADS:
            got = trained(net, optimizer, threads, fused)
            np.testing.assert_array_equal(got, want, err_msg=f"fused {fused}, {threads} threads")


def compiled(net="images", optimizer="adam", fused=True):
    layers, (x, y) = NETS[net]
    model = fn.Sequential(layers(), input_shape=x.shape[1:], l2=0.02)
    runner = Runner(compile_train(model.network, model.state, 37, OPTIMIZERS[optimizer](), fused=fused))
    runner.start(Chunk(*model.network.checked(x, y)))
    return runner


@pytest.mark.parametrize("optimizer", ["adam", "clipped"])
@pytest.mark.parametrize("net", NETS)
def test_every_row_comes_after_those_it_depends_on(net, optimizer):
    ops = compiled(net, optimizer).step.program.ops
    found = schedule.phases(ops, {i for i, op in enumerate(ops) if op.kernel.name.startswith("layer_norm")})
    place = {
        id(op): (p, g, i) for p, gs in enumerate(found) for g, one in enumerate(gs) for i, op in enumerate(one.ops)
    }
    assert sorted(place) == sorted(map(id, ops))
    for i, op in enumerate(ops):
        for before in ops[:i]:
            if any(True for _ in conflicts(op, before)):
                (phase, chain, order), (phase_0, group_0, order_0) = place[id(op)], place[id(before)]
                assert phase_0 < phase or ((phase_0, group_0) == (phase, chain) and order_0 < order)


def overlap(a, b):
    """Whether two arrays or buffers share memory."""
    if isinstance(a, Buffer) or isinstance(b, Buffer):
        return a is b
    return a.nbytes > 0 and b.nbytes > 0 and np.may_share_memory(a, b)


def conflicts(op, before):
    """The pairs of operands that share memory, where one of the two is written."""
    for i, a in enumerate(op.operands):
        for j, b in enumerate(before.operands):
            written = i < op.kernel.outputs or j < before.kernel.outputs
            if written and is_array(a) and is_array(b) and overlap(array_of(a), array_of(b)):
                yield a, b


def along_one_axis(op, before):
    """What the scheduler once took for enough."""
    return op.axis is before.axis


def cut_alike(op, before):
    """Whether a share of `op` needs only what the same share of `before` did."""
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
    return [memory.place(op, i in alone) for i, op in enumerate(ops)]


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
def test_rows_that_need_more_than_their_own_part_wait(seed):
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
        patch.setattr("fastnn.engine.program.PARALLEL_FROM", 0.0)
        for threads in range(1, min(3, numba.config.NUMBA_NUM_THREADS) + 1):
            np.testing.assert_array_equal(run(threads), want)


def test_a_product_that_needs_every_row_of_another_is_right():
    """Both are cut along one axis; the second reads all of what the first writes share by share."""
    n = 96
    x, y = rng.normal(size=(2, n, n)).astype(np.float32)
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

    update = k.sgd_update, Slice(w, flat=True), Slice(dw, flat=True), rates
    assert used(update) == [dw]
    assert used(update, (k.matmul, Slice(w), Slice(x), dw)) == []
    assert used(update, (k.transpose, Columns(dw), Slice(w), OFFSET)) == []
    assert (
        used((k.sgd_update, Slice(w, flat=True), Slice(dw[:], flat=True), rates)) == []
    )  # the same memory, another array


def test_a_row_may_not_cut_what_its_other_shares_read():
    a, x = np.ones((2, 32, 32), np.float32)
    build, axis = Builder(4, "float32"), Axis(32, 16, 16)
    build.emit_along(axis, k.matmul, Slice(a), Slice(x), a)
    with pytest.raises(ValueError, match=r"matmul of batch .* reads more than its own part"):
        schedule.phases(build.ops)


def test_a_row_that_is_cut_says_which_part_it_writes():
    build, a = Builder(4, "float32"), np.ones((16, 16), np.float32)
    with pytest.raises(ValueError, match="matmul of batch is cut along an axis, but out is a whole array"):
        build.emit_along(Axis(16, 16, 16), k.matmul, a, Slice(a), a)
    with pytest.raises(ValueError, match="but out is a whole array"):
        build.emit(k.matmul, a, a, a)  # along the samples, which an array from outside does not have
    with pytest.raises(ValueError, match="but x is a whole array"):  # its rows would be those of another slice
        build.emit_along(Axis(16, 16, 16), k.matmul, Slice(a), a, a)


def test_a_deep_net_is_planned_in_linear_time():
    """Regions are looked at once for each use: the count is of uses, not of pairs of ops."""

    def looks(layers):
        network = fn.Sequential([fn.Dense(16, "relu")] * layers, input_shape=(16,)).network
        ops = compile_train(network, network.initial_state(np.float32, 0), 32, fn.SGD(0.1)).program.ops
        memory = Regions(ops)
        return sum(len(list(memory._uses(op, False))) for op in ops), len(ops)

    (few, ops), (many, more_rows) = looks(8), looks(64)
    assert many / more_rows < 1.1 * few / ops


def test_a_step_of_the_trigram_net_needs_few_phases():
    assert len(schedule.phases(compiled("words", "momentum").step.program.ops)) <= 3


@pytest.mark.parametrize("seed", range(20))
def test_shares_cover_each_axis_once(seed):
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
                i for share in tasks for task in share if task.chain is chain for i in range(task.first, task.last)
            ]
            size = 0 if chain.axis is None else chain.axis.size or 77
            assert sorted(taken) == list(range(size))
            assert chain.axis is None or all(
                j.first % chain.axis.step == 0 for s in tasks for j in s if j.chain is chain
            )
        assert sum(task.chain is chains[-1] for share in tasks for task in share) == 1


def test_gradients_of_a_fused_plan_cannot_be_read():
    with pytest.raises(fn.FastnnError, match="set reads_gradients on the callback"):
        _ = compiled().gradients
    assert set(compiled(fused=False).gradients) > {"conv2d.w", "dense.w"}


def test_a_callback_that_reads_gradients_gets_those_of_the_step():
    class Reads(fn.Callback):
        every, reads_gradients = 1, True

        def on_batch_end(self, run):
            norms.append(float(np.abs(run.gradients["dense.w"]).sum()))

    norms = []
    layers, (x, y) = NETS["words"]
    model = fn.Sequential(layers(), input_shape=(3,))
    model.fit(x, y, optimizer=fn.SGD(0.1), batch_size=30, callbacks=[Reads()], verbose=False)
    assert len(norms) == 3
    assert min(norms) > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_the_input_s_gradient_is_the_same_whatever_is_transposed(threads, monkeypatch):
    ends = []
    for few in (0, 10**9):
        monkeypatch.setattr("fastnn.nn.layers.dense.FEW_SAMPLES", few)
        monkeypatch.setattr("fastnn.engine.program.PARALLEL_FROM", 0.0)
        ends.append(trained("words", "momentum", min(threads, numba.config.NUMBA_NUM_THREADS), True))
        ends.append(trained("images", "adam", min(threads, numba.config.NUMBA_NUM_THREADS), False))
    np.testing.assert_array_equal(ends[0], ends[2])
    np.testing.assert_array_equal(ends[1], ends[3])


class TestPace:
    def test_one_thread_where_several_are_slower(self):
        pace = ThreadTuner()
        assert pace.choose(2, 0.05) == (2, 1)
        pace.ran(2, 1, 0.004)
        assert pace.choose(2, 0.05) == (1, 1)
        pace.ran(1, 1, 0.0005)
        pace._tried = float("inf")  # no trial for now
        assert pace.choose(2, 0.05) == (1, 100)

    def test_the_other_way_is_tried_again_and_then_taken(self):
        pace = ThreadTuner()
        pace.seconds = {1: 0.0005, 2: 0.004}
        pace._tried = -float("inf")
        threads, steps = pace.choose(2, 0.05)
        assert (threads, steps) == (2, 1)  # a short trial
        pace.ran(threads, steps, 0.0003)
        assert pace.choose(2, 0.05)[0] == 2

    def test_one_thread_has_no_choice(self):
        pace = ThreadTuner()
        assert pace.choose(1, 0.05) == (1, 1)
        pace.ran(1, 1, 0.001)
        assert pace.choose(1, 0.05) == (1, 50)
