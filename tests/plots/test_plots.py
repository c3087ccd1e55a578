"""The pictures show the numbers that they were given, and refuse what they cannot show."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_hex

from fastnn import plots
from fastnn.plots.planes import GRID, _class_scores
from fastnn.training.history import History
from tests.drawings import records, texts

PNG = b"\x89PNG\r\n\x1a\n"


def epochs(values, key="loss", shift=0.1):
    return [{"epoch": n, key: value, f"val_{key}": value + shift} for n, value in enumerate(values, 1)]


def two_blobs():
    x = np.array([[0.0, 0.0], [0.1, 0.2], [1.0, 1.0], [1.2, 0.9]])
    return x, np.array([0, 0, 1, 1])


def one_monitor_picture(**keywords):
    return plots.monitor(records(), **keywords)["gradient_histograms"]


SQUARE = np.arange(8.0).reshape(2, 2, 2)
DRAWERS = {
    "learning_curves": lambda **k: plots.learning_curves({"a": epochs([2, 1])}, title="t", **k),
    "bands": lambda **k: plots.bands({"a": [[1, 2], [2, 3]]}, "t", "loss", **k),
    "lines_over": lambda **k: plots.lines_over([1, 10], {"a": [1, 2]}, "x", "y", "t", log_x=True, **k),
    "decision_boundaries": lambda **k: plots.decision_boundaries(
        [("p", lambda p: p[:, 0] - 0.5, *two_blobs())], "t", **k
    ),
    "confusion_matrix": lambda **k: plots.confusion_matrix(np.eye(2, dtype=int), ["a", "b"], "t", **k),
    "residuals": lambda **k: plots.residuals(np.arange(5.0), np.arange(5.0) ** 2, "t", name="$y$", **k),
    "bars": lambda **k: plots.bars(["_a", "$b$"], [1.0, -0.5], "t", "lost", deviations=[0.1, 0.2], **k),
    "heat_map": lambda **k: plots.heat_map(np.eye(2), ["a", "b"], ["c", "d"], "t", **k),
    "image_grid": lambda **k: plots.image_grid(SQUARE, "t", **k),
    "filters": lambda **k: plots.filters(np.ones((3, 3, 4, 5)), "t", **k),
    "embedding_map": lambda **k: plots.embedding_map(np.eye(4), list("abcd"), "t", **k),
    "histograms_over_time": lambda **k: plots.histograms_over_time([1], np.ones((1, 3)), np.ones((1, 4)), "t", **k),
    "statistics_over_time": lambda **k: plots.statistics_over_time(records(), "t", **k),
    "monitor": one_monitor_picture,
}


class TestEveryPicture:
    @pytest.mark.parametrize("name", DRAWERS)
    def test_becomes_a_file(self, name, tmp_path):
        plots.save(DRAWERS[name](), tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(PNG)
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]

    @pytest.mark.parametrize("name", DRAWERS)
    def test_says_that_data_are_generated(self, name):
        assert "generated data" in texts(DRAWERS[name](note="generated data"))
        assert "generated data" not in texts(DRAWERS[name]())

    def test_a_long_title_is_not_cut(self):
        figure = plots.heat_map(np.eye(2), "ab", "cd", "a title that needs more room than a small table has " * 3)
        figure.canvas.draw()
        extent = figure._suptitle.get_window_extent()
        assert extent.x0 >= 0
        assert extent.x1 <= figure.bbox.x1

    def test_nothing_to_show_is_said(self):
        with pytest.raises(ValueError, match="nothing to show"):
            plots.statistics_over_time([], "t")
        assert plots.monitor([]) == {}


def lines(axis):
    return [(list(line.get_xdata()), list(np.round(line.get_ydata(), 6))) for line in axis.get_lines()]


class TestCurves:
    def test_train_and_validation_of_each_run(self):
        figure = plots.learning_curves({"a": epochs([3, 2, 1]), "b": epochs([5, 4])})
        assert lines(figure.axes[0]) == [
            ([1, 2, 3], [3, 2, 1]),
            ([1, 2, 3], [3.1, 2.1, 1.1]),
            ([1, 2], [5, 4]),
            ([1, 2], [5.1, 4.1]),
        ]

    def test_accuracy_in_per_cent(self):
        (axis,) = plots.learning_curves({"a": epochs([0.5, 0.75], "accuracy")}).axes
        assert lines(axis) == [([1, 2], [50, 75]), ([1, 2], [60, 85])]
        assert axis.get_ylabel() == "%"

    def test_an_epoch_without_the_value_has_no_point(self):
        (axis,) = plots.learning_curves(
            {"a": [{"epoch": 4, "loss": 1.0}, {"epoch": 5}, {"epoch": 6, "loss": 3.0}]}
        ).axes
        assert lines(axis) == [([4, 6], [1, 3])]

    def test_the_legend_names_what_is_drawn(self):
        def legend(*names, runs=1):
            epoch = {"epoch": 1} | dict.fromkeys(names, 0.5)
            axis = plots.learning_curves({f"run {n}": [epoch] for n in range(runs)}, names).axes[0]
            return [text.get_text() for text in axis.get_legend().get_texts()]

        mean, after = "training, mean over the epoch", "training, after the epoch"
        assert legend("loss") == [mean]
        assert legend("loss", "val_loss", "test_loss") == [mean, "validation", "test"]
        (axis,) = plots.learning_curves({"a": [{"loss": 1.0, "train_loss": 2.0}]}).axes
        assert axis.get_legend().get_texts()[0].get_text() == after
        assert lines(axis) == [([1], [2])]
        assert legend("test_loss", runs=2) == ["run 0", "run 1", "test"]

    def test_published_figures_are_dotted_and_in_the_run_s_colour(self):
        runs = {"a": epochs([3, 2]), "b": epochs([4, 3])}
        (axis,) = plots.learning_curves(runs, reported={"b": [{"epoch": 0, "val_loss": 9.0}]}).axes
        *_, dotted = axis.get_lines()
        assert (list(dotted.get_xdata()), list(dotted.get_ydata())) == ([0], [9])
        assert dotted.get_color() == axis.get_lines()[2].get_color() != axis.get_lines()[0].get_color()
        assert axis.get_legend().get_texts()[-1].get_text() == "published by the report"

    def test_figures_of_the_test_set_join_their_panel_if_asked_for(self):
        run = {"a": [{"loss": 2.0, "test_loss": 3.0}]}
        (axis,) = plots.learning_curves(run, ("loss", "test_loss")).axes
        assert [line.get_color() for line in axis.get_lines()] == [plots.BLUE, plots.GREEN]
        assert lines(plots.learning_curves(run).axes[0]) == [([1], [2])]
        (axis,) = plots.learning_curves(run, ("test_loss",)).axes
        assert axis.get_title() == "test loss"

    def test_none_of_the_keys(self):
        with pytest.raises(ValueError, match=r"none of \['accuracy'\] is in the epochs of \['a'\]"):
            plots.learning_curves({"a": epochs([1])}, keys=("accuracy",))

    @pytest.mark.parametrize(("last", "scale"), [(0.5, "log"), (40, "linear")])
    def test_decades_are_logarithmic(self, last, scale):
        assert plots.learning_curves({"a": epochs([77, last])}).axes[0].get_yscale() == scale

    def test_more_runs_than_colours_can_be_told_apart(self):
        (axis,) = plots.learning_curves({str(n): epochs([n]) for n in range(12)}).axes
        looks = {(line.get_color(), line.get_linestyle()) for line in axis.get_lines() if line.get_linewidth() > 1}
        assert len(looks) == 12

    def test_bands_are_mean_and_sample_deviation(self):
        (axis,) = plots.bands({"a": [[1, 2, 3], [3, 4, 7]]}, "t", "loss").axes
        assert lines(axis)[-1] == ([1, 2, 3], [2, 3, 5])
        edges = axis.collections[0].get_paths()[0].vertices
        at_3 = edges[edges[:, 0] == 3][:, 1]
        np.testing.assert_allclose([at_3.min(), at_3.max()], [5 - np.sqrt(8), 5 + np.sqrt(8)])
        with pytest.raises(ValueError, match=r"'a' have lengths \[1, 2\]"):
            plots.bands({"a": [[1], [1, 2]]}, "t", "loss")

    def test_lines_over_wants_a_value_for_each_x(self):
        with pytest.raises(ValueError, match="'a' has 1 values for 2"):
            plots.lines_over([1, 2], {"a": [1]}, "x", "y", "t")

    def test_one_run_with_its_best_epoch_and_floor(self):
        both = zip(epochs([3, 2, 2.5]), epochs([0.1, 0.2, 0.3], "accuracy"), strict=True)
        history = History(epochs=[a | b for a, b in both])
        figure = plots.run_curves(history, "trigram", {"source": "generated", "true_entropy": 1.5})
        assert figure.get_suptitle() == "trigram: how does the training go, on generated data?"
        assert ([2], [2.1]) in lines(figure.axes[0])
        assert ([0, 1], [1.5, 1.5]) in lines(figure.axes[0])


class TestFields:
    def test_the_net_is_asked_all_over_the_plane(self):
        asked = []

        def predict(points):
            asked.append(points)
            return points[:, 0]

        x, y = two_blobs()
        plots.decision_boundaries([("p", predict, x, y)], "t")
        assert asked[0].shape == (GRID * GRID, 2)
        assert (asked[0].min(axis=0) < x.min(axis=0)).all()
        assert (asked[0].max(axis=0) > x.max(axis=0)).all()

    @pytest.mark.parametrize(
        ("outputs", "threshold", "want"),
        [
            ([0.2, 0.9], None, [0, 1]),  # probabilities
            ([-0.2, 0.4], None, [0, 1]),  # scores
            ([0.2, 0.4], 0.0, [1, 1]),
            ([[0.2], [0.9]], None, [0, 1]),
            ([[3, 1, 2], [0, 1, 5]], None, [0, 2]),
        ],
    )
    def test_which_class_wins(self, outputs, threshold, want):
        assert list(_class_scores(np.array(outputs, float), threshold).argmax(axis=1)) == want

    @pytest.mark.parametrize("labels", [(0, 1), (-1, 1)])
    def test_points_have_their_class_s_colour(self, labels):
        x, y = two_blobs()
        (axis,) = plots.decision_boundaries([("p", lambda p: p[:, 0] - 0.5, x, np.choose(y, labels))], "t").axes
        points = {to_hex(group.get_facecolor()[0]).upper(): group for group in axis.collections[-2:]}
        assert np.array_equal(points[plots.BLUE].get_offsets(), x[:2])
        assert np.array_equal(points[plots.ORANGE].get_offsets(), x[2:])

    def test_one_class_everywhere_is_no_trouble(self):
        (axis,) = plots.decision_boundaries([("p", lambda p: np.zeros((len(p), 3)), *two_blobs())], "t").axes
        assert sum(len(group.get_offsets()) for group in axis.collections[-2:]) == len(two_blobs()[0])

    def test_confusion_says_how_many_are_right(self):
        figure = plots.confusion_matrix(np.array([[8, 1], [1, 0]]), ["cat", "car"], "test")
        assert figure.get_suptitle() == "test: 80.00 % of 10 right"
        assert [text.get_text() for text in figure.axes[0].texts] == ["8", "1", "1", ""]

    @pytest.mark.parametrize(("best", "place"), [("max", (1, 1)), ("min", (0, 0))])
    def test_heat_map_frames_the_best_and_dashes_what_diverged(self, best, place):
        (axis,) = plots.heat_map(np.array([[1, np.nan], [2, 3]]), ["a", "b"], ["c", "d"], "t", best=best).axes
        assert [text.get_text() for text in axis.texts] == ["1", "–", "2", "3"]
        (frame,) = axis.patches
        assert (round(frame.get_y()), round(frame.get_x())) == place

    def test_numbers_below_0_have_a_minus_as_at_the_axes(self):
        (axis,) = plots.heat_map(np.array([[-0.25, 1]]), ["-1"], ["c", "d"], "t").axes
        assert [text.get_text() for text in axis.texts] == ["−0.25", "1.00"]
        assert [label.get_text() for label in axis.get_yticklabels()] == ["-1"]  # a name is a user's own
        (axis,) = plots.lines_over([-2, 1e-5, 1000], {"a": [1, 2, 3]}, "x", "y", "t").axes
        assert [label.get_text() for label in axis.get_xticklabels()] == ["−2", "1e-5", "1,000"]

    @pytest.mark.parametrize(
        ("values", "written"),
        [
            ([0.32, 0.311, 0.5304, math.nan], ["0.320", "0.311", "0.530", "–"]),
            ([-12.94, 5.5, 99, 1], ["−12.9", "5.5", "99.0", "1.0"]),
            ([5120, 1280.4, 700, -60], ["5,120", "1,280", "700", "−60"]),
            ([12345, 0, -7, 1000], ["12,345", "0", "−7", "1,000"]),
            ([0, 0, 0, 0], ["0", "0", "0", "0"]),
            ([100, 0.3, 0, 2], ["100", "0.3", "0", "2"]),
            ([1.5e-8, 2e-8, 0, 3e-8], ["1.5e-08", "2e-08", "0", "3e-08"]),
            ([3e9, 1e9, 2e9, 5e9], ["3e+09", "1e+09", "2e+09", "5e+09"]),
            ([math.nan, math.inf, math.nan, -math.inf], ["–"] * 4),
        ],
    )
    def test_heat_map_writes_its_values_with_the_same_decimals(self, values, written):
        (axis,) = plots.heat_map(np.reshape(values, (2, 2)), ["a", "b"], ["c", "d"], "t").axes
        assert [text.get_text() for text in axis.texts] == written

    def test_heat_map_refuses_labels_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"values \(2, 2\), labels for \(1, 2\)"):
            plots.heat_map(np.eye(2), ["a"], ["c", "d"], "t")


def test_one_epoch_has_one_tick():
    figure = plots.learning_curves({"a": epochs([2.0])}, keys=("loss",))
    figure.canvas.draw()
    (axis,) = figure.axes
    low, high = axis.get_xlim()
    assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [1.0]


def legend_of(axis):
    legend = axis.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


RUN = {"epoch": 1, "loss": 2.0, "accuracy": 0.5, "val_accuracy": 0.4}
PRINTED = [{"epoch": 1, "accuracy": 0.6}]


class TestOneLegend:
    """Each panel's legend names what it shows; a shared one names the panels of what not all of them show."""

    @pytest.mark.parametrize("labels", [["a"], ["a", "b"]])
    def test_what_only_a_later_panel_shows_is_named_there(self, labels):
        runs = {label: [RUN] for label in labels}
        loss, accuracy = plots.learning_curves(runs, reported={"a": PRINTED}).axes
        names = labels if len(labels) > 1 else []
        assert legend_of(loss) == [*names, "training, mean over the epoch"]
        assert legend_of(accuracy) == ["validation", "published by the report"]

    def test_a_legend_beside_the_panels_names_those_that_have_published_curves(self):
        runs = {f"a label of more letters, {n}": [RUN] for n in range(2)}
        loss, accuracy = plots.learning_curves(runs, reported={next(iter(runs)): PRINTED}).axes
        assert legend_of(loss) == []
        assert legend_of(accuracy) == [
            *runs,
            "training, mean over the epoch",
            "validation (accuracy)",
            "published by the report (accuracy)",
        ]

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_legend_below_the_panels(self, count):
        points = ([1, 2], [1, 2])
        panels = [
            plots.CurvePanel(title, "step", {"a": points}, reported={"a": points} if number < count else {})
            for number, title in enumerate(("loss", "accuracy"))
        ]
        (legend,) = plots.curve_panels(panels, "t").legends
        text = "published by the report" + (" (loss)" if count == 1 else "")
        assert [entry.get_text() for entry in legend.get_texts()] == ["a", text]


