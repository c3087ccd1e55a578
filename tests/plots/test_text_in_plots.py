"""Texts of users are written as they are: no formula, no label that is left out, no letter that ends a drawing."""

import warnings

import numpy as np
import pytest

from fastnn import plots
from fastnn.plots.style import entry, literal
from fastnn.training.history import History

matplotlib = pytest.importorskip("matplotlib")

WORDS = [
    "$$",
    "$x_1$",
    "$\\frac{1}{2$",
    "$",
    "\\$",
    "^",
    "\\",
    "%",
    "_x",
    "{}",
    "a\tb",
    "",
    " ",
    "中",
    "\udcff",
    "<b>",
    "#",
]


def extent(text, **options):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    return figure.text(0, 0, text, **options).get_window_extent(canvas.get_renderer())


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("word", WORDS)
def test_a_literal_text_covers_what_the_text_itself_does(word):
    want = extent(word.encode("utf-8", "replace").decode(), parse_math=False)
    assert np.array_equal(extent(literal(word)).bounds, want.bounds)


def test_labels_that_a_legend_would_leave_out():
    assert [entry(label) for label in ("_x", "", "a_b", 3)] == [" _x", " ", "a_b", "3"]


def history(labels=("a",)):
    epochs = [{"epoch": 1, "loss": 2.0, "accuracy": 0.5, "val_loss": 2.0, "val_accuracy": 0.5}] * 2
    return dict.fromkeys(labels, epochs)


def records(name):
    figures = {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.1, "nonfinite": 0}
    histogram = {"counts": np.array([1, 2]), "edges": np.array([0.0, 0.5, 1.0])}
    return [figures | histogram | {"step": 1, "epoch": 1, "kind": "parameter", "name": name}]


SQUARE = np.eye(len(WORDS))
POINTS = np.array([[0.0, 0], [1, 1]])
FIGURES = {
    "embedding_map": lambda word: plots.embedding_map(SQUARE, WORDS, word, note=word),
    "confusion_matrix": lambda word: plots.confusion_matrix(SQUARE, WORDS, word, note=word),
    "residuals": lambda word: plots.residuals(np.arange(5.0), np.arange(5.0), word, name=word, note=word),
    "bars": lambda word: plots.bars(WORDS, np.ones(len(WORDS)), word, word, note=word),
    "heat_map": lambda word: plots.heat_map(SQUARE, WORDS, WORDS, word, xlabel=word, ylabel=word, note=word),
    "image_grid": lambda word: plots.image_grid(np.ones((len(WORDS), 3, 3)), word, names=WORDS, note=word),
    "filters": lambda word: plots.filters(np.ones((3, 3, 1, 2)), word, note=word),
    "bands": lambda word: plots.bands(
        {label: [[1.0, 2], [2, 3]] for label in WORDS}, word, word, xlabel=word, note=word
    ),
    "lines_over": lambda word: plots.lines_over(
        [1, 2], {label: [1, 2] for label in WORDS}, word, word, word, note=word
    ),
    "learning_curves": lambda word: plots.learning_curves(history(WORDS), ("loss",), word, note=word),
    "run_curves": lambda word: plots.run_curves(History(epochs=history()["a"]), word, {"source": f"folder/{word}.txt"}),
    "decision_boundaries": lambda word: plots.decision_boundaries(
        [(word, lambda points: points[:, 0], POINTS, np.array([0, 1]))], word, note=word
    ),
    "histograms_over_time": lambda word: plots.histograms_over_time(
        [1], np.array([[1, 2]]), np.array([[0, 1, 2]]), word, note=word
    ),
    "histograms_beside": lambda word: plots.histograms_beside(
        {label: records(word) for label in WORDS}, word, note=word
    ),
    "curve_panels": lambda word: plots.curve_panels(
        [plots.CurvePanel(word, word, {label: ([1, 2], [1, 2]) for label in WORDS}, word, level=(1.0, word))],
        word,
        note=word,
    ),
    "image_grids": lambda word: plots.image_grids({label: np.ones((2, 3, 3)) for label in WORDS}, word, note=word),
    "statistics_over_time": lambda word: plots.statistics_over_time(records(word), word, note=word),
    "points": lambda word: plots.points(POINTS, np.array([0, 1]), word, note=word),
    "functions": lambda word: plots.functions([0, 1], {word: {label: [1, 2] for label in WORDS}}, word, xlabel=word),
    "smoothed_curves": lambda word: plots.smoothed_curves(
        {word: {label: [1.0, 2, 3] for label in WORDS}}, word, 3, note=word
    ),
    "loss_beside_error": lambda word: plots.loss_beside_error({word: (word, [1.0, 2], [0.5, 0.4])}, word, note=word),
    "search_dots": lambda word: plots.search_dots(
        {word: list(range(1, 1 + len(WORDS))), "": WORDS}, list(range(len(WORDS))), word, word, note=word
    ),
    "monitor": lambda word: plots.monitor(records(word), note=word)["parameter_statistics"],
}


def test_every_picture_is_drawn_here():
    pictures = {name for name in plots.__all__ if name[0].islower()} - {"save"}
    assert set(FIGURES) == pictures


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_read_as_a_formula(name, tmp_path, monkeypatch):
    from matplotlib.mathtext import MathTextParser

    formulas = []  # noted, not raised: what draws a picture may catch an error

    def parse(self, text, *args, **keywords):
        formulas.append(text)
        return original(self, text, *args, **keywords)

    original = MathTextParser.parse
    monkeypatch.setattr(MathTextParser, "parse", parse)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for word in ("$$", "\\", "\udcff"):  # the others are names of rows, labels, ...
            plots.save(FIGURES[name](word), tmp_path / "a.png")
            assert (tmp_path / "a.png").stat().st_size > 0
            (tmp_path / "a.png").unlink()
    assert formulas == []


def test_long_names_keep_what_tells_them_apart():
    names = [f"a class with a name that says a lot, number {i}" for i in range(2)]
    axis = plots.confusion_matrix(np.eye(2), names, "t").axes[0]
    for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["a class with a…number 0", "a class with a…number 1"]
    labels = plots.bars(names, [1, 2], "t", "x").axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [
        "a class with a name…, number 0",
        "a class with a name…, number 1",
    ]


def test_all_runs_are_in_the_legend():
    figure = plots.lines_over([1, 2], {"_a": [1, 2], "": [2, 3], "b": [3, 4]}, "x", "y", "title")
    (legend,) = (axis.get_legend() for axis in figure.axes)
    assert [text.get_text() for text in legend.get_texts()] == [" _a", " ", "b"]
