"""What training records: a dict an epoch, and the loss of every step."""

import numpy as np
import pytest

import fastnn as fn
from tests.tiny import fit, tiny_model, trigrams


class TestHistory:
    def test_one_entry_an_epoch(self):
        model = fit(tiny_model(), epochs=3, validation_data=trigrams(9))
        history = model.history
        assert [epoch["epoch"] for epoch in history.epochs] == history["epoch"] == [1, 2, 3]
        names = ["epoch", "loss", "accuracy", "lr", "seconds", "samples_per_second", "val_loss", "val_accuracy"]
        assert list(history.epochs[0]) == names
        assert all(type(epoch[name]) in (int, float) for epoch in history.epochs for name in names)
        assert len(history.steps["loss"]) == 9
        assert history.stop_reason is None
        assert history["lr"] == [0.3] * 3
        assert all(seconds > 0 for seconds in history["seconds"])

    def test_loss_of_an_epoch_is_the_mean_of_its_steps_by_samples(self):
        history = fit(tiny_model()).history
        np.testing.assert_allclose(history["loss"][0], np.dot(history.steps["loss"], [16, 16, 8]) / 40, rtol=1e-6)

    def test_fit_returns_the_model_s_history(self):
        model = tiny_model()
        assert model.fit(*trigrams(), optimizer=fn.SGD(0.1), verbose=False) is model.history

    def test_best(self):
        history = fn.History(
            epochs=[{"loss": 3.0, "accuracy": 0.1}, {"loss": 1.0, "accuracy": 0.3}, {"loss": 2.0, "accuracy": 0.2}]
        )
        assert history.best("loss") is history.best("accuracy") is history.epochs[1]
        assert history.best("loss", "max") is history.best("accuracy", mode="min") is history.epochs[0]

    def test_best_is_never_nan(self):
        nan = float("nan")
        history = fn.History(epochs=[{"val_r2": r2, "mae": nan} for r2 in (nan, -0.5, nan, 0.25, 0.25, nan)])
        assert history.best("val_r2") is history.epochs[3]
        with pytest.raises(ValueError, match="'mae' is NaN in all 6 epochs"):
            history.best("mae")

    def test_best_of_what_no_name_tells(self):
        history = fn.History(epochs=[{"cost": 3.0}, {"cost": 1.0}])
        with pytest.raises(ValueError, match=r"history.best: cannot tell .* 'cost' is better; say mode='max' or mode="):
            history.best("cost")
        with pytest.raises(ValueError, match="mode is 'low', expected 'auto', 'min' or 'max'"):
            history.best("cost", "low")
        assert history.best("cost", "min") is history.epochs[1]

    def test_an_unknown_figure_says_which_there_are(self):
        with pytest.raises(KeyError, match=r"val_loss.*accuracy"):
            fit(tiny_model()).history["val_loss"]
