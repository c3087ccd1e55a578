"""fastnn trains small neural networks on a multicore CPU, with kernels that a person can read."""

from fastnn import _environment as _environment  # before Numba
from fastnn import _interruption as _interruption  # first: what follows takes a second, in which Ctrl-C may come
from fastnn_kernels._compile.collection import no_collection as _no_collection

with _no_collection():
    from fastnn import loading as loading

# isort: split
from importlib import import_module
from typing import TYPE_CHECKING

import fastnn_kernels as kernels
from fastnn.common import bfloat16, random
from fastnn.common.errors import (
    DataError,
    FastnnError,
    FileFormatError,
    MissingPackageError,
    NonFiniteError,
    OutOfMemoryError,
    ShapeError,
)
from fastnn.common.hints.habits import missing_from as _missing_from
from fastnn.data.dataset import Dataset, Split
from fastnn.data.h5stream import H5Stream
from fastnn.data.preprocessing import Pixels, Table, Words
from fastnn.engine.threads import threads
from fastnn.loading import load
from fastnn.many import fit_many
from fastnn.models import Model, Sequential
from fastnn.nn import initializers, layers, losses, optimizers, schedules
from fastnn.nn.graph import Input
from fastnn.nn.layers import (
    GRU,
    LSTM,
    Activation,
    AdaptiveSoftmax,
    Add,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Columns,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    Reshape,
    SampledSoftmax,
    Sum,
)
from fastnn.nn.losses import MAE, MSE, BinaryCrossEntropy, ElementwiseLoss, Huber, Poisson, SoftmaxCrossEntropy
from fastnn.nn.optimizers import SGD, AdaGrad, Adam, AdamW, RMSProp
from fastnn.nn.schedules import CosineDecay, ExponentialDecay, StepDecay
from fastnn.ranks.group import distributed
from fastnn.training import callbacks
from fastnn.training.callbacks import (
    Callback,
    Checkpoint,
    CSVLogger,
    EarlyStopping,
    GradientNorms,
    Monitor,
    ProgressBar,
    ReduceOnPlateau,
    SaveBest,
    TensorBoard,
    TimeLimit,
)
from fastnn.training.history import History
from fastnn.training.models.gradient_check import check_gradients

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "MAE",
    "MSE",
    "SGD",
    "Activation",
    "AdaGrad",
    "Adam",
    "AdamW",
    "AdaptiveSoftmax",
    "Add",
    "AveragePool1D",
    "AveragePool2D",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Columns",
    "Concatenate",
    "Conv1D",
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
    "GlobalAveragePool",
    "GradientNorms",
    "H5Stream",
    "History",
    "Huber",
    "Input",
    "LayerNorm",
    "MaxPool1D",
    "MaxPool2D",
    "MissingPackageError",
    "Model",
    "Monitor",
    "NonFiniteError",
    "OutOfMemoryError",
    "Pixels",
    "Poisson",
    "ProgressBar",
    "RMSProp",
    "ReduceOnPlateau",
    "Reshape",
    "SampledSoftmax",
    "SaveBest",
    "Sequential",
    "ShapeError",
    "SoftmaxCrossEntropy",
    "Split",
    "StepDecay",
    "Sum",
    "Table",
    "TensorBoard",
    "TimeLimit",
    "Words",
    "bfloat16",
    "callbacks",
    "check_gradients",
    "distributed",
    "fit_many",
    "initializers",
    "kernels",
    "layers",
    "load",
    "losses",
    "optimizers",
    "random",
    "schedules",
    "threads",
]


if TYPE_CHECKING:  # imported when they are first asked for: pictures need matplotlib, exchanges other packages
    from fastnn import interop as interop
    from fastnn import ops as ops
    from fastnn import plots as plots
    from fastnn.language.model import LanguageModel as LanguageModel
    from fastnn.search.find_rate import find_rate as find_rate
    from fastnn.search.rate_test import RateTest as RateTest
    from fastnn.search.result import SweepResult as SweepResult
    from fastnn.search.space import Between as Between
    from fastnn.search.sweep import sweep as sweep
else:
    _packages = ("interop", "ops", "plots")
    _missing = _missing_from(__name__, __all__)
    _later = {
        "LanguageModel": "language.model",
        "Between": "search.space",
        "RateTest": "search.rate_test",
        "SweepResult": "search.result",
        "find_rate": "search.find_rate",
        "sweep": "search.sweep",
    }

    def __getattr__(name):
        """`fastnn.ops` and the like, and what `_later` has, imported now; AttributeError, with a hint, for others."""
        if name in _later:
            return getattr(import_module(f"fastnn.{_later[name]}"), name)
        return import_module(f"fastnn.{name}") if name in _packages else _missing(name)

    def __dir__():
        """What users are meant to find by completion: also what is not imported yet, and no module beside it."""
        return sorted({*__all__, *_later, *_packages, "data", *(name for name in globals() if name.startswith("__"))})
