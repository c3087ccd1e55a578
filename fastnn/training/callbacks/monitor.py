"""Describes the numbers inside a network while it trains: ranges, means, histograms.

The file, HDF5 in a frame (`common.framed`; version 1 had none): a group for each kind (parameter, gradient,
input, activation), in it a group for each name, in that one array a figure, along the n recorded steps:
step, epoch, nonfinite, min, max, mean, std (n,), counts (n, bins), edges (n, bins + 1).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from fastnn.common.arithmetic import ieee
from fastnn.common.assigned import optional, path, positive
from fastnn.common.errors import FileFormatError
from fastnn.common.framed import frame
from fastnn.common.hdf5 import hdf5_errors
from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.step_recorder import StepRecorder, steps_so_far

KIND = frame.Kind("fastnn-monitor", 2, "one that a Monitor wrote")
FIGURES = ("step", "epoch", "nonfinite", "min", "max", "mean", "std", "counts", "edges")

Record = dict[str, Any]
Columns = Mapping[tuple[str, str], Mapping[str, np.ndarray]]  # (kind, name) -> figure -> values by step

# Beyond this, squares of float64 numbers overflow.
LARGE = 1e150
MOST_BINS = 1_000_000


def bins_of(kind: str, name: str, value: int) -> int:
    """`value`, of a histogram; TypeError or ValueError unless it is a whole number from 1 to MOST_BINS."""
    bins = positive(kind, name, value)
    if bins > MOST_BINS:
        raise ValueError(f"{kind}: {name} is {bins}, expected at most {MOST_BINS:,}")
    return bins


class Monitor(StepRecorder):
    """Every `every` steps of an epoch, describe all parameters, their gradients, the inputs and each layer's outputs.

    Gradients, inputs and outputs are those of the step's batch, parameters are as the step left them. NaN and
    infinities are counted (nonfinite); all else is about the finite numbers, NaN where there is none. An epoch of fewer
    than `every` steps is described once, at its end. A model's second `fit` adds to the records.

    Args:
        every: Steps between two records within an epoch.
        path: Also keep the records in this file, written whole at the end of each epoch; `load_monitor` reads it.
        bins: Of the histograms, of equal width from min to max.

    Attributes:
        records: A dict for each array and step: step (from 1, over all epochs), epoch, kind ("parameter", "gradient",
            "input", "activation"), name, min, max, mean, std, counts and edges of the histogram, nonfinite.

    Raises:
        ValueError: For numbers out of range.
        FileFormatError: In `fit`, if the path cannot be written.

    Examples:
        >>> monitor = fn.Monitor(every=100)
        >>> history = model.fit(x, y, callbacks=[monitor])
        >>> [record["name"] for record in monitor.records if record["kind"] == "parameter"]
        ['dense.w', 'dense.b', 'dense_1.w', 'dense_1.b']
    """

    reads_gradients = True
    _checks = StepRecorder._checks | {"path": optional(path), "bins": bins_of}

    def __init__(self, every: int = 100, path: str | Path | None = None, bins: int = 30):
        super().__init__(every)
        self.path, self.bins = cast(Path | None, path), bins  # its check makes it one
        self.records: list[Record] = []
        self._history: Any = None

    def on_train_begin(self, run: Run) -> None:
        if run.history is not self._history:  # it may have watched another model
            self._keep([], run.history)

    def _keep(self, records: list[Record], history: Any) -> None:
        """Begin with these records, which are the history's too: `history.monitor`."""
        self.records, self._history = records, history
        if history is not None:
            history.monitor = records

    def record(self, run: Run) -> None:
        when = {"step": steps_so_far(run), "epoch": run.logs["epoch"]}
        for kind, name, array in run.arrays():
            self.records.append(when | {"kind": kind, "name": name} | describe(array, self.bins))

    def on_epoch_end(self, run: Run) -> None:
        super().on_epoch_end(run)
        if self.path is not None:
            _save(self.path, self.records)

    def state_dict(self) -> dict[str, Any]:
        columns = _columns(self.records)  # a file forgets the order of groups
        return {"bins": self.bins, "order": list(columns), "figures": _tree(columns)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["bins"] != self.bins:
            raise FileFormatError(f"Monitor: bins is {self.bins}, but the records to resume have {state['bins']}")
        records = _records({(kind, name): state["figures"][kind][name] for kind, name in state["order"]})
        self._keep(records, self._history)


@ieee
def describe(array: np.ndarray, bins: int) -> Record:
    """min, max, mean, std, counts and edges of the finite numbers of an array; nonfinite: how many are not.

    Args:
        array: Of any shape.
        bins: Of the histogram.
    """
    finite = np.isfinite(array)
    values = array[finite].astype(np.float64)
    top = float(np.abs(values).max(initial=0.0))
    scale = top if top > LARGE else 1.0
    values /= scale
    counts, edges = _histogram(values, bins)
    statistics = (values.min(), values.max(), values.mean(), values.std()) if values.size else (np.nan,) * 4
    figures = {
        name: float(value * scale) for name, value in zip(("min", "max", "mean", "std"), statistics, strict=True)
    }
    return figures | {"counts": counts, "edges": edges * scale, "nonfinite": int(array.size - values.size)}


def _histogram(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts (bins,) and edges (bins + 1,). Unlike np.histogram, takes ranges too narrow for distinct edges."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    fraction = (values - low) / (high - low or 1.0)  # numbers above 1e16 swallow the 0.5
    numbers = np.minimum((fraction * bins).astype(np.int64), bins - 1)
    return np.bincount(numbers, minlength=bins), np.linspace(low, high, bins + 1)


def _columns(records: list[Record]) -> Columns:
    """The records by kind and name, each figure one array along the steps."""
    series: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        series.setdefault((record["kind"], record["name"]), []).append(record)
    return {
        key: {figure: np.array([record[figure] for record in found]) for figure in FIGURES}
        for key, found in series.items()
    }


def _tree(columns: Columns) -> dict[str, dict[str, Mapping[str, np.ndarray]]]:
    """The same as a file has it: a group for each kind, in it one for each name."""
    kinds = dict.fromkeys(kind for kind, _ in columns)
    return {kind: {name: series for (of, name), series in columns.items() if of == kind} for kind in kinds}


def _records(columns: Columns) -> list[Record]:
    """The records, in the order in which they were made, that `_columns` was given."""
    records = [
        {"kind": kind, "name": name} | {figure: _plain(series[figure][i]) for figure in FIGURES}
        for (kind, name), series in columns.items()
        for i in range(len(series["step"]))
    ]
    return sorted(records, key=lambda record: record["step"])  # stable: within a step the order of the series


def _plain(value: Any) -> Any:
    return value if value.ndim else value.item()


def _save(path: Path, records: list[Record]) -> None:
    frame.save(path, KIND, _tree(_columns(records)))


def load_monitor(path: str | Path) -> list[Record]:
    """The records of a Monitor, from its file.

    Args:
        path: The file.

    Raises:
        FileFormatError: If the file is missing or damaged.
    """
    tree, _ = frame.load(path, KIND)
    with hdf5_errors(f"{path}: cannot be read as {KIND.what}"):
        return _records({(kind, name): series for kind, names in tree.items() for name, series in names.items()})
