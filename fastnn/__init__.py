"""fastnn trains small neural networks on a multicore CPU, with kernels that a person can read."""

import fastnn_kernels as kernels
from fastnn.callbacks import (
    Callback,
    Checkpoint,
    CSVLogger,
    EarlyStopping,
    GradientNorms,
    Monitor,
    ProgressBar,
    ReduceOnPlateau,
    TensorBoard,
    TimeLimit,
)
from fastnn.data.dataset import Dataset, Split
from fastnn.data.stream import H5Stream
from fastnn.errors import DataError, FastnnError, FileFormatError, NonFiniteError, ShapeError
from fastnn.gradient_check import check_gradients
from fastnn.history import History
from fastnn.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    Sum,
)
from fastnn.losses import MAE, MSE, BinaryCrossEntropy, ElementwiseLoss, Huber, SoftmaxCrossEntropy
from fastnn.model import Sequential
from fastnn.optimizers import SGD, AdaGrad, Adam, AdamW, RMSProp
from fastnn.schedules import CosineDecay, ExponentialDecay, StepDecay
from fastnn.storage import load
from fastnn.threads import threads

__version__ = "0.1.0"

__all__ = [
    "MAE",
    "MSE",
    "SGD",
    "Activation",
    "AdaGrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Conv2D",
    "CosineDecay",
    "DataError",
    "Dataset",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "ElementwiseLoss",
    "Embedding",
    "ExponentialDecay",
    "FastnnError",
    "FileFormatError",
    "Flatten",
    "GradientNorms",
    "H5Stream",
    "History",
    "Huber",
    "LayerNorm",
    "MaxPool2D",
    "Monitor",
    "NonFiniteError",
    "ProgressBar",
    "RMSProp",
    "ReduceOnPlateau",
    "Sequential",
    "ShapeError",
    "SoftmaxCrossEntropy",
    "Split",
    "StepDecay",
    "Sum",
    "TensorBoard",
    "TimeLimit",
    "check_gradients",
    "kernels",
    "load",
    "threads",
]
