"""fastnn trains small neural networks on a multicore CPU, with kernels that a person can read."""

import fastnn_kernels as kernels
from fastnn.callbacks import Callback, Checkpoint, CSVLogger, EarlyStopping, ProgressBar
from fastnn.data.dataset import Dataset, Split
from fastnn.errors import DataError, FastnnError, FileFormatError, NonFiniteError, ShapeError
from fastnn.gradient_check import check_gradients
from fastnn.history import History
from fastnn.layers import Activation, Dense, Embedding, Flatten, Sum
from fastnn.losses import SoftmaxCrossEntropy
from fastnn.model import Sequential
from fastnn.optimizers import SGD
from fastnn.storage import load
from fastnn.threads import threads

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Activation",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "DataError",
    "Dataset",
    "Dense",
    "EarlyStopping",
    "Embedding",
    "FastnnError",
    "FileFormatError",
    "Flatten",
    "History",
    "NonFiniteError",
    "ProgressBar",
    "Sequential",
    "ShapeError",
    "SoftmaxCrossEntropy",
    "Split",
    "Sum",
    "check_gradients",
    "kernels",
    "load",
    "threads",
]
