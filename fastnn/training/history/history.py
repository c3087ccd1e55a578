"""The record of a training: the figures of each epoch, and the loss of each step."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from fastnn.common.assigned import Checks
from fastnn.common.figures import Mode, higher_is_better
from fastnn.common.hints.habits import Hinted
from fastnn.common.packages import package
from fastnn.training.history import display

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


def _dicts(kind: str, name: str, value: Any) -> list[dict[str, Any]]:
    """`value` as a list; TypeError unless it is one of dicts of figures."""
    if not isinstance(value, Sequence) or not all(isinstance(row, Mapping) for row in value):
        raise TypeError(f"{kind}: {name} is {value!r:.60}, expected a list of dicts of figures")
    return value if isinstance(value, list) else list(value)


def _numbers_by_step(kind: str, name: str, value: Any) -> dict[str, array]:
    """`value`, each figure as an array of float64; TypeError unless it has a "loss" and all are numbers."""
    try:
        made = {
            figure: one if isinstance(one, array) and one.typecode == "d" else array("d", one)
            for figure, one in value.items()
        }
    except (AttributeError, TypeError):
        made = {}
    if "loss" not in made:
        raise TypeError(f'{kind}: {name} is {value!r:.60}, expected {{"loss": one number a step}}')
    return made


@dataclass(repr=False)
class History(Hinted):
    """The record of a model's training, over all its `fit` calls.

    Args:
        epochs: A dict for each: epoch, loss, the model's metrics such as accuracy, lr, seconds, samples_per_second;
            with validation data also val_loss and each metric as val_…: val_accuracy, val_r2.
        steps: {"loss": one float64 a step}; with GradientNorms also "norm dense.w", ..., and "norm step".
        stop_reason: Why training ended before its last epoch, if it did.
        monitor: The records of a Monitor, if one watched.

    Examples:
        >>> history = model.fit(x, y, epochs=2)
        >>> len(history), len(history["loss"])
        (2, 2)
    """

    _checks: ClassVar[Checks] = {"epochs": _dicts, "steps": _numbers_by_step, "monitor": _dicts}

    epochs: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, array] = field(default_factory=lambda: {"loss": array("d")})
    stop_reason: str | None = None
    monitor: list[dict[str, Any]] = field(default_factory=list)
    cell: int | None = field(default=None, init=False, compare=False)  # of a notebook, that shows its curve already

    def __getitem__(self, name: str) -> list[Any]:
        """One figure by epoch: history["val_loss"].

        Args:
            name: Of the figure.

        Returns:
            A list of one value an epoch.

        Raises:
            KeyError: If there is no such figure; it names those that there are.
        """
        if any(name not in epoch for epoch in self.epochs) or not self.epochs:
            known = sorted(self.epochs[0]) if self.epochs else []
            raise KeyError(f"no {name!r} in this history; it has {known}")
        return [epoch[name] for epoch in self.epochs]

    def best(self, name: str, mode: Mode = "auto") -> dict[str, Any]:
        """The epoch at which `name` was best, the first of equal ones; never one where it is NaN.

        Args:
            name: Of the figure.
            mode: "max" or "min", whether more or less is better; "auto": by the name, as accuracies, r2, top_5 and
                scores are better when higher, losses, errors and perplexity when lower.

        Returns:
            The figures of that epoch by name.

        Raises:
            KeyError: If there is no such figure.
            ValueError: If all are NaN or the name does not tell what is better.

        Examples:
            >>> history = model.fit(x, y, epochs=3)
            >>> history.best("loss")["epoch"]
            3
        """
        values = self[name]
        higher = higher_is_better(name, mode, "history.best: ")
        known = [number for number, value in enumerate(values) if value == value]
        if not known:
            raise ValueError(f"history.best: {name!r} is NaN in all {len(values)} epochs")
        return self.epochs[(max if higher else min)(known, key=values.__getitem__)]

    def to_frame(self) -> "DataFrame":
        """A pandas DataFrame with a row for each epoch and a column for each figure; its index is the epoch's number.

        Raises:
            MissingPackageError: Where pandas is not installed; it says what to install.

        Examples:
            >>> import pandas
            >>> history = model.fit(x, y, epochs=2, validation_split=0.2)
            >>> history.to_frame()[["loss", "val_loss"]].tail().shape
            (2, 2)
        """
        return package("pandas", "history.to_frame", "").DataFrame(self.epochs or {"epoch": []}).set_index("epoch")

    def plot(self, *names: str, ax: "Axes | None" = None) -> "Figure | Any":
        """The figures of these names by epoch, in training and validation, a panel each: a matplotlib Figure.

        Args:
            *names: Without any, "loss" and, if the model has it, "accuracy".
            ax: Matplotlib axes to draw a single one into, without a name the loss; they are returned.

        Raises:
            ValueError: If there is no epoch yet, or no such figure.

        Examples:
            >>> figure = model.fit(x, y, epochs=2).plot()
            >>> figure.savefig("curves.png")
        """
        from fastnn.plots.learning import learning_curves

        if not self.epochs:
            raise ValueError("history.plot: there is no epoch yet; fit trains, and then there are some")
        for name in names:
            if not any(name in epoch or f"val_{name}" in epoch for epoch in self.epochs):
                raise ValueError(f"history.plot: no {name!r} in this history; it has {sorted(self.epochs[0])}")
        usual = ("loss",) if ax is not None else ("loss", "accuracy")
        return learning_curves({"": self.epochs}, names or usual, ax=ax)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {display.told(self)}>"

    def _repr_html_(self) -> str:
        """For notebooks: the last and the best figures, and the curve of the loss where the cell has none."""
        return display.html(self)

    def __len__(self) -> int:
        return len(self.epochs)


def put_back(history: History, epochs: Sequence[dict[str, Any]], steps: Mapping[str, Iterable[float]]) -> None:
    """Make a history, in place, that of a training which was kept elsewhere."""
    history.epochs[:] = epochs
    history.steps.clear()
    history.steps.update({name: array("d", values) for name, values in steps.items()})
