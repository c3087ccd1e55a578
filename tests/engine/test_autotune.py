"""One thread or all: chosen by the seconds that each took, on a clock that the test moves."""

import pytest

from fastnn.engine import autotune
from fastnn.engine.autotune import SECONDS_OF_TRIAL, SECONDS_TO_FIRST_TRIAL, ThreadTuner
from tests.tiny import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(autotune, "time", clock)
    return clock


def measured(**seconds):
    """A tuner that has tried both, just now."""
    tuner = ThreadTuner()
    for _ in range(2):
        tuner.ran(1, 1, seconds["one"])
        tuner.ran(2, 1, seconds["two"])
    threads, _ = tuner.choose(2, 0.05)
    tuner.ran(threads, 1000, 1000 * tuner.seconds[threads])  # the first trial is over
    return tuner


def test_one_thread_where_several_are_slower(clock):
    tuner = ThreadTuner()
    assert tuner.choose(2, 0.05) == (2, 1)
    tuner.ran(2, 1, 0.004)
    assert tuner.choose(2, 0.05) == (1, 1)
    tuner.ran(1, 1, 0.0005)
    assert tuner.choose(2, 0.05) == (2, 4)  # both once more: the first steps were cold
    tuner.ran(2, 4, 0.004)
    assert tuner.choose(2, 0.05) == (1, 4)
    tuner.ran(1, 4, 0.002)
    clock.now += 0.01
    assert tuner.choose(2, 0.05) == (1, 100)
    assert tuner.choose(2, 0.05) == (1, 100)


def test_a_cold_first_step_does_not_decide(clock):
    """In a new process the first step on all threads met empty caches; for a second training ran on one thread."""
    tuner = ThreadTuner()
    for threads, steps, seconds in ((2, 1, 0.050), (1, 1, 0.0002), (2, 10, 0.0012), (1, 16, 0.0032)):
        assert tuner.choose(2, 0.05) == (threads, steps)
        tuner.ran(threads, steps, seconds)
    assert tuner.choose(2, 0.05)[0] == 2


@pytest.mark.usefixtures("clock")
def test_all_threads_where_they_are_faster():
    assert measured(one=0.004, two=0.0005).choose(2, 0.05) == (2, 100)


@pytest.mark.parametrize(("one", "two", "other", "steps"), [(0.0005, 0.004, 2, 1), (0.001, 0.0005, 1, 2)])
def test_the_other_way_is_tried_again_for_a_short_time(clock, one, two, other, steps):
    tuner = measured(one=one, two=two)
    clock.now += SECONDS_TO_FIRST_TRIAL
    assert tuner.choose(2, 0.05)[0] != other
    clock.now += 0.001
    assert tuner.choose(2, 0.05) == (other, steps)
    tuner.ran(other, steps, 0.0021)
    assert tuner.choose(2, 0.05)[0] != other, "one trial, then the faster way again"


def test_a_trial_of_short_calls_takes_several(clock):
    """The first step wakes threads that slept: alone it would tell that they are slow, each time."""
    tuner = measured(one=0.0005, two=0.0006)
    clock.now += SECONDS_TO_FIRST_TRIAL + 0.001
    for seconds in (0.0012, 0.0003, 0.0003):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, seconds)
    for _ in range(20):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, 0.0003)


def test_the_other_way_is_taken_when_a_trial_was_faster(clock):
    tuner = measured(one=0.0005, two=0.004)
    clock.now += SECONDS_TO_FIRST_TRIAL + 0.001
    threads, _ = tuner.choose(2, 0.05)
    tuner.ran(threads, 7, 0.0021)
    assert tuner.choose(2, 0.05) == (2, 166)


def test_one_slow_step_among_quick_ones_does_not_decide(clock):
    """A loop of a user's own has calls of one step: with the last one deciding it changed over now and then."""
    tuner = measured(one=0.0005, two=0.0003)
    for seconds in (0.0003, 0.0007, 0.0003):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, seconds)
    for _ in range(20):
        tuner.ran(2, 1, 0.0007)
    assert tuner.choose(2, 0.05)[0] == 1, "if it stays slow, it does"


