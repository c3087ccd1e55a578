"""What a training records of its arrays: ranges and histograms, in a file for each training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastnn.experiment.run_files import MONITOR, MONITORS
from fastnn.training.callbacks import Callback, Monitor, TensorBoard
from fastnn.training.callbacks.monitor import load_monitor

EVENTS = "tensorboard"

Records = Sequence[Mapping[str, Any]]


def callbacks(settings: Any, folder: Path, chosen: bool) -> list[Callback]:
    """Every training is watched: the chosen run's records lie in the run's folder, the others' in one of their own."""
    if not settings.monitor:
        return []
    if not chosen:
        path = records_of(folder, settings)
        path.parent.mkdir(exist_ok=True)
        return [Monitor(settings.monitor, path)]
    events = [TensorBoard(folder / EVENTS, every=settings.monitor)] if settings.tensorboard else []
    return [Monitor(settings.monitor, folder / MONITOR), *events]


def records_of(folder: Path, settings: Any) -> Path:
    return folder / MONITORS / f"{settings.activation}-{settings.optimizer}-seed-{settings.seed}.h5"


def read(path: Path) -> Records:
    """The records in a Monitor's file, but for those of the layer that only changes the shape; [] without a file."""
    return [one for one in load_monitor(path) if not one["name"].startswith("flatten")] if path.exists() else []
