"""Writes the history as a CSV file."""

import csv
from pathlib import Path

from fastnn.training.callbacks.base import Callback


class CSVLogger(Callback):
    """Writes the history so far to `path` after each epoch: a header, then a line an epoch."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def on_epoch_end(self, run):
        write_history(self.path, run.history.epochs)


def write_history(path: Path, epochs: list[dict]) -> None:
    """Write epochs as CSV; columns in the order in which they first appeared."""
    columns = list(dict.fromkeys(name for epoch in epochs for name in epoch))
    from fastnn.common.files import atomic_path

    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(epochs)
