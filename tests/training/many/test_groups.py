"""Nets that one kernel trains together end with the bits of `fit`, one after the other."""

import os
import threading

import numpy as np
import pytest

import fastnn as fn
from fastnn.nn.narrow_many import Nets
from fastnn.training.many import group, groups
from tests.tiny import jit_only, python
from tests.training.many.test_fit_many import check_same, fit_each, nets, points

COUNT = 17  # a group of nine nets and one of eight, or one of sixteen and a net by itself
OPTIONS = {"batch_size": None, "epochs": 3, "steps_per_epoch": 2}


@pytest.fixture
def runs(monkeypatch):
    """Two nets are enough for a group. How many nets each call of the kernel has taken."""
    taken, run = [], Nets.run

    def counted(group, rates):
        taken.append(len(rates))
        return run(group, rates)

    monkeypatch.setattr(groups, "LANES_PAY_FROM", 2)
    monkeypatch.setattr(Nets, "run", counted)
    return taken


def rates(schedule=False):
    values = [0.05 * (1 + number) for number in range(COUNT)]
    return [fn.SGD(fn.ExponentialDecay(rate, 0.7) if schedule else rate) for rate in values]


CASES = {
    "plain": ({}, {}),
    "penalties": ({}, {"l2": 0.01}),
    "a penalty of one layer": ({}, {"layers": lambda: [fn.Dense(6, "tanh", l2=0.1), fn.Dense(3)]}),
    "a schedule": ({"schedule": True}, {}),
    "a deep net": ({}, {"layers": lambda: [fn.Dense(5, "gelu"), fn.Dense(3, "relu", use_bias=False), fn.Dense(3)]}),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_fit(case, dtype, threads, runs, monkeypatch):
    monkeypatch.setattr(groups, "usable_threads", lambda: threads)
    monkeypatch.setattr(groups, "STEPS", 4)  # a pass does not hold all epochs
    (kind, keywords), (x, y) = CASES[case], points(37)
    models, wanted = (nets(COUNT, dtype=dtype, **keywords) for _ in range(2))
    ours, theirs = rates(**kind), rates(**kind)
    for _ in range(2):  # the second call goes on
        fn.fit_many(models, x, y, optimizer=ours, **OPTIONS)
        for want, optimizer in zip(wanted, theirs, strict=True):
            fit_each([want], x, y, optimizer=optimizer, **OPTIONS)
    check_same(models, wanted)
    assert {*runs} == {9, 8}
    assert [(one.iteration, one.epoch) for one in ours] == [(12, 6)] * COUNT


def test_a_sum_as_loss_and_one_sample(runs):
    x, y = points(1)
    models, wanted = (nets(4, loss=fn.SoftmaxCrossEntropy(reduction="sum")) for _ in range(2))
    fn.fit_many(models, x, y, optimizer=fn.SGD(0.1), **OPTIONS)
    for want in wanted:
        fit_each([want], x, y, optimizer=fn.SGD(0.1), **OPTIONS)
    check_same(models, wanted)
    assert runs


def test_a_net_that_diverges_is_found_out_as_by_itself(runs, monkeypatch):
    monkeypatch.setattr(groups, "STEPS", 4)
    layers = lambda: [fn.Dense(3), fn.Dense(2)]  # noqa: E731

    def given():
        return [fn.SGD(fn.StepDecay(1e30 if number == 2 else 0.1, 0.9, 1)) for number in range(5)]

    models, wanted = (nets(5, layers=layers) for _ in range(2))
    with pytest.warns(UserWarning, match=r"1 of 5 trainings failed, .*models\[2\]: NonFiniteError"):
        trained = fn.fit_many(models, *points(), optimizer=given(), **OPTIONS)
    for number, (want, optimizer) in enumerate(zip(wanted, given(), strict=True)):
        if number == 2:
            with pytest.raises(fn.NonFiniteError) as refused:
                fit_each([want], *points(), optimizer=optimizer, **OPTIONS)
            assert str(trained[2].error) == str(refused.value)
        else:
            fit_each([want], *points(), optimizer=optimizer, **OPTIONS)
    check_same(models, wanted)
    assert [one.error is None for one in trained] == [True, True, False, True, True]


def test_what_cannot_be_grouped_is_trained_by_itself(runs):
    apart = [
        {"callbacks": [[fn.Callback()] for _ in range(3)]},
        {"validation_data": points(seed=1)},
        {"sample_weight": np.linspace(0, 1, 20)},
        {"optimizer": fn.Adam(0.1)},
        {"optimizer": fn.SGD(0.1, momentum=0.5)},
    ]
    for options in apart:
        fn.fit_many(nets(), *points(), **{"optimizer": fn.SGD(0.1), "batch_size": None, "epochs": 2, **options})
    fn.fit_many(nets(), *points(), optimizer=fn.SGD(0.1), batch_size=8, epochs=2)
    fn.fit_many(nets(l1=0.1), *points(), optimizer=fn.SGD(0.1), batch_size=None, epochs=2)
    assert not runs


def test_a_group_that_is_to_end_leaves_whole_steps(runs, monkeypatch):
    ended, calls = threading.Event(), []

    def settled(seconds):
        calls.append(seconds)
        return 1, 3

    models, optimizers = nets(3), [fn.SGD(0.1) for _ in range(3)]
    run = Nets.run

    def ending(group, given):
        ended.set()
        return run(group, given)

    monkeypatch.setattr(Nets, "run", ending)
    monkeypatch.setattr(group.ThreadTuner, "choose", lambda tuner, threads, seconds: settled(seconds))
    monkeypatch.setattr(groups, "usable_threads", lambda: 1)
    taken = groups.tasks_of
    monkeypatch.setattr(
        fn.many, "tasks_of", lambda given: [t._replace(run=lambda _, t=t: t.run(ended)) for t in taken(given)]
    )
    fn.fit_many(models, *points(), optimizer=optimizers, **OPTIONS | {"epochs": 10**9})
    for model, optimizer in zip(models, optimizers, strict=True):
        assert len(model.history.steps["loss"]) == optimizer.iteration == 3
        assert len(model.history.epochs) == model.epoch == optimizer.epoch == 1


INTERRUPTED = """
import signal, threading, time
import numpy as np
import fastnn as fn
from fastnn.nn.narrow_many import Nets
signal.signal(signal.SIGINT, signal.default_int_handler)
x = np.random.default_rng(0).normal(size=(20, 2))
y = (x[:, 0] > 0).astype(int)
make = lambda: [fn.Sequential([fn.Dense(3), fn.Dense(2)], input_shape=2, seed=seed) for seed in range(13)]
models, optimizers = make(), [fn.SGD(0.1) for _ in range(13)]
taken, run = [], Nets.run

def counted(group, rates):
    taken.append(len(rates))
    return run(group, rates)

def interrupt():
    while len(taken) < 3:
        time.sleep(0.001)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

Nets.run = counted
threading.Thread(target=interrupt).start()
try:
    with fn.threads(1):
        fn.fit_many(models, x, y, optimizer=optimizers, batch_size=None, steps_per_epoch=7, epochs=10**8)
except KeyboardInterrupt:
    steps = optimizers[0].iteration
    for model, optimizer in zip(models, optimizers):
        print(len(model.history.steps["loss"]) == optimizer.iteration == steps > 0)
        print(len(model.history) == optimizer.epoch == model.epoch == steps // 7)
    (alone,) = make()[:1]
    alone.fit(x, y, optimizer=fn.SGD(0.1), batch_size=None, epochs=steps, verbose=False)
    print(alone.parameters.flat.tobytes() == models[0].parameters.flat.tobytes())
    print(set(taken) == {13})
"""


@jit_only
@pytest.mark.skipif(os.name == "nt", reason="no thread interrupts the main one there while it waits")
def test_ctrl_c_within_a_group_leaves_whole_steps():
    assert python(INTERRUPTED).split() == ["True"] * 28