COLOURED = {
    "learning_curves": lambda **k: plots.learning_curves({name: epochs([1, 2]) for name in "ab"}, ["val_loss"], **k),
    "smoothed_curves": lambda **k: plots.smoothed_curves({"loss": {"a": [1, 2], "b": [2, 3]}}, "t", 1, **k),
    "lines_over": lambda **k: plots.lines_over([1, 2], {"a": [1, 2], "b": [2, 3]}, "x", "y", "t", **k),
    "curve_panels": lambda **k: plots.curve_panels(
        [plots.CurvePanel("p", "x", {"a": ([1, 2], [1, 2]), "b": ([1, 2], [2, 3])})], "t", **k
    ),
}


@pytest.mark.parametrize("name", COLOURED)
def test_a_run_has_the_colour_that_it_is_given(name):
    def drawn(**given):
        figure = COLOURED[name](**given)
        (axis,) = figure.axes
        legend = axis.get_legend() or figure.legends[0]
        return [line.get_color() for line in axis.get_lines()], [line.get_color() for line in legend.get_lines()][:2]

    assert drawn() == ([plots.BLUE, plots.ORANGE],) * 2
    assert drawn(colours={"a": 2}) == ([plots.GREEN, plots.ORANGE],) * 2
    assert drawn(colours={"a": 2, "b": 0}) == ([plots.GREEN, plots.BLUE],) * 2


def test_units_stand_beside_the_axes():
    (axis,) = plots.learning_curves({"a": epochs([1, 2])}, units={"loss": "nats"}).axes
    assert axis.get_ylabel() == "nats"
    panels = {"loss": {"a": [1, 2]}, "accuracy": {"a": [0.1, 0.2]}}
    axes = plots.smoothed_curves(panels, "t", 1, units={"loss": "nats"}).axes
    assert [axis.get_ylabel() for axis in axes] == ["nats", "%"]
