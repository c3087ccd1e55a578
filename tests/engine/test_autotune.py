"""One thread or all: chosen by the seconds that each took, on a clock that the test moves."""

import numpy as np
import pytest

from fastnn.engine import autotune
from fastnn.engine.autotune import PAUSE, SECONDS_BETWEEN_PROBES, SECONDS_TO_FIRST_PROBE, ThreadTuner
from tests.tiny import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(autotune, "time", clock)
    return clock


def measured(**seconds):
    """A tuner that has tried both, just now."""
    tuner = ThreadTuner()
    for threads, step in ((2, seconds["two"]), (1, seconds["one"])):
        tuner.ran(threads, 1, step)
        tuner.ran(threads, 50, 50 * step)
    tuner.choose(2, 0.05)
    return tuner


def later(tuner, clock, seconds):
    """The clock after so many seconds, in which calls followed each other."""
    clock.now += seconds
    faster = min(tuner.seconds, key=tuner.seconds.get)
    tuner.ran(faster, 10, 10 * tuner.seconds[faster])


def test_one_thread_where_several_are_slower(clock):
    tuner = ThreadTuner()
    assert tuner.choose(2, 0.05) == (2, 1)
    tuner.ran(2, 1, 0.004)
    assert tuner.choose(2, 0.05) == (1, 1)
    tuner.ran(1, 1, 0.0005)
    assert tuner.choose(2, 0.05) == (2, 1)  # both once more: the first steps were cold
    tuner.ran(2, 1, 0.004)
    assert tuner.choose(2, 0.05) == (1, 4)
    tuner.ran(1, 4, 0.002)
    clock.now += 0.01
    assert tuner.choose(2, 0.05) == (1, 100)
    assert tuner.choose(2, 0.05) == (1, 100)


def test_a_cold_first_step_does_not_decide(clock):
    """In a new process the first step on all threads met empty caches; for a second training ran on one thread."""
    tuner = ThreadTuner()
    calls = (2, 1, 0.050), (1, 1, 0.0002), (2, 1, 0.00015), (2, 12, 0.0012), (2, 6, 0.0008), (1, 10, 0.002)
    for threads, steps, seconds in calls:
        assert tuner.choose(2, 0.05) == (threads, steps)
        tuner.ran(threads, steps, seconds)
    assert tuner.choose(2, 0.05)[0] == 2


@pytest.mark.usefixtures("clock")
def test_all_threads_where_they_are_faster():
    assert measured(one=0.004, two=0.0005).choose(2, 0.05) == (2, 100)


@pytest.mark.parametrize(("one", "two", "other", "steps"), [(0.0005, 0.004, 2, 1), (0.001, 0.0004, 1, 2)])
def test_the_other_way_is_tried_again_for_a_short_time(clock, one, two, other, steps):
    tuner = measured(one=one, two=two)
    later(tuner, clock, SECONDS_BETWEEN_PROBES)
    assert tuner.choose(2, 0.05)[0] != other
    later(tuner, clock, 0.001)
    assert tuner.choose(2, 0.05) == (other, steps)
    tuner.ran(other, steps, 0.0021)
    assert tuner.choose(2, 0.05)[0] != other, "one trial, then the faster way again"


def test_a_trial_of_short_calls_takes_several(clock):
    """The first step wakes threads that slept: alone it would tell that they are slow, each time."""
    tuner = measured(one=0.0005, two=0.0006)
    later(tuner, clock, SECONDS_BETWEEN_PROBES + 0.001)
    for seconds in (0.0012, 0.0003, 0.0003):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, seconds)
    for _ in range(20):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, 0.0003)


def test_the_other_way_is_taken_when_a_trial_was_faster(clock):
    tuner = measured(one=0.0005, two=0.004)
    later(tuner, clock, SECONDS_BETWEEN_PROBES + 0.001)
    threads, _ = tuner.choose(2, 0.05)
    tuner.ran(threads, 7, 0.0021)
    assert tuner.choose(2, 0.05) == (2, 166)


