"""Epochs that one pass takes together leave the bits of those taken one by one."""

import numpy as np
import pytest

import fastnn as fn
from fastnn.engine.autotune import ThreadTuner
from fastnn.training.fit import joined
from fastnn.training.passes import rounds
from fastnn.training.passes.runner import Runner
from tests.tiny import THREADS, bits

TIMES = ("seconds", "samples_per_second")
COUNTS = sorted({1, min(2, THREADS)})
X = np.random.default_rng(0).normal(size=(23, 4))
Y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
ONE_BY_ONE = fn.Callback()  # does nothing, but wants to see each epoch


def net(layers=None, **more):
    return fn.Sequential(layers or [fn.Dense(5, "tanh"), fn.Dense(3)], input_shape=4, **more)


def left(model, optimizer):
    """All that a training leaves, but for times."""
    epochs = [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in model.history.epochs]
    state = bits(model.parameters), bits(model.buffers), [bits({"": array}) for array in optimizer.flat_state()]
    return *state, epochs, model.history.steps, model.history.stop_reason, model.epoch, vars(optimizer)["iteration"]


def fit(model, optimizer, joins, callbacks=(), batch_size=5, **options):
    watching = [*callbacks, *([] if joins else [ONE_BY_ONE])]
    model.fit(X, Y, optimizer=optimizer, batch_size=batch_size, callbacks=watching, verbose=False, **options)


def trained(optimizer, *, joins, threads=1, model=None, **options):
    model, optimizer = model or net(), optimizer()
    with fn.threads(threads):
        fit(model, optimizer, joins, **options)
    return left(model, optimizer)


def adam():
    return fn.Adam(0.01)


class Halving(fn.SGD):
    """By the epoch, in a way that a schedule cannot see."""

    def scalars(self, iterations):
        return super().scalars(iterations) * 0.5**self.epoch


CASES = {
    "a shorter last batch": (adam, {"batch_size": 5}),
    "whole batches": (adam, {"batch_size": 1}),
    "in order": (lambda: fn.SGD(0.1, momentum=0.9), {"batch_size": 8, "shuffle": False}),
    "all samples": (adam, {"batch_size": None}),
    "all samples, steps": (adam, {"batch_size": None, "steps_per_epoch": 3}),
    "weights": (adam, {"batch_size": 5, "sample_weight": np.linspace(0, 2, len(X))}),
    "a decay by epoch": (lambda: fn.Adam(fn.ExponentialDecay(0.05, 0.7)), {"batch_size": 9}),
    "an optimizer of one's own": (lambda: Halving(0.1), {"batch_size": 9}),
}


