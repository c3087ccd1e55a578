"""Ctrl-C while training: never between a step and the counters that belong to it."""

import contextlib
import os
import signal
import threading

import pytest

import fastnn as fn
from fastnn.common.interrupt import InterruptShield
from fastnn.training.passes.rounds import RoundsRunner
from fastnn.training.passes.runner import Runner
from tests.tiny import python, tiny_model, trigrams

INTERRUPTED = """
import os, signal, threading, time
import numpy as np
import fastnn as fn
from tests.tiny import tiny_model, trigrams
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
model, optimizer = tiny_model(), fn.SGD(0.1, momentum=0.5)

def interrupt():
    while model.epoch < 5:  # an epoch is 100 steps
        time.sleep(0.001)
    signal.raise_signal(signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    model.fit(*trigrams(400), optimizer=optimizer, batch_size=4, epochs=1_000_000, verbose=False)
except KeyboardInterrupt:
    steps, epochs = len(model.history.steps["loss"]), len(model.history.epochs)
    print(steps == optimizer.iteration, epochs == model.epoch, epochs * 100 <= steps <= (epochs + 1) * 100)
    print(epochs >= 5, np.isfinite(model.parameters.flat).all(), model.evaluate(*trigrams(40))["loss"] > 0)
"""


def test_ctrl_c_leaves_model_and_history_consistent():
    assert python(INTERRUPTED).split() == ["True"] * 6


@pytest.mark.parametrize("kind", [Runner, RoundsRunner])
def test_an_interrupt_waits_until_the_steps_are_counted(kind, monkeypatch):
    ran = []
    advance = kind.advance

    def interrupted(runner, *arguments):
        ran.append(advance(runner, *arguments))
        if len(ran) == 3:
            signal.raise_signal(signal.SIGINT)
        return ran[-1]

    monkeypatch.setattr(kind, "advance", interrupted)
    watching = [fn.Callback()] if kind is Runner else []  # one that wants to see each epoch by itself
    model, optimizer = tiny_model(), fn.SGD(0.1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(*trigrams(400), optimizer=optimizer, batch_size=1, epochs=100, callbacks=watching, verbose=False)
    finally:
        handler = signal.signal(signal.SIGINT, before)
    assert len(ran) == 3
    assert len(model.history.steps["loss"]) == optimizer.iteration == sum(ran)
    assert handler is signal.default_int_handler


@pytest.fixture
def interrupted():
    """interrupted() is a Ctrl-C; `interrupted.came` lists those that took effect."""
    came = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    interrupt.came = came
    yield interrupt
    signal.signal(signal.SIGINT, before)


def test_what_is_held_takes_effect_at_the_end_and_once(interrupted):
    with InterruptShield() as shield:
        with shield.hold():
            interrupted()
            interrupted()
            assert interrupted.came == []
        assert interrupted.came == [signal.SIGINT]
        with shield.hold():
            pass
        assert interrupted.came == [signal.SIGINT]


def test_between_two_holds_an_interrupt_takes_effect_at_once(interrupted):
    with InterruptShield() as shield:
        with shield.hold():
            pass
        interrupted()
        assert interrupted.came == [signal.SIGINT]


def test_a_held_interrupt_is_not_lost_with_an_error(interrupted):
    def fail():
        with InterruptShield() as shield, shield.hold():
            interrupted()
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert interrupted.came == [signal.SIGINT]


def test_the_handler_of_before_is_put_back(interrupted):
    before = signal.getsignal(signal.SIGINT)
    with InterruptShield():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("inner", [False, True])
def test_a_handler_that_is_set_meanwhile_stays(interrupted, inner):
    """As a callback may set one, also within a fit that runs in a callback of another."""

    def mine(number, frame):
        interrupted.came.append("mine")

    with InterruptShield():
        with InterruptShield() if inner else contextlib.nullcontext():
            signal.signal(signal.SIGINT, mine)
        interrupted()
    assert signal.getsignal(signal.SIGINT) is mine
    interrupted()
    assert interrupted.came == ["mine", "mine"]


def test_in_another_thread_nothing_happens(interrupted):
    seen = []

    def run():
        with InterruptShield() as shield, shield.hold():
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.skipif(os.name == "nt", reason="there the system ends the process itself")
def test_sigterm_waits_too_where_somebody_handles_it():
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        with InterruptShield() as shield:
            with shield.hold():
                signal.raise_signal(signal.SIGTERM)
                assert came == []
            assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_that_nobody_handles_is_left_alone_unless_something_is_to_be_kept():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a command of another test may have left its own
    try:
        _check_default_sigterm()
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_default_sigterm():
    with InterruptShield():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with InterruptShield() as shield:
        shield.catch_termination()
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_what_is_delayed_ends_with_the_second(interrupted):
    with InterruptShield() as shield, shield.delay():
        with shield.hold():
            interrupted()
        assert interrupted.came == []
        interrupted()
        assert interrupted.came == [signal.SIGINT]
    assert interrupted.came == [signal.SIGINT]
