"""What watches training, and may stop it: one callback a file."""

from fastnn.callbacks.base import Callback
from fastnn.callbacks.checkpoint import Checkpoint
from fastnn.callbacks.csv_logger import CSVLogger
from fastnn.callbacks.early_stopping import EarlyStopping
from fastnn.callbacks.gradient_norms import GradientNorms
from fastnn.callbacks.monitor import Monitor
from fastnn.callbacks.progress import ProgressBar
from fastnn.callbacks.reduce_on_plateau import ReduceOnPlateau
from fastnn.callbacks.tensorboard import TensorBoard
from fastnn.callbacks.time_limit import TimeLimit

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "GradientNorms",
    "Monitor",
    "ProgressBar",
    "ReduceOnPlateau",
    "TensorBoard",
    "TimeLimit",
]
