"""Pictures in axes, figures and subfigures of a user, and as the last line of a notebook's cell."""

import inspect
import warnings
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastnn import plots
from tests.plots.test_text_in_plots import FIGURES

TAKES = {name: {"ax", "figure"} & set(inspect.signature(getattr(plots, name)).parameters) for name in FIGURES}
PNG = b"\x89PNG\r\n\x1a\n"


def drawn(name, monkeypatch, **into):
    """The picture, drawn into what is given."""
    monkeypatch.setattr(plots, name, partial(getattr(plots, name), **into))
    return FIGURES[name]("word")


def test_every_picture_can_be_drawn_into_something_and_says_so():
    assert [name for name, takes in TAKES.items() if not takes] == ["monitor"]  # several figures
    for name, takes in TAKES.items():
        assert all(f"    {argument}: " in inspect.getdoc(getattr(plots, name)) for argument in takes), name


@pytest.mark.parametrize("name", [name for name, takes in TAKES.items() if "ax" in takes])
def test_in_axes_of_a_user(name, monkeypatch):
    figure = Figure(figsize=(9, 4))
    left, right = figure.subplots(1, 2)
    canvas, size = figure.canvas, tuple(figure.get_size_inches())
    assert drawn(name, monkeypatch, ax=left) is left
    figure.canvas.draw()
    assert left.has_data()
    assert not right.has_data()
    assert "word" in left.get_title()
    assert "word" in [text.get_text() for text in left.texts]  # the note
    assert (figure.canvas, tuple(figure.get_size_inches())) == (canvas, size)
    assert figure.get_layout_engine() is None


@pytest.mark.parametrize("name", [name for name, takes in TAKES.items() if "figure" in takes])
@pytest.mark.parametrize("is_part", [False, True], ids=["figure", "subfigure"])
def test_in_a_figure_of_a_user(name, is_part, monkeypatch):
    whole = Figure(figsize=(12, 6), layout="constrained" if is_part else None)
    figure = whole.subfigures(1, 2)[0] if is_part else whole
    panels = drawn(name, monkeypatch, figure=figure)
    whole.canvas.draw()
    assert panels == [axis for axis in figure.axes if axis in panels]
    assert all(axis.has_data() for axis in panels)
    assert "word" in figure.get_suptitle()


def test_what_is_no_axes_is_refused():
    figure = Figure()
    with pytest.raises(TypeError, match="ax is ndarray, expected one matplotlib Axes"):
        plots.points(np.eye(2), np.arange(2), "t", ax=figure.subplots(1, 2))
    with pytest.raises(TypeError, match="figure is str, expected a matplotlib Figure or SubFigure"):
        plots.functions([0, 1], {"a": {"b": [1, 2]}}, "t", figure="figure")
    with pytest.raises(ValueError, match="ax holds one panel, but there are 2 to draw; give figure="):
        plots.learning_curves({"a": [{"epoch": 1, "loss": 1.0, "accuracy": 1.0}]}, ax=figure.subplots())


class TestInANotebook:
    def test_a_figure_is_its_own_picture(self):
        figure = plots.lines_over([1, 2], {"a": [1, 2]}, "x", "y", "title")
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            assert figure._repr_png_().startswith(PNG)
            assert figure._repr_png_() == figure._repr_png_()

    def test_pyplot_does_not_know_it(self):
        """It would show it a second time, and keep it."""
        import matplotlib.pyplot as plt

        before = plt.get_fignums()
        plots.lines_over([1, 2], {"a": [1, 2]}, "x", "y", "title")
        assert plt.get_fignums() == before
