"""The learning curves of one run, with the epoch that was kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fastnn.common.text import with_minus
from fastnn.plots.learning import MEAN
from fastnn.plots.sheet import sheet
from fastnn.plots.style import BLUE, GREEN, GREY, MARKED, ORANGE, SMALL, line_axes, undisturbed, whole_number_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Record(Protocol):
    """What `run_curves` asks of a training's history, an `fn.History`."""

    epochs: list[dict[str, Any]]

    def __getitem__(self, name: str) -> list[Any]: ...

    def best(self, name: str) -> dict[str, Any]: ...


@undisturbed
def run_curves(
    history: Record, title: str, meta: Mapping[str, Any], *, figure: "Figure | None" = None
) -> "Figure | Any":
    """Loss and accuracy of one run by epoch, on training and validation data, with the best epoch marked.

    A history without accuracy, as of a regression, has one panel.

    Args:
        history: Of the training.
        title: Of the figure.
        meta: Of the data: "source" is named in the title; "true_entropy" in nats, if it is there, is drawn as a lower
            bound.
        figure: A matplotlib Figure or SubFigure for the panels; these are returned.

    Returns:
        A matplotlib Figure; of what was given as `ax` or `figure`, the axes or the panels.

    Raises:
        KeyError: If the history has no loss or val_loss.

    Examples:
        >>> history = model.fit(x, y, epochs=3, validation_split=0.2)
        >>> figure = fn.plots.run_curves(history, "three epochs", {"source": "generated"})
    """
    best = history.best("val_loss")["epoch"]
    source = "generated data" if meta.get("source") == "generated" else Path(str(meta.get("source"))).name
    classifies = "accuracy" in history.epochs[0]
    title = f"{title}: how does the training go, on {source}?"
    drawn, (loss, *others) = sheet(1 + classifies, columns=2, size=(5.2, 3.6), title=title, figure=figure)
    name, unit = ("cross-entropy", "nats") if classifies else ("loss", "")
    line_axes(loss, title=name, xlabel="epoch", ylabel=unit)
    _one_run(loss, history, "loss", 1.0, best)
    for accuracy in others:
        line_axes(accuracy, title="accuracy", xlabel="epoch", ylabel="%")
        _one_run(accuracy, history, "accuracy", 100.0, best)
    if floor := meta.get("true_entropy"):
        loss.axhline(floor, color=GREEN, linestyle="--", label=f"true entropy {floor:.3f}")
    for axis in (loss, *others):
        axis.legend(frameon=False, fontsize=SMALL)
    return drawn if figure is None else [loss, *others]


def _one_run(axis: "Axes", history: Record, name: str, scale: float, best: int) -> None:
    epochs = history["epoch"]
    mark = "." if len(epochs) <= MARKED else None
    for which, shade, label in (
        (name, BLUE, MEAN),
        (f"val_{name}", ORANGE, "validation, after the epoch"),
    ):
        axis.plot(epochs, [scale * value for value in history[which]], color=shade, marker=mark, label=label)
    kept = scale * history[f"val_{name}"][epochs.index(best)]
    unit = " %" if scale == 100 else ""
    told = f"kept: epoch {best:,}, {with_minus(format(kept, ',.4g'))}{unit}"
    axis.plot([best], [kept], "o", markersize=9, mfc="none", color=GREY, label=told)
    whole_number_ticks(axis)
