"""Pictures of weights, of words and of the records of a Monitor."""

import itertools

import numpy as np
import pytest

import fastnn as fn
from fastnn import plots
from fastnn.plots.images import _columns, _enlarged, _tiled
from fastnn.plots.ridges import RIDGES, outline, shown_range
from fastnn.plots.words import APART, principal_plane
from tests.drawings import records, texts
from tests.tiny import fit, tiny_model


class TestImages:
    def test_zero_is_the_middle_of_the_scale(self):
        weights = np.zeros((2, 30, 30))
        weights[0], weights[1] = -3.0, 1.0
        picture = plots.image_grid(weights, "t").axes[0].images[0]
        assert picture.get_clim() == (-3.0, 3.0)
        assert picture.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)

    def test_each_picture_is_in_its_place(self):
        weights = np.arange(3 * 30 * 40, dtype=float).reshape(3, 30, 40)
        canvas = _tiled(weights, 2, (2, 5))
        assert np.array_equal(canvas[2:32, 45:85], weights[1])
        assert np.array_equal(canvas[34:64, :40], weights[2])
        assert np.isnan(canvas[34:, 45:]).all()
        assert np.isfinite(canvas).sum() == weights.size

    def test_small_pictures_are_enlarged_by_whole_pixels(self):
        weights = np.arange(9.0).reshape(1, 3, 3)
        assert np.array_equal(_enlarged(weights)[:, ::8, ::8], weights)
        assert _enlarged(weights).shape == (1, 24, 24)

    @pytest.mark.parametrize(("count", "want"), [(1, 1), (10, 5), (12, 4), (64, 8), (100, 10)])
    def test_rows_are_full(self, count, want):
        assert _columns(count) == want

    def test_names_stand_above(self):
        found = texts(plots.image_grid(np.ones((3, 8, 8)), "t", ["a", "b", "c"]))
        assert {"a", "b", "c"} <= set(found)

    def test_uint8_colours_stay(self):
        pictures = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3)).astype(np.uint8)
        shown = plots.image_grid(pictures, "t", signed=False).axes[0].images[0].get_array()
        gap = (len(shown) - 24) // 2  # above and below
        picture = np.round(255 * shown[gap : gap + 24, :24]).astype(np.uint8)
        assert np.array_equal(picture, pictures[0])

    def test_filters_of_three_channels_are_in_colour(self):
        image = plots.filters(np.ones((3, 3, 3, 4)), "t").axes[0].images[0]
        assert image.get_array().shape[2:] == (3,)
        assert plots.filters(np.ones((3, 3, 1, 4)), "t").axes[0].images[0].get_array().ndim == 2

    @pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3, 2), (0, 3, 3), (1, 2, 3, 3, 3)])
    def test_other_shapes(self, shape):
        with pytest.raises(ValueError, match="expected \\(n, h, w\\)"):
            plots.image_grid(np.ones(shape), "t")
        with pytest.raises(ValueError, match="1 names for 2"):
            plots.image_grid(np.ones((2, 3, 3)), "t", ["a"])


class TestWords:
    def test_the_plane_is_that_of_the_largest_variance(self):
        stream = np.random.default_rng(0)
        flat = stream.normal(size=(60, 2)) * (5, 2)
        basis = np.linalg.qr(stream.normal(size=(8, 8)))[0][:2]
        places, shares = principal_plane(flat @ basis + 3)
        distances = [np.linalg.norm(a[:, None] - a, axis=-1) for a in (places, flat)]
        np.testing.assert_allclose(*distances, atol=1e-9)
        assert shares.sum() == pytest.approx(1)
        assert shares[0] > shares[1]

    def test_the_sign_is_settled(self):
        vectors = np.random.default_rng(1).normal(size=(20, 5))
        np.testing.assert_allclose(principal_plane(vectors)[0], principal_plane(-vectors)[0] * -1 * _flip(vectors))

    def test_words_do_not_cover_each_other(self):
        stream = np.random.default_rng(0)
        words = [f"word{n}" for n in range(150)]
        figure = plots.embedding_map(stream.normal(size=(150, 6)), words, "t")
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        overlaps = [a.overlaps(b) for a, b in itertools.combinations(boxes, 2)]
        assert len(boxes) > 60
        assert not any(overlaps)
        assert f"{len(boxes)} of 150 words written, the others had no room" in _right_title(figure)

    def test_every_dot_is_there_and_words_are_beside_their_own(self):
        vectors = np.array([[0.0, 0], [9, 0], [0, 5], [9, 5]])
        axis = plots.embedding_map(vectors, ["a", "b", "c", "d"], "t").axes[0]
        places = principal_plane(vectors)[0]
        assert np.array_equal(axis.get_lines()[0].get_xydata(), places)
        assert [text.get_text() for text in axis.texts] == ["a", "b", "c", "d"]
        for text, place in zip(axis.texts, places, strict=True):
            assert tuple(text.xy) == tuple(place)
            assert np.hypot(*text.get_position()) < 30 + APART

    def test_of_many_words_only_those_beside_room_are_measured(self, monkeypatch):
        from fastnn.plots import words as module

        measured, real = [], module._extent
        monkeypatch.setattr(module, "_extent", lambda *given: measured.append(1) or real(*given))
        vectors = np.random.default_rng(0).normal(size=(6_000, 3))
        figure = plots.embedding_map(vectors, [f"w{number}" for number in range(6_000)], "t")
        assert 50 < len(figure.axes[0].texts) <= len(measured) < 5_000

    def test_one_dimension_is_enough(self):
        for vectors in (np.arange(4.0)[:, None], np.ones((4, 3))):
            (axis,) = plots.embedding_map(vectors, list("abcd"), "t").axes
            assert np.isfinite(axis.get_lines()[0].get_xydata()).all()
            assert len(axis.get_lines()[0].get_xydata()) == 4

    def test_words_and_vectors_must_fit(self):
        with pytest.raises(ValueError, match=r"vectors \(3, 3\) for 2 words"):
            plots.embedding_map(np.eye(3), ["a", "b"], "t")


