"""Pictures of data, models and trainings. Every function returns a matplotlib Figure; `save` writes it as a PNG file.

    from fastnn import plots

    plots.save(plots.learning_curves({"SGD": model.history.epochs}), "curves.png")

All figures have one style. The argument `note`, such as "generated data", is written in the corner of a figure.
"""

from fastnn.plots.curves import bands, lines_over
from fastnn.plots.fields import confusion_matrix, decision_boundaries, heat_map
from fastnn.plots.images import filters, image_grid, image_grids
from fastnn.plots.learning import learning_curves, run_curves
from fastnn.plots.over_time import histograms_over_time, monitor, statistics_over_time
from fastnn.plots.panels import CurvePanel, curve_panels
from fastnn.plots.style import BLACK, BLUE, COLOURS, GREEN, GREY, ORANGE, PURPLE, SKY, YELLOW, save
from fastnn.plots.words import embedding_map

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SKY",
    "YELLOW",
    "CurvePanel",
    "bands",
    "confusion_matrix",
    "curve_panels",
    "decision_boundaries",
    "embedding_map",
    "filters",
    "heat_map",
    "histograms_over_time",
    "image_grid",
    "image_grids",
    "learning_curves",
    "lines_over",
    "monitor",
    "run_curves",
    "save",
    "statistics_over_time",
]
