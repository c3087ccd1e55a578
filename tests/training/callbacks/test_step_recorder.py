"""The steps at which a recorder records, and how they are counted."""

import pytest

import fastnn as fn
from fastnn.training.callbacks.step_recorder import StepRecorder, steps_so_far
from tests.tiny import fit, tiny_model


class Notes(StepRecorder):
    def __init__(self, every):
        super().__init__(every)
        self.steps = []

    def record(self, run):
        self.steps.append((run.epoch, run.step, steps_so_far(run)))


# 40 samples in batches of 16: three steps an epoch. At the end of an epoch, its number counts it as done.
@pytest.mark.parametrize(
    ("every", "want"),
    [
        (1, [(0, 1, 1), (0, 2, 2), (0, 3, 3), (1, 1, 4), (1, 2, 5), (1, 3, 6)]),
        (2, [(0, 2, 2), (1, 2, 5)]),
        (3, [(0, 3, 3), (1, 3, 6)]),
        (4, [(1, 3, 3), (2, 3, 6)]),
    ],
)
def test_every_few_steps_and_once_in_an_epoch_that_has_fewer(every, want):
    notes = Notes(every)
    fit(tiny_model(), epochs=2, callbacks=[notes])
    assert notes.steps == want


def test_steps_are_counted_over_all_fits_of_a_model():
    model, notes = tiny_model(), Notes(3)
    fit(model)
    fit(model, optimizer=fn.SGD(0.1), callbacks=[notes])
    assert notes.steps == [(1, 3, 6)]


def test_bad_settings():
    with pytest.raises(TypeError, match="Notes: every is True, expected a whole number"):
        Notes(True)
    with pytest.raises(ValueError, match="Notes: every is -1, expected at least 1"):
        Notes(-1)