@pytest.mark.parametrize("threads", COUNTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_same_bits_as_one_by_one(case, dtype, threads):
    optimizer, options = CASES[case]
    options = options | {"epochs": 4, "threads": threads}
    got, want = (trained(optimizer, joins=joins, model=net(dtype=dtype, l2=0.01), **options) for joins in (True, False))
    assert got == want


@pytest.fixture(autouse=True)
def _several_threads_from_the_beginning(monkeypatch):
    monkeypatch.setattr(rounds, "SECONDS_ALONE", 0.0)


@pytest.mark.parametrize("most", [1, 2, 3, 11])
def test_calls_end_anywhere(most, monkeypatch):
    want = trained(adam, joins=False, batch_size=5, epochs=7)
    monkeypatch.setattr(rounds, "STEPS_PER_CALL", most)
    assert trained(adam, joins=True, batch_size=5, epochs=7) == want


@pytest.mark.parametrize("most", [1, 11, 27])
def test_passes_that_do_not_hold_all_epochs(most, monkeypatch):
    want = trained(adam, joins=False, batch_size=5, epochs=7)
    monkeypatch.setattr(joined, "STEPS_OF_BATCHES", most)
    assert trained(adam, joins=True, batch_size=5, epochs=7) == want


def test_one_thread_begins(monkeypatch):
    chosen = []
    choose = ThreadTuner.choose
    monkeypatch.setattr(
        ThreadTuner, "choose", lambda tuner, threads, seconds: chosen.append(threads) or choose(tuner, threads, seconds)
    )
    monkeypatch.setattr(rounds, "SECONDS_ALONE", 1e9)
    want = trained(adam, joins=True, threads=COUNTS[-1], batch_size=5, epochs=7)
    assert set(chosen) == {1}
    monkeypatch.setattr(rounds, "SECONDS_ALONE", 0.0)
    assert trained(adam, joins=True, threads=COUNTS[-1], batch_size=5, epochs=7) == want


def passes(monkeypatch, **options):
    """How many passes of several epochs a training of 9 epochs takes, and how many others."""
    counts = {"start": 0, "start_epochs": 0}
    for kind, name in ((Runner, "start"), (rounds.RoundsRunner, "start_epochs")):
        monkeypatch.setattr(kind, name, counted(counts, name, getattr(kind, name)))
    trained(adam, joins=True, batch_size=5, epochs=9, **options)
    monkeypatch.undo()
    return counts["start_epochs"], counts["start"]


def counted(counts, name, method):
    def call(*given, **named):
        counts[name] += 1
        return method(*given, **named)

    return call


class Every(fn.Callback):
    """Wants to see the model after every third epoch only, and notes what it is told."""

    def __init__(self, ends=None, rate=None):
        self.seen, self.ends, self.rate = [], ends, rate

    def epochs_at_once(self, run):
        return 3 - run.epoch % 3

    def on_epoch_end(self, run):
        self.seen.append((run.epoch, run.logs["epoch"], run.logs["loss"]))
        run.logs["mine"] = run.epoch
        if run.epoch == self.ends:
            run.stop("enough")
        if run.epoch % 3 == 0 and self.rate:
            run.optimizer.lr *= self.rate


class Decays(Every):
    """Gives the optimizer a schedule: as the training begins, or after its third epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_begin(self, run):
        self.decay(run)

    def on_epoch_end(self, run):
        super().on_epoch_end(run)
        self.decay(run)

    def decay(self, run):
        if run.epoch == self.epoch:
            run.optimizer.lr = fn.ExponentialDecay(0.05, 0.7)


@pytest.mark.parametrize("epoch", [0, 3])
def test_a_schedule_that_a_callback_assigns_goes_by_the_epochs(epoch):
    got, want = (trained(adam, joins=one, epochs=7, callbacks=[Decays(epoch)]) for one in (True, False))
    assert got == want


def test_what_must_see_each_epoch_does(monkeypatch):
    drops = net([fn.Dense(5, "relu"), fn.Dropout(0.5), fn.Dense(3)])
    assert passes(monkeypatch) == (1, 0)
    assert passes(monkeypatch, callbacks=[Every()]) == (3, 0)
    assert passes(monkeypatch, callbacks=[ONE_BY_ONE]) == (0, 10)
    assert passes(monkeypatch, callbacks=[Every(), ONE_BY_ONE]) == (0, 10)
    assert passes(monkeypatch, model=drops) == (0, 10)
    assert passes(monkeypatch, validation_data=(X, Y))[0] == 0


def test_a_callback_is_called_for_each_epoch_and_acts_after_the_last():
    got, want = Every(ends=6, rate=0.5), Every(ends=6, rate=0.5)
    both = [trained(adam, joins=one is got, batch_size=5, epochs=9, callbacks=[one]) for one in (got, want)]
    assert both[0] == both[1]
    assert got.seen == want.seen
    assert [number for number, _, _ in got.seen] == [1, 2, 3, 4, 5, 6]
    assert both[0][5] == "enough"


class Blow(fn.SGD):
    """Its learning rate is infinite from some step on."""

    after = 0

    def scalars(self, iterations):
        return np.where(iterations[:, None] < self.after, 1.0, np.inf) * super().scalars(iterations)


def diverged(after, joins):
    model, optimizer = net(), Blow(0.1)
    optimizer.after = after
    with pytest.raises(fn.NonFiniteError) as error:
        fit(model, optimizer, joins, epochs=7)
    # Whether the loss or the parameters were looked at first is a matter of time, not what comes then.
    return str(error.value).partition(": ")[2], left(model, optimizer)


@pytest.mark.parametrize("after", [1, 3, 5, 7, 8, 12, 34])
def test_a_training_that_diverges_says_where(after):
    got, want = diverged(after, True), diverged(after, False)
    assert got == want
    assert f"epoch {after // 5 + 1}, step {after % 5 + 1} of 5" in got[0]


@pytest.mark.parametrize("after", [4, 5, 12])
def test_what_fails_is_sought_among_the_samples_of_its_step(after, monkeypatch):
    sought = []
    seek = Runner.first_not_finite

    def noted(runner, scalars):
        cursor, key = (runner.step.program[getattr(runner.step.inputs, name)] for name in ("cursor", "order_key"))
        sought.append((int(cursor[0] - cursor[3]), key.tobytes(), runner.next_batch))
        return seek(runner, scalars)

    monkeypatch.setattr(Runner, "first_not_finite", noted)
    for joins in (True, False):
        diverged(after, joins)
    assert sought[0] == sought[1]


def test_a_second_call_goes_on():
    def twice(joins):
        model, optimizer = net(), adam()
        for epochs in (2, 3):
            fit(model, optimizer, joins, epochs=epochs)
        return left(model, optimizer)

    assert twice(True) == twice(False)
