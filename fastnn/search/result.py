"""What a sweep returns: its trials, which settings are best, and the best model."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastnn.common import notebook
from fastnn.common.errors import DataError
from fastnn.common.hints.habits import Hinted
from fastnn.common.packages import package
from fastnn.common.text import aligned, figure_text, plural, setting_text
from fastnn.loading import take_over
from fastnn.models import Model
from fastnn.search.model_job import ModelJob, built
from fastnn.search.trials import Trial, Trials
from fastnn.training.history.history import put_back
from fastnn.training.models import storage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

MOST_LINES = 40


class SweepResult(Hinted):
    """What `fn.sweep` returns.

    Args:
        trials: The trials with what they have come to.
        job: What they have in common.

    Attributes:
        monitor: The figure by which trials are judged.
        higher_is_better: Whether more of it is better.

    Examples:
        >>> def build(hidden):
        ...     return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(3)], input_shape=4)
        >>> result = fn.sweep(build, {"hidden": [2, 8]}, (x, y), validation_split=0.2, verbose=False)
        >>> len(result), sorted(result.best)
        (2, ['hidden'])
    """

    _holds_more = True

    def __init__(self, trials: Trials, job: ModelJob):
        self._trials, self._job = trials, job
        self.monitor, self.higher_is_better = trials.monitor, trials.higher

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A dict for each trial, in the order in which they were given.

        Its settings, and the seed where seeds are repeated; "status" ("finished", "failed", "crashed" if its process
        died or had no data, "stopped" by halving or pruning) and "reason"; the figures of the epoch whose parameters
        the model has, "epochs_run", "best_epoch", "threads" that it had, and "seconds". With halving, also the judged
        figure at each rung: "val_loss@3".
        """
        return [trial.settings | {"status": "waiting", "reason": ""} | trial.row for trial in self._trials.all]

    @property
    def summary(self) -> list[dict[str, Any]]:
        """A dict for each setting, the best first: the settings, mean, deviation and seeds that finished.

        The deviation is the standard deviation of the seeds (n − 1), NaN of a single one. Settings that did not come to
        the end are not among them.
        """
        return [
            self._trials.settings[one.number] | {"mean": one.mean, "deviation": one.deviation, "seeds": one.known}
            for one in self._trials.ranked()
        ]

    @property
    def best(self) -> dict[str, Any]:
        """The best settings: those of the best mean, of equal ones those of the lower loss.

        Raises:
            DataError: If no trial finished.
        """
        return dict(self._trials.settings[self._best().group])

    def _best(self) -> Trial:
        if found := self._trials.best():
            return found[0]
        reason = next((trial.row["reason"] for trial in self._trials.all if trial.row.get("reason")), "none has begun")
        raise DataError(f"no trial of the sweep finished; the first: {reason}")

    def best_model(self) -> Model:
        """The trained model of the best settings; where seeds are repeated, of the best of them.

        It is trained to the same bits as if it had been alone, and has its history.

        Returns:
            A new model at each call.

        Raises:
            DataError: If no trial finished.

        Examples:
            >>> def build(hidden):
            ...     return fn.Sequential([fn.Dense(hidden, "tanh"), fn.Dense(3)], input_shape=4)
            >>> result = fn.sweep(build, {"hidden": [2, 8]}, (x, y), validation_split=0.2, verbose=False)
            >>> result.best_model().predict(x).shape
            (30, 3)
        """
        best = self._best()
        path = self._trials.store.path(best.name)
        model, saved = built(self._job, best.settings)[0], storage.read(path)
        take_over(model, saved)
        put_back(model.history, saved.training["history"]["epochs"], saved.training["history"]["steps"])
        return model

    def to_frame(self) -> "DataFrame":
        """A pandas DataFrame with a row for each trial and the columns of `rows`.

        Raises:
            MissingPackageError: Where pandas is not installed; it says what to install.
        """
        return package("pandas", "result.to_frame", "").DataFrame(self.rows)

    def plot(self, *names: str, ax: "Axes | None" = None) -> "Figure | Any":
        """The judged figure of each trial over its settings, a panel each; the best trial is marked.

        Args:
            *names: Of settings; without any, all that differ among trials.
            ax: Matplotlib axes to draw a single setting into; they are returned.

        Returns:
            A matplotlib Figure; of what was given as `ax`, the axes.

        Raises:
            ValueError: For an unknown setting, or several for one `ax`.
        """
        from fastnn.search.picture import picture_of

        return picture_of(self.rows, names or self._varied(), self.monitor, higher=self.higher_is_better, ax=ax)

    def _varied(self) -> list[str]:
        rows = [trial.settings for trial in self._trials.all]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return [name for name in names if len({str(row.get(name)) for row in rows}) > 1] or names

    def __len__(self) -> int:
        """The number of trials."""
        return len(self._trials.all)

    def table(self) -> list[list[str]]:
        """The settings, the best first, as lines of texts under a heading: what is shown of the result.

        Settings that did not come to the end follow, with the reason.
        """
        names = list(dict.fromkeys(name for one in self._trials.settings for name in one))
        found = self._trials.ranked()
        lines = [self._line(one.number, names, one.mean, one.deviation, one.known) for one in found]
        others = [n for n in range(len(self._trials.settings)) if n not in {one.number for one in found}]
        lines += [self._line(number, names, math.nan, math.nan, 0) for number in others]
        if lines and found:
            lines[0][0] = "best"
        return [["", *names, self.monitor, "deviation", "seeds", "threads", "state"], *lines]

    def _line(self, number: int, names: Sequence[str], mean: float, deviation: float, known: int) -> list[str]:
        group, settings = self._trials.group(number), self._trials.settings[number]
        states = [_state(trial.row) for trial in group]
        figures = ["" if math.isnan(value) else figure_text(self.monitor, value) for value in (mean, deviation)]
        threads = sorted({str(trial.row["threads"]) for trial in group if "threads" in trial.row})
        state = next((one for one in states if one), "")
        seeds = f"{known} of {len(group)}"
        return [
            "",
            *(setting_text(settings.get(name, "")) for name in names),
            *figures,
            seeds,
            "/".join(threads),
            state,
        ]

    def __repr__(self) -> str:
        lines = self.table()[: MOST_LINES + 1]
        padded = map(str.rstrip, aligned(lines, len(lines[0])))
        return "\n".join([f"<{type(self).__name__} of {plural(len(self), 'trial')}>", *padded])

    def _repr_html_(self) -> str:
        """For notebooks: the settings, the best first."""
        lines = self.table()
        more = [notebook.line(f"… and {len(lines) - 1 - MOST_LINES} more")] if len(lines) - 1 > MOST_LINES else []
        begin = notebook.line(f"{plural(len(self), 'trial')}, judged by {self.monitor}")
        return "".join([begin, notebook.table(lines[: MOST_LINES + 1], 1 + len(lines[0]) - 6), *more])


def _state(row: Mapping[str, Any]) -> str:
    """Why a trial has no figure; "" of one that finished."""
    status = row.get("status", "waiting")
    return "" if status == "finished" else f"{status}: {row['reason']}" if row.get("reason") else status
