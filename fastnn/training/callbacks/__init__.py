"""Callbacks, one a file: they watch a training and may stop it.

- `base` (what a callback may do) and `run` (the training that it sees)
- what ends a training or slows it down: `early_stopping` and `reduce_on_plateau`, both of which are made of `plateau`;
  `time_limit`
- what is written: `checkpoint` (and `checkpoint_check`, whether one may be resumed), `save_best`, `csv_logger`,
  `tensorboard` (and its `event_file`)
- what looks every few steps: `step_recorder` is the base of `gradient_norms` and `monitor`
- what a person sees: `progress`, by `lines` in a terminal, in a `notebook`; `kernel_log` (kernels that are compiled)
"""

from typing import TYPE_CHECKING

from fastnn.common.hints.habits import completed_by, missing_from
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.checkpoint import Checkpoint
from fastnn.training.callbacks.csv_logger import CSVLogger
from fastnn.training.callbacks.early_stopping import EarlyStopping
from fastnn.training.callbacks.gradient_norms import GradientNorms
from fastnn.training.callbacks.monitor import Monitor
from fastnn.training.callbacks.progress import ProgressBar
from fastnn.training.callbacks.reduce_on_plateau import ReduceOnPlateau
from fastnn.training.callbacks.run import Run
from fastnn.training.callbacks.save_best import SaveBest
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
    "SaveBest",
    "TensorBoard",
    "TimeLimit",
]

if not TYPE_CHECKING:
    __getattr__ = missing_from(__name__, __all__)
    __dir__ = completed_by(__all__)