def test_where_both_took_about_as_long_trials_come_soon_and_then_seldom(clock):
    """A disturbed first measurement kept a training of less than a second on one thread."""
    tuner, trials = measured(one=0.0008, two=0.0009), []
    begin = clock.now
    while clock.now < begin + 4:
        later(tuner, clock, 0.001)
        if tuner.choose(2, 0.05)[0] == 2:
            trials.append(clock.now - begin)
            tuner.ran(2, 3, 0.0027)
    waits = [trials[0], *np.diff(trials)]
    assert np.allclose(waits[:5], [0.05, 0.1, 0.2, 0.4, 0.8], atol=0.002)
    assert np.allclose(waits[5:], SECONDS_BETWEEN_PROBES, atol=0.002)


def test_where_another_process_holds_a_core_no_trial_comes_soon(clock):
    tuner, trials = measured(one=0.0008, two=0.004), []
    begin = clock.now
    while clock.now < begin + 2:
        later(tuner, clock, 0.001)
        if tuner.choose(2, 0.05) == (2, 1):
            trials.append(clock.now - begin)
            tuner.ran(2, 1, 0.004)
    assert np.allclose(trials, [SECONDS_BETWEEN_PROBES], atol=0.003)


def test_a_slow_step_on_all_threads_is_not_taken_many_times(clock):
    """Where another process held a core, the second measurement was 15 steps of 16 ms."""
    tuner = ThreadTuner()
    for threads, seconds in ((2, 0.016), (1, 0.0001), (2, 0.016)):
        assert tuner.choose(2, 0.05) == (threads, 1)
        tuner.ran(threads, 1, seconds)
    assert tuner.choose(2, 0.05) == (1, 20)


def test_after_a_pause_a_trial_waits_for_one_call(clock):
    """In a pause another library ran, whose threads still spin: so every trial failed, if each came after a pause."""
    tuner = measured(one=0.0005, two=0.004)
    for _ in range(2):
        clock.now += SECONDS_BETWEEN_PROBES + 2 * PAUSE
        assert tuner.choose(2, 0.05) == (1, 20)
        tuner.ran(1, 20, 0.01)
        clock.now += 2 * PAUSE  # where each call follows a pause, a trial does, too
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, 0.004)


def test_one_slow_step_among_quick_ones_does_not_decide(clock):
    """A loop of a user's own has calls of one step: with the last one deciding it changed over now and then."""
    tuner = measured(one=0.0005, two=0.0003)
    for seconds in (0.0003, 0.0007, 0.0003):
        assert tuner.choose(2, 0.05)[0] == 2
        tuner.ran(2, 1, seconds)
    for _ in range(60):
        tuner.ran(2, 1, 0.0007)
    assert tuner.choose(2, 0.05)[0] == 1, "if it stays slow, it does"


@pytest.mark.usefixtures("clock")
def test_one_slow_call_of_many_steps_does_not_decide():
    """Calls of an epoch of 2 ms: one of them, twice as slow, left a training on one thread for a second."""
    tuner = measured(one=0.000085, two=0.00005)
    tuner.ran(2, 40, 40 * 0.0001)
    assert tuner.choose(2, 0.05)[0] == 2
    tuner.ran(2, 1, 0.016)  # another process holds a core
    assert tuner.choose(2, 0.05)[0] == 1


def test_after_a_change_the_other_way_is_tried_soon(clock):
    tuner = measured(one=0.000085, two=0.00005)
    later(tuner, clock, 0.5)
    tuner.ran(*tuner.choose(2, 0.05), 0.002)  # a trial of one thread: the next one would come late
    later(tuner, clock, 0.06)
    tuner.ran(2, 40, 0.009)
    assert tuner.choose(2, 0.05)[0] == 1
    later(tuner, clock, SECONDS_TO_FIRST_PROBE + 0.001)
    assert tuner.choose(2, 0.05)[0] == 2


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


def test_trials_of_long_steps_are_a_small_part_of_them(clock):
    """A step of 10,000 samples takes .08 s on two threads: a trial of .15 s after each .05 s took twice the time."""
    tuner, spent = measured(two=0.08, one=0.15), {1: 0.0, 2: 0.0}
    for _ in range(200):
        threads, steps = tuner.choose(2, 0.05)
        seconds = steps * {1: 0.15, 2: 0.08}[threads]
        clock.now += seconds
        tuner.ran(threads, steps, seconds)
        spent[threads] += seconds
    assert 0 < spent[1] < 0.1 * spent[2]
