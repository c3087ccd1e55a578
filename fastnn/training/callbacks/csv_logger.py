"""Writes the history as a CSV file."""

from pathlib import Path

from fastnn.common.assigned import path
from fastnn.common.csv_file import write_rows
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.run import Run


class CSVLogger(Callback):
    """Writes the history so far to `path` after each epoch: a header, then a line an epoch.

    Args:
        path: The file; one that is there is replaced.

    Raises:
        FileFormatError: In `fit`, if the path cannot be written.

    Examples:
        >>> from pathlib import Path
        >>> history = model.fit(x, y, epochs=2, callbacks=[fn.CSVLogger("history.csv")])
        >>> len(Path("history.csv").read_text().splitlines())
        3
    """

    _checks = Callback._checks | {"path": path}

    def __init__(self, path: str | Path):
        self.path = path

    def on_epoch_end(self, run: Run) -> None:
        write_rows(self.path, run.history.epochs)
