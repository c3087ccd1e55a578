"""What training records: a dict an epoch, and the loss of every step."""

import base64
import pickle
import re
import sys

import numpy as np
import pytest

import fastnn as fn
from fastnn.common.text import percent
from tests.tiny import fit, tiny_model, trigrams


@pytest.fixture(scope="module")
def history():
    return fit(tiny_model(), epochs=4, validation_data=trigrams(9)).history


def picture(history):
    """The SVG picture in what a notebook shows."""
    return base64.b64decode(re.search(r"base64,([^\"]*)", history._repr_html_()).group(1)).decode()


class TestShown:
    """As a table, a figure, a line, and in a notebook."""

    def test_a_frame(self, history):
        frame = pytest.importorskip("pandas").DataFrame(history.epochs).set_index("epoch")
        assert history.to_frame().equals(frame)
        assert list(history.to_frame().index) == [1, 2, 3, 4]
        assert len(fn.History().to_frame()) == 0

    def test_without_pandas(self, history, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(fn.FastnnError, match=r"pandas is not installed; install it with: pip install pandas$"):
            history.to_frame()

    def test_a_figure_of_both_losses(self, history):
        loss, accuracy = history.plot().axes
        assert [list(line.get_ydata()) for line in loss.lines] == [history["loss"], history["val_loss"]]
        np.testing.assert_allclose(accuracy.lines[1].get_ydata(), np.multiply(100, history["val_accuracy"]))

    def test_in_axes_of_a_user(self, history):
        from matplotlib.figure import Figure

        ax = Figure().subplots()
        assert history.plot(ax=ax) is history.plot("accuracy", ax=ax) is ax
        assert len(ax.lines) == 4
        with pytest.raises(ValueError, match="ax holds one panel, but there are 2 to draw"):
            history.plot("loss", "accuracy", ax=ax)

    @pytest.mark.parametrize("names", [("acc",), ("loss", "acc")])
    def test_a_figure_that_is_not_there(self, history, names):
        with pytest.raises(
            ValueError, match=r"^history.plot: no 'acc' in this history; it has \['accuracy', 'epoch', "
        ):
            history.plot(*names)

    def test_a_line_that_does_not_grow(self, history):
        assert re.fullmatch(r"<History of 4 epochs: loss [\d.]+, accuracy [\d.]+ %, val_loss .*>", repr(history))
        assert repr(fn.History()) == "<History of 0 epochs>"

    def test_html_has_last_and_best(self, history):
        html = history._repr_html_()
        best = history.best("val_accuracy")
        assert f">{percent(history['val_accuracy'][-1])}</td>" in html
        assert f">{percent(best['val_accuracy'])}</td>" in html
        assert 'alt="loss and val_loss by epoch"' in html
        assert len(html) < 5_000
        assert "0 epochs" in fn.History()._repr_html_()

    def test_html_of_odd_figures(self):
        epochs = [{"epoch": 1, "loss": float("nan"), "<b>": 1.0, "arrays": np.ones(3)}, {"epoch": 2, "loss": 1.0}]
        html = fn.History(epochs=[epochs[1], epochs[0]], stop_reason="<why>")._repr_html_()
        assert "&lt;b&gt;" in html
        assert "&lt;why&gt;" in html
        assert "arrays" not in html

    def test_a_long_history_is_a_short_picture(self):
        epochs = [{"epoch": n, "loss": 1000.0 / n, "val_loss": 1.0} for n in range(1, 20_001)]
        assert len(fn.History(epochs=epochs)._repr_html_()) < 7_000

    @pytest.mark.parametrize(("first", "last"), [(1, 3_322), (100, 278), (1, 2)])
    def test_the_curve_in_html_reaches_from_the_first_epoch_to_the_last(self, first, last):
        """Also where its points are means of neighbouring epochs."""
        svg = picture(fn.History(epochs=[{"epoch": e, "loss": 1 / e} for e in range(first, last + 1)]))
        assert re.findall(r">([\d,]+)</text>", svg)[:2] == [f"{first:,}", f"{last:,}"]
        left, right = (float(x) for x in re.search(r"points='(\d+),.* (\d+),[^ ]*'", svg).groups())
        begin, end = (float(x) for x in re.search(r"d='M(\d+) \d+V\d+H(\d+)'", svg).groups())
        if last - first < 80:
            assert (left, right) == (begin, end)
        else:  # the means lie in the middles of their epochs
            assert 0 < left - begin < 4
            assert 0 < end - right < 4

    def test_a_number_of_an_epoch_is_written_as_others_are(self):
        html = fn.History(epochs=[{"epoch": n, "loss": 1 / n} for n in (1, 3_322)])._repr_html_()
        assert html.count(">3,322</td>") == 1
        assert "3322" not in html

    def test_a_lost_figure_takes_no_others_with_it(self):
        """One epoch in four has no loss: the points are the means of the others."""
        losses = [float("nan" if n % 2 else "inf") if n % 4 == 1 else 2.0 + n for n in range(1, 401)]
        svg = picture(fn.History(epochs=[{"epoch": n, "loss": loss} for n, loss in enumerate(losses, 1)]))
        points = re.search("points='([^']*)'", svg).group(1).split()
        assert len(points) == 80
        heights = [float(point.split(",")[1]) for point in points]
        assert heights == sorted(heights, reverse=True)

    def test_a_curve_of_nothing_is_none(self):
        history = fn.History(epochs=[{"epoch": n, "loss": float("nan")} for n in (1, 2)])
        assert "<img" not in history._repr_html_()
        one = fn.History(epochs=[{"epoch": 1, "loss": float("nan")}], steps={"loss": [float("nan")] * 200})
        assert "<img" not in one._repr_html_()

    def test_the_curve_of_many_steps_reaches_from_the_first_to_the_last(self):
        svg = picture(fit(tiny_model(), count=400, batch_size=1).history)
        assert re.findall(r">([\d,]+)</text>", svg)[:2] == ["1", "400"]


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


def test_a_pickle_that_was_made_before_history_became_a_room_is_read():
    assert pickle.loads(b"cfastnn.training.history\nHistory\n.") is fn.History