def _right_title(figure):
    return figure.axes[0].get_title(loc="right")


def _flip(vectors):
    """By what the settled signs of `vectors` and `-vectors` differ, by component."""
    return -np.sign(principal_plane(vectors)[0][0] * principal_plane(-vectors)[0][0])


class TestMonitor:
    def test_two_pictures_a_kind(self):
        assert list(plots.monitor(records())) == [
            "parameter_statistics",
            "parameter_histograms",
            "gradient_statistics",
            "gradient_histograms",
        ]

    def test_a_panel_an_array_with_its_own_figures(self):
        figure = plots.monitor(records())["gradient_statistics"]
        assert [axis.get_title() for axis in figure.axes] == ["dense.w", "dense.b"]
        found = [r for r in records() if (r["kind"], r["name"]) == ("gradient", "dense.b")]
        mean, low, high = (list(line.get_ydata()) for line in figure.axes[1].get_lines())
        assert [mean, low, high] == [[r[name] for r in found] for name in ("mean", "min", "max")]
        assert list(figure.axes[1].get_lines()[0].get_xdata()) == [1, 2, 3]

    def test_several_kinds_on_one_sheet_are_named(self):
        figure = plots.statistics_over_time(records(names=["dense.w"]), "t")
        assert [axis.get_title() for axis in figure.axes] == ["parameter: dense.w", "gradient: dense.w"]

    def test_what_is_not_finite_is_counted(self):
        found = records(kinds=["gradient"], names=["dense.w"])
        found[1] |= {"nonfinite": 7, "mean": np.nan, "min": np.nan, "max": np.nan, "std": np.nan}
        assert plots.statistics_over_time(found, "t").axes[0].get_title() == "dense.w (7 not finite)"

    def test_of_a_real_training(self, tmp_path):
        model = fit(tiny_model(), epochs=2, callbacks=[fn.Monitor(every=1)])
        pictures = plots.monitor(model.history.monitor)
        assert {name.split("_")[0] for name in pictures} == {"parameter", "gradient", "input", "activation"}
        assert len(pictures["parameter_histograms"].axes) == len(model.parameters)
        for name, figure in pictures.items():
            plots.save(figure, tmp_path / f"{name}.png")


class TestHistograms:
    def ridges(self, steps, counts, edges):
        axis = plots.histograms_over_time(steps, np.array(counts), np.array(edges, float), "t").axes[0]
        return axis, [collection.get_paths()[0].vertices for collection in axis.collections]

    def test_a_ridge_a_step_each_as_high_as_its_peak(self):
        _, ridges = self.ridges([1, 2], [[1, 4, 1], [50, 0, 10]], [[0, 1, 2, 3], [0, 2, 4, 6]])
        assert len(ridges) == 2
        heights = [np.ptp(ridge[:, 1]) for ridge in ridges]
        assert heights[0] == pytest.approx(heights[1])
        assert ridges[0][ridges[0][:, 1].argmax(), 0] == 1.5
        assert ridges[1][ridges[1][:, 1].argmax(), 0] == 1.0
        assert ridges[0][:, 1].min() > ridges[1][:, 1].min(), "the first step is at the back, above"

    def test_of_many_steps_first_and_last_are_drawn(self):
        steps = np.arange(1, 101)
        axis, ridges = self.ridges(steps, np.ones((100, 3)), np.tile([0, 1, 2, 3], (100, 1)))
        assert len(ridges) == RIDGES
        assert axis.get_yticklabels()[0].get_text() == "1"

    def test_stray_values_do_not_squeeze_the_rest(self):
        counts, edges = np.array([[10_000, 10_000] + [0] * 97 + [1]]), np.linspace(0, 100, 101)[None]
        low, high = shown_range(counts, edges)
        assert low > -1
        assert high < 3

    def test_equal_values_do_not_widen_the_range(self):
        edges = np.array([[-0.5, 0.0, 0.5], [-0.01, 0.0, 0.01]])
        low, high = shown_range(np.array([[0, 9], [5, 5]]), edges)
        assert -0.02 < low < high < 0.02
        x, y = outline(np.array([0, 9]), edges[0], 1e-3)
        assert x[y.argmax()] == 0

    def test_no_values_at_all(self):
        _, y = outline(np.zeros(3, int), np.arange(4.0), 0.1)
        assert not y.any()

    def test_arrays_must_fit(self):
        with pytest.raises(ValueError, match=r"edges \(1, 3\)"):
            plots.histograms_over_time([1], np.ones((1, 3)), np.ones((1, 3)), "t")
