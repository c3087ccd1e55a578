"""One optimizer for several trainings and models: which of them its state and its counts belong to."""

import copy

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import bits, fit, tiny_model


def test_a_second_fit_continues_epochs_state_and_order():
    opt = fn.SGD(0.3, momentum=0.8)
    twice = fit(fit(tiny_model(), epochs=2, optimizer=opt), epochs=1, optimizer=opt)
    once = fit(tiny_model(), epochs=3)
    assert bits(twice.parameters) == bits(once.parameters)
    assert [epoch["epoch"] for epoch in twice.history.epochs] == [1, 2, 3]
    assert opt.iteration == 9
    assert bits(fit(fit(tiny_model(), epochs=2)).parameters) != bits(once.parameters), "the velocity did not matter"


def test_state_can_be_assigned_to_continue_elsewhere():
    opt = fn.SGD(0.3, momentum=0.8)
    first = fit(tiny_model(), epochs=2, optimizer=opt)
    second, other = tiny_model(), fn.SGD(0.3, momentum=0.8)
    second.set_parameters(first.parameters)
    second.epoch = first.epoch
    other.state = {name: {part: value.copy() for part, value in parts.items()} for name, parts in opt.state.items()}
    assert bits(fit(second, optimizer=other).parameters) == bits(fit(first, optimizer=opt).parameters)


def test_assigned_state_replaces_what_was_laid_out():
    opt = fn.SGD(0.3, momentum=0.8)
    model = fit(tiny_model(), optimizer=opt)
    opt.state["dense.b"]["velocity"] = np.full(5, 100.0)
    assert np.abs(fit(model, optimizer=opt).parameters["dense.b"]).min() > 10
    opt.state = {}
    fresh = tiny_model()
    fresh.set_parameters(model.parameters)
    fresh.epoch = model.epoch
    assert bits(fit(model, optimizer=opt).parameters) == bits(fit(fresh).parameters)


def test_a_copied_optimizer_goes_its_own_way():
    opt = fn.SGD(0.3, momentum=0.8)
    model = fit(tiny_model(), optimizer=opt)
    copied, copied_opt = copy.deepcopy(model), copy.deepcopy(opt)
    before = bits(opt.state["dense.w"])
    fit(copied, optimizer=copied_opt)
    assert bits(opt.state["dense.w"]) == before
    assert bits(fit(model, optimizer=opt).parameters) == bits(copied.parameters)


def test_another_model_starts_without_velocity():
    opt = fn.SGD(0.3, momentum=0.8)
    fit(tiny_model(), optimizer=opt)
    got = fit(tiny_model(seed=1), optimizer=opt)
    want = fit(tiny_model(seed=1), optimizer=fn.SGD(0.3, momentum=0.8))
    assert bits(got.parameters) == bits(want.parameters)


class Rates(fn.Callback):
    """Keeps the learning rate of each step."""

    every = 1

    def __init__(self):
        self.seen = []

    def on_batch_begin(self, run):
        self.seen.append(run.optimizer.current_lr)


def rates(model, opt, epochs=2):
    """The learning rate of each of the three steps of an epoch."""
    watching = Rates()
    fit(model, optimizer=opt, epochs=epochs, callbacks=[watching])
    return watching.seen


@pytest.mark.parametrize("make", [fn.SGD, fn.Adam, fn.AdaGrad, lambda lr: fn.Adam(lr, state_dtype="bfloat16")])
def test_given_to_another_model_it_starts_anew_there(make):
    """State, iteration and both kinds of schedules."""
    for schedule in (fn.CosineDecay(0.1, steps=9), fn.ExponentialDecay(0.1, 0.5)):
        opt = make(schedule)
        first, want = tiny_model(), tiny_model(seed=1)
        begun = rates(first, opt)
        assert rates(tiny_model(seed=1), opt) == begun
        assert (opt.iteration, opt.epoch) == (6, 2)
        again = fit(tiny_model(seed=1), optimizer=opt, epochs=2)
        assert bits(again.parameters) == bits(fit(want, optimizer=make(schedule), epochs=2).parameters)


def test_given_back_it_starts_anew_once_more():
    opt = fn.Adam(fn.CosineDecay(0.1, steps=9))
    first = fit(tiny_model(), optimizer=opt)
    fit(tiny_model(seed=1), optimizer=opt)
    fresh = copy.deepcopy(first)
    fit(first, optimizer=opt)
    assert opt.iteration == 3
    assert bits(first.parameters) == bits(fit(fresh, optimizer=fn.Adam(fn.CosineDecay(0.1, steps=9))).parameters)


def test_a_copy_takes_its_state_and_its_counts_to_another_model():
    opt = fn.Adam(fn.CosineDecay(0.1, steps=9))
    first = fit(tiny_model(), optimizer=opt)
    other, copied = copy.deepcopy(first), copy.deepcopy(opt)
    fit(other, optimizer=copied)
    assert (copied.iteration, copied.epoch) == (6, 2)
    assert bits(other.parameters) == bits(fit(first, optimizer=opt).parameters)


def test_state_that_was_assigned_for_another_model_comes_with_its_count():
    first, second = tiny_model(), tiny_model()
    opt, want = fn.Adam(0.1), fn.Adam(0.1)
    fit(second, optimizer=want)
    fit(first, optimizer=opt, epochs=2)
    opt.state = {name: {part: value.copy() for part, value in parts.items()} for name, parts in want.state.items()}
    opt.iteration = want.iteration
    copied = copy.deepcopy(second)
    assert bits(fit(copied, optimizer=opt).parameters) == bits(fit(second, optimizer=want).parameters)


@pytest.mark.parametrize(
    "schedule", [fn.ExponentialDecay(0.1, 0.5), fn.ExponentialDecay(0.1, 0.5, "step"), fn.CosineDecay(0.1, steps=9)]
)
def test_a_schedule_counts_from_where_its_optimizer_began(schedule, tmp_path):
    """Whether it goes by epochs or by steps; the same optimizer goes on, and so does a training that is resumed."""
    opt = fn.SGD(schedule)
    model = tiny_model()
    begun, path = rates(model, opt), tmp_path / "c.h5"
    assert rates(copy.deepcopy(model), fn.SGD(schedule)) == begun, "a new optimizer for a model that has trained"
    model.save(tmp_path / "m.h5")
    loaded = fn.load(tmp_path / "m.h5")
    assert loaded.epoch == 2
    assert rates(loaded, fn.SGD(schedule)) == begun, "a new optimizer for a model that was loaded"
    whole = begun + rates(model, opt)
    assert whole == rates(tiny_model(), fn.SGD(schedule), epochs=4), "the same optimizer"
    fit(tiny_model(), optimizer=fn.SGD(schedule), epochs=2, callbacks=[fn.Checkpoint(path)])
    watching = Rates()
    fit(tiny_model(), optimizer=fn.SGD(schedule), epochs=4, callbacks=[watching, fn.Checkpoint(path, resume=True)])
    assert watching.seen == whole[6:], "resumed"
