"""What watches training, and may stop it: one callback a file."""

from fastnn.callbacks.base import Callback
from fastnn.callbacks.checkpoint import Checkpoint
from fastnn.callbacks.csv_logger import CSVLogger
from fastnn.callbacks.early_stopping import EarlyStopping
from fastnn.callbacks.progress import ProgressBar

__all__ = ["CSVLogger", "Callback", "Checkpoint", "EarlyStopping", "ProgressBar"]
