"""Callbacks, one a file: they watch training and may stop it."""

from typing import TYPE_CHECKING

from fastnn.common.hints.habits import missing_from
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.checkpoint import Checkpoint
from fastnn.training.callbacks.csv_logger import CSVLogger
from fastnn.training.callbacks.early_stopping import EarlyStopping
from fastnn.training.callbacks.gradient_norms import GradientNorms
from fastnn.training.callbacks.monitor import Monitor
from fastnn.training.callbacks.progress import ProgressBar
from fastnn.training.callbacks.reduce_on_plateau import ReduceOnPlateau
from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.tensorboard import TensorBoard
from fastnn.training.callbacks.time_limit import TimeLimit

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "GradientNorms",
    "Monitor",
    "ProgressBar",
    "ReduceOnPlateau",
    "Run",
    "TensorBoard",
    "TimeLimit",
]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
