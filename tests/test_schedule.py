"""Phases, shares and private gradients: the bits are those of the rows run one by one."""

import itertools

import numba
import numpy as np
import pytest

import fastnn as fn
from fastnn.compiler import compile_train
from fastnn.pace import Pace
from fastnn.plan import schedule
from fastnn.plan.builder import Axis
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
    plan = compile_train(model.network, model.state, 37, opt, fused=fused)
    plan.start(x, y, noise=np.arange(4, dtype=np.uint64))
    for step in range(steps):
        if plan.next_batch < 37:
            plan.start(x, y, noise=np.arange(4, dtype=np.uint64))
        plan._set_up_call(37, opt.rates(np.array([step])))
        if one_by_one:
            list(plan.program.trace(37))
        else:
            plan.program.run(1, 37, threads)
    return model.parameters.flat.copy()


@jit_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_fused_or_not_on_any_threads_the_bits_are_those_of_rows_one_by_one(net, optimizer, monkeypatch):
    want = trained(net, optimizer, 1, False, one_by_one=True)
    monkeypatch.setattr("fastnn.plan.program.PARALLEL_FROM", 0.0)  # share even what is not worth it
    for fused, threads in itertools.product((False, True), (1, 2, 3)):
        if threads <= numba.config.NUMBA_NUM_THREADS:
            got = trained(net, optimizer, threads, fused)
            np.testing.assert_array_equal(got, want, err_msg=f"fused {fused}, {threads} threads")


def compiled(net="images", optimizer="adam", fused=True):
    layers, (x, y) = NETS[net]
    model = fn.Sequential(layers(), input_shape=x.shape[1:], l2=0.02)
    plan = compile_train(model.network, model.state, 37, OPTIMIZERS[optimizer](), fused=fused)
    plan.start(*model.network.checked(x, y))
    return plan


@pytest.mark.parametrize("optimizer", ["adam", "clipped"])
@pytest.mark.parametrize("net", NETS)
def test_every_row_comes_after_those_it_depends_on(net, optimizer):
    rows = compiled(net, optimizer).program.rows
    found = schedule.phases(rows, lambda row: row.kernel.name.startswith("layer_norm"))
    place = {
        id(row): (p, g, i) for p, gs in enumerate(found) for g, one in enumerate(gs) for i, row in enumerate(one.rows)
    }
    assert sorted(place) == sorted(map(id, rows))
    for i, row in enumerate(rows):
        for before in rows[:i]:
            if schedule._depends(row, before):
                (phase, group, order), (phase_0, group_0, order_0) = place[id(row)], place[id(before)]
                assert phase_0 < phase or ((phase_0, group_0) == (phase, group) and order_0 < order)


def test_a_step_of_the_trigram_net_needs_few_phases():
    assert len(schedule.phases(compiled("words", "momentum").program.rows, lambda row: False)) <= 3


@pytest.mark.parametrize("seed", range(20))
def test_shares_cover_each_axis_once(seed):
    draw = np.random.default_rng(seed)
    axes = [
        Axis(int(draw.integers(1, 300)), int(draw.choice([1, 16])), int(draw.choice([24, 48, 1000]))) for _ in range(4)
    ]
    groups = [schedule.Group(axis) for axis in (*axes, Axis(None, 1, 50), None)]
    costs = draw.exponential(size=6).tolist()
    for workers in (1, 2, 5):
        jobs = schedule.shares(groups, costs, 77, workers)
        assert len(jobs) == workers
        for group in groups:
            taken = [i for share in jobs for job in share if job.group is group for i in range(job.first, job.last)]
            size = 0 if group.axis is None else group.axis.size or 77
            assert sorted(taken) == list(range(size))
            assert group.axis is None or all(
                j.first % group.axis.step == 0 for s in jobs for j in s if j.group is group
            )
        assert sum(job.group is groups[-1] for share in jobs for job in share) == 1


def test_gradients_of_a_fused_plan_cannot_be_read():
    with pytest.raises(fn.FastnnError, match="set reads_gradients on the callback"):
        _ = compiled().gradients
    assert set(compiled(fused=False).gradients) > {"conv2d.w", "dense.w"}


def test_a_callback_that_reads_gradients_gets_those_of_the_step():
    class Reads(fn.Callback):
        every, reads_gradients = 1, True

        def on_batch_end(self, run):
            norms.append(float(np.abs(run.plan.gradients["dense.w"]).sum()))

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
        monkeypatch.setattr("fastnn.layers.dense.FEW_SAMPLES", few)
        monkeypatch.setattr("fastnn.plan.program.PARALLEL_FROM", 0.0)
        ends.append(trained("words", "momentum", min(threads, numba.config.NUMBA_NUM_THREADS), True))
        ends.append(trained("images", "adam", min(threads, numba.config.NUMBA_NUM_THREADS), False))
    np.testing.assert_array_equal(ends[0], ends[2])
    np.testing.assert_array_equal(ends[1], ends[3])


class TestPace:
    def test_one_thread_where_several_are_slower(self):
        pace = Pace()
        assert pace.choose(2, 0.05) == (2, 1)
        pace.ran(2, 1, 0.004)
        assert pace.choose(2, 0.05) == (1, 1)
        pace.ran(1, 1, 0.0005)
        pace._tried = float("inf")  # no trial for now
        assert pace.choose(2, 0.05) == (1, 100)

    def test_the_other_way_is_tried_again_and_then_taken(self):
        pace = Pace()
        pace.seconds = {1: 0.0005, 2: 0.004}
        pace._tried = -float("inf")
        threads, steps = pace.choose(2, 0.05)
        assert (threads, steps) == (2, 1)  # a short trial
        pace.ran(threads, steps, 0.0003)
        assert pace.choose(2, 0.05)[0] == 2

    def test_one_thread_has_no_choice(self):
        pace = Pace()
        assert pace.choose(1, 0.05) == (1, 1)
        pace.ran(1, 1, 0.001)
        assert pace.choose(1, 0.05) == (1, 50)
