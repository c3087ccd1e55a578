"""Pictures. One style: the colours of Okabe and Ito, which colour-blind readers can tell apart.

matplotlib is imported when the first picture is made, through its object interface: no window system,
no global state.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastnn.files import atomic_path
from fastnn.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


def _figure(columns: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * columns, 3.9), dpi=120, layout="constrained")
    axes = list(figure.subplots(1, columns, squeeze=False)[0])
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    return figure, axes


def _save(figure: "Figure", path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def learning_curves(history: History, path: Path, title: str, meta: dict[str, Any]) -> None:
    """Loss and accuracy by epoch, train and validation, with the best epoch and, if known, the floor.

    meta["source"] is named under the title; meta["true_entropy"] becomes a line no model can pass.
    """
    figure, (loss, accuracy) = _figure(2)
    best = history.best("val_loss")["epoch"]
    _pair(loss, history, "loss", 1.0, best)
    _pair(accuracy, history, "accuracy", 100.0, best)
    if floor := meta.get("true_entropy"):
        loss.axhline(floor, color=GREEN, linestyle="--", label=f"true entropy {floor:.3f}")
    loss.set(title="cross-entropy", ylabel="nats a sample")
    accuracy.set(title="accuracy", ylabel="%")
    for axis in (loss, accuracy):
        axis.set_xlabel("epoch")
        axis.legend(frameon=False)
    source = "generated data" if meta.get("source") == "generated" else Path(str(meta.get("source"))).name
    reached = f"validation loss {history['val_loss'][best - 1]:.3f} at epoch {best} of {len(history)}"
    figure.suptitle(f"{title}: {reached}, on {source}", fontsize=11)
    _save(figure, path)


def _pair(axis: "Axes", history: History, name: str, scale: float, best: int) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = history["epoch"]
    values = {which: [scale * v for v in history[which]] for which in (name, f"val_{name}")}
    axis.plot(epochs, values[name], color=BLUE, marker=".", label="train, mean over the epoch")
    axis.plot(epochs, values[f"val_{name}"], color=ORANGE, marker=".", label="validation, after the epoch")
    at_best = values[f"val_{name}"][epochs.index(best)]
    axis.plot([best], [at_best], "o", markersize=9, mfc="none", color=GREY, label=f"kept: epoch {best}, {at_best:.4g}")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
