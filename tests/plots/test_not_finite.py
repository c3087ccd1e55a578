"""NaN and infinity in what is drawn, as of trainings that diverged: they have no point, and all others have theirs."""

import itertools

import numpy as np
import pytest

from fastnn import plots
from fastnn.plots.smoothed import running_mean
from fastnn.training.history import History

pytest.importorskip("matplotlib")

NAN, INF = float("nan"), float("inf")
LOST = [0.9, NAN, 0.7, INF, 0.5, -INF]
KNOWN = [0.9, 0.7, 0.5]


def epochs(values):
    names = ("loss", "val_loss", "accuracy", "val_accuracy")
    return [{"epoch": number} | dict.fromkeys(names, value) for number, value in enumerate(values, 1)]


def records(lost):
    """Two steps of one array, the second not finite as a Monitor records it."""
    figures = dict.fromkeys(("min", "max", "mean", "std"), lost) | {"nonfinite": 4}
    counts, edges = np.array([0, 0]), np.array([0.0, 0.5, 1.0])
    first = dict.fromkeys(("min", "max", "mean", "std"), 0.5) | {"nonfinite": 0}
    kept = {"epoch": 1, "kind": "gradient", "name": "dense.w", "edges": edges}
    return [kept | first | {"step": 1, "counts": np.array([1, 2])}, kept | figures | {"step": 2, "counts": counts}]


FIGURES = {
    "run_curves": lambda: plots.run_curves(History(epochs=epochs(LOST[:3])), "t", {"source": "a.csv"}),
    "learning_curves": lambda: plots.learning_curves({"a": epochs(LOST), "b": epochs([NAN] * 6)}, title="t"),
    "lines_over": lambda: plots.lines_over(range(6), {"a": LOST, "b": [NAN] * 6}, "x", "y", "t", wide_y=True),
    "bands": lambda: plots.bands({"a": [LOST, KNOWN * 2]}, "t", "y"),
    "smoothed_curves": lambda: plots.smoothed_curves({"test accuracy": {"a": LOST}, "loss": {"a": LOST}}, "t", 3),
    "loss_beside_error": lambda: plots.loss_beside_error({"a": ("mse", LOST, LOST)}, "t"),
    "curve_panels": lambda: plots.curve_panels([plots.CurvePanel("a", "step", {"a": (range(6), LOST)})], "t"),
    "search_dots": lambda: plots.search_dots({"rate": [1.0, 2, 3, 4, 5, 6]}, LOST, "t", "y"),
    "heat_map": lambda: plots.heat_map(np.reshape(LOST, (2, 3)), ["a", "b"], ["c", "d", "e"], "t"),
    "residuals": lambda: plots.residuals(np.arange(6.0), np.array(LOST), "t"),
    "bars": lambda: plots.bars(list("abcdef"), LOST, "t", "x", deviations=np.abs(LOST)),
    "image_grid": lambda: plots.image_grid(np.reshape(LOST * 2, (2, 2, 3)), "t"),
    "statistics_over_time": lambda: plots.statistics_over_time(records(NAN), "t"),
    "statistics of infinity": lambda: plots.statistics_over_time(records(INF), "t"),
    "monitor": lambda: plots.monitor(records(NAN))["gradient_histograms"],
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_drawn_in_a_range_of_numbers(name, tmp_path):
    figure = FIGURES[name]()
    plots.save(figure, tmp_path / "a.png")
    for axis in figure.axes:
        assert np.isfinite([*axis.get_xlim(), *axis.get_ylim()]).all()
        assert np.ptp(axis.get_ylim()) < 1e3


def test_a_running_mean_goes_on_after_what_is_not_finite():
    np.testing.assert_allclose(running_mean([1, NAN, 3, INF, 5, 6], 3), [1, 2, 3, 4, 5.5, 5.5])
    np.testing.assert_array_equal(running_mean([NAN, NAN, NAN, 2], 3), [NAN, NAN, 2, 2])


def test_the_errors_that_are_known_have_room():
    _left, right = plots.loss_beside_error({"a": ("mse", LOST, [NAN, *KNOWN])}, "t").axes
    assert right.get_ylim() == pytest.approx((0, 1.05 * 90))


@pytest.mark.parametrize(("lowest", "best"), [(False, (1, 0.9)), (True, (5, 0.5))])
def test_the_best_of_a_search_is_one_that_is_drawn(lowest, best):
    (axis,) = plots.search_dots({"rate": [1.0, 2, 3, 4, 5, 6]}, LOST, "t", "y", lowest=lowest).axes
    marked = axis.get_lines()[-1]
    assert (marked.get_xdata()[0], marked.get_ydata()[0]) == best


@pytest.mark.parametrize(("best", "place"), [("max", (0, 0)), ("min", (1, 1))])
def test_the_best_cell_is_one_with_a_number(best, place):
    axis = plots.heat_map(np.reshape(LOST, (2, 3)), ["a", "b"], ["c", "d", "e"], "t", best=best).axes[0]
    (frame,) = axis.patches
    assert frame.get_xy() == pytest.approx((place[1] - 0.48, place[0] - 0.46))


def test_numbers_at_the_axes_are_written_as_in_texts():
    figure = plots.lines_over(range(0, 60_000, 1_000), {"a": np.linspace(-2_000, 0.5, 60)}, "step", "y", "t")
    figure.canvas.draw()
    (axis,) = figure.axes
    assert "20,000" in [text.get_text() for text in axis.get_xticklabels()]
    assert "−1,500" in [text.get_text() for text in axis.get_yticklabels()]


def overlap(axis):
    """Whether two numbers below a panel touch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(axis.figure).get_renderer()
    low, high = sorted(axis.get_xlim())
    shown = [text for text in axis.get_xticklabels() if low <= text.get_position()[0] <= high]
    boxes = sorted(text.get_window_extent(renderer).extents[[0, 2]].tolist() for text in shown)
    return any(right > left for (_, right), (left, _) in itertools.pairwise(boxes))


@pytest.mark.parametrize("most", [5, 900, 90_000, 9e5, 9e6])
def test_long_numbers_have_room(most, tmp_path):
    x = np.linspace(most / 8, most, 50)  # so that nine numbers are round ones
    panel = plots.CurvePanel("a", "step", {"a": (x, x)})
    for figure in (
        plots.residuals(x, x, "t"),
        plots.curve_panels([panel] * 3, "t"),
        plots.lines_over(x, {"a": x}, "x", "y", "t"),
    ):
        plots.save(figure, tmp_path / "a.png")
        for axis in figure.axes:
            assert not overlap(axis)
            assert len(axis.get_xticks()) >= 3


def test_small_numbers_and_a_way_of_the_user_s_stay():
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    axis.xaxis.set_major_formatter("{x:.0f} steps")
    plots.lines_over(range(0, 4_000, 200), {"a": np.linspace(0.12345, 0.12349, 20)}, "step", "y", "t", ax=axis)
    axis.figure.canvas.draw()
    assert "2000 steps" in [text.get_text() for text in axis.get_xticklabels()]
    assert all("," not in text.get_text() for text in axis.get_yticklabels())