def test_the_time_of_a_call_is_that_of_its_steps_together():
    tuner = ThreadTuner()
    tuner.ran(1, 10, 0.01)
    assert tuner.seconds == {1: 0.001}
    tuner.ran(1, 10, 0)  # too short for the clock
    assert 0 < tuner.seconds[1] < 1e-6


def test_one_thread_has_no_choice():
    tuner = ThreadTuner()
    assert tuner.choose(1, 0.05) == (1, 1)
    tuner.ran(1, 1, 0.001)
    assert tuner.choose(1, 0.05) == (1, 50)


def drive(tuner, clock, step, seconds):
    """Train for `seconds` on the clock; returns the seconds spent on each number of threads.

    step  (threads) -> seconds of the steps of the call that begins now
    """
    spent, until = {1: 0.0, 2: 0.0}, clock.now + seconds
    while clock.now < until:
        threads, steps = tuner.choose(2, 0.05)
        call = steps * step(threads)
        clock.now += call
        spent[threads] += call
        tuner.ran(threads, steps, call)
    return spent


def test_an_unlucky_first_measurement_is_soon_made_again(clock):
    """With a second until the first trial, trainings of .4 s in new processes ran on one thread from end to end."""
    tuner, begin = ThreadTuner(), clock.now

    def step(threads):
        return {1: 85e-6, 2: 50e-6 if clock.now > begin + 0.01 else 150e-6}[threads]

    assert drive(tuner, clock, step, 0.4)[1] < 0.08


def test_one_slow_call_does_not_change_the_choice(clock):
    """Of steps that fill a call each: after two slow ones the other way is taken, and the first soon tried again."""
    tuner = measured(one=0.15, two=0.08)
    for slow in (0.3, 0.08, 0.3):
        assert tuner.choose(2, 0.05) == (2, 1)
        tuner.ran(2, 1, slow)
    tuner.ran(2, 1, 0.3)
    assert tuner.choose(2, 0.05) == (1, 1)
    clock.now += 0.15
    tuner.ran(1, 1, 0.15)
    assert tuner.choose(2, 0.05) == (2, 1)
    tuner.ran(2, 1, 0.08)
    assert tuner.choose(2, 0.05) == (2, 1)


def test_a_call_after_a_slow_one_is_short(clock):
    """Another process has taken a core: a thousand steps, planned for 50 ms, took 5 s. The next call is of ten."""
    tuner = measured(one=85e-6, two=50e-6)
    threads, steps = tuner.choose(2, 0.05)
    tuner.ran(threads, steps, steps * 5e-3)
    assert tuner.choose(2, 0.05) == (2, 10)


@pytest.mark.parametrize(("one", "two"), [(0.15, 0.08), (0.0005, 0.025), (0.0005, 0.1), (85e-6, 50e-6)])
def test_trials_take_a_small_part(clock, one, two):
    """Of long steps, and where a core is held, so that a step of two threads takes as long as the turn of a process."""
    seconds = {1: one, 2: two}
    slower = max(seconds, key=seconds.get)
    tuner = ThreadTuner()
    drive(tuner, clock, seconds.get, 2.0)  # the first measurements
    assert drive(tuner, clock, seconds.get, 20.0)[slower] < 20.0 * 0.06


def test_trials_become_rare(clock):
    """Each wait is twice the one before, up to a second: of 20 seconds the slower way gets 20 trials, not hundreds."""
    tuner, seconds = ThreadTuner(), {1: 85e-6, 2: 50e-6}
    drive(tuner, clock, seconds.get, 2.0)
    assert drive(tuner, clock, seconds.get, 20.0)[1] < 21 * (SECONDS_OF_TRIAL + seconds[1])
