"""Pictures. Every function returns a matplotlib Figure in one style; `save` writes it as a PNG file.

With note="generated data" each of them says so in its corner.
"""

from fastnn.plots.curves import bands, lines_over
from fastnn.plots.fields import confusion_matrix, decision_boundaries, heat_map
from fastnn.plots.images import filters, image_grid
from fastnn.plots.learning import learning_curves, run_curves
from fastnn.plots.style import BLACK, BLUE, COLOURS, GREEN, GREY, ORANGE, PURPLE, SKY, YELLOW, save
from fastnn.plots.watched import histograms_over_time, monitor, statistics_over_time
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
    "bands",
    "confusion_matrix",
    "decision_boundaries",
    "embedding_map",
    "filters",
    "heat_map",
    "histograms_over_time",
    "image_grid",
    "learning_curves",
    "lines_over",
    "monitor",
    "run_curves",
    "save",
    "statistics_over_time",
]
