"""Pictures of data, models and trainings. Every function returns a matplotlib Figure; `save` writes it as a PNG file.

    from fastnn import plots

    plots.save(plots.learning_curves({"SGD": model.history.epochs}), "curves.png")

In a notebook a figure shows when it is the last line of a cell. All figures have one style. The argument `note`, such
as "generated data", is written in the corner of a figure.

A picture of one panel can be drawn into your own axes, one of several into your own figure or subfigure. What was drawn
into is returned, not the figure: a notebook shows a figure of pyplot once by itself.

    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    plots.points(data.train.x, data.train.y, "moons", ax=left)
    model.history.plot(ax=right)

Which file to read for what:

- curves: `one_run`, `learning` (of several runs), `smoothed`, `curves` (one quantity over another), `panels` (several
  side by side), `functions`, `searches` (trials over their settings), `rates` (a test
  of learning rates)
- what is inside a net: `images` (its weights, too), `words`, `over_time` and `ridges` (records of a Monitor)
- what a net says: `planes` (of points), `tables` (of classes), `predictions` (of numbers)
- what all pictures are made of: `sheet` (the figure and its panels), `style`, `ticks`
- in notebooks: `shown` (figures), `small` (a curve while a net is trained)
"""

from fastnn.plots.curves import bands, lines_over
from fastnn.plots.functions import functions
from fastnn.plots.images import filters, image_grid, image_grids
from fastnn.plots.learning import learning_curves
from fastnn.plots.one_run import run_curves
from fastnn.plots.over_time import histograms_beside, histograms_over_time, monitor, statistics_over_time
from fastnn.plots.panels import CurvePanel, curve_panels
from fastnn.plots.planes import decision_boundaries, points
from fastnn.plots.predictions import bars, residuals
from fastnn.plots.searches import search_dots
from fastnn.plots.smoothed import loss_beside_error, smoothed_curves
from fastnn.plots.style import BLACK, BLUE, COLOURS, GREEN, GREY, ORANGE, PURPLE, SKY, YELLOW, save
from fastnn.plots.tables import confusion_matrix, heat_map
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
    "bars",
    "confusion_matrix",
    "curve_panels",
    "decision_boundaries",
    "embedding_map",
    "filters",
    "functions",
    "heat_map",
    "histograms_beside",
    "histograms_over_time",
    "image_grid",
    "image_grids",
    "learning_curves",
    "lines_over",
    "loss_beside_error",
    "monitor",
    "points",
    "residuals",
    "run_curves",
    "save",
    "search_dots",
    "smoothed_curves",
    "statistics_over_time",
]
