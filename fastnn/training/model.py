"""The model: a network, its parameters, and what can be asked of them. It knows nothing of training loops."""

import math
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastnn.common import validation
from fastnn.common.errors import FileFormatError, ShapeError
from fastnn.common.names import near
from fastnn.data.source import Chunk, Source, source_of, source_of_inputs
from fastnn.engine.parameters import Block
from fastnn.nn import describe
from fastnn.nn.layers import Layer
from fastnn.nn.network import Network
from fastnn.training.compile import compile_evaluate, compile_predict, compile_train
from fastnn.training.history import History
from fastnn.training.runner import Runner
from fastnn.training.storage import Saved

DTYPES = ("float32", "float64")

# Samples of one step when predicting or evaluating: enough to share among threads, few enough that a batch of some
# hundred columns stays in the second-level cache. For large samples: as many as keep one activation per layer within
# EVALUATION_BYTES.
EVALUATION_BATCH = 500
EVALUATION_BYTES = 16 << 20


class Model:
    """A network with its parameters.

    network  the description: layers, shapes, loss
    dtype    float32 or float64, of parameters and all arithmetic
    seed     of the initial values and of everything random in training
    history  of all trainings so far
    epoch    epochs trained so far
    meta     plain data that is saved with the model, for its users
    """

    def __init__(self, network: Network, *, dtype: str = "float32", seed: int = 0):
        if np.dtype(dtype).name not in DTYPES:
            raise ValueError(f"dtype is {dtype!r}, expected float32 or float64")
        self.dtype = np.dtype(dtype)
        self.network = network.of_dtype(self.dtype)
        self.seed = int(seed)
        self.state = self.network.initial_state(self.dtype, self.seed)
        self.history = History()
        self.epoch = 0
        self.meta: dict[str, Any] = {}
        self._runners: dict[str, Runner] = {}
        self._turn = threading.Lock()  # runners are kept, and kernels run without the interpreter's lock

    def __getstate__(self) -> dict[str, Any]:
        """For copy and pickle: compiled steps hold addresses of this process, so a copy makes its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_runners", "_turn")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _runners={}, _turn=threading.Lock())

    @property
    def parameters(self) -> Block:
        """The arrays that gradients change: {"dense.w": ..., "dense.b": ...}, views that may be read and written."""
        return self.state.parameters

    @property
    def buffers(self) -> Block:
        """Running statistics: {"batch_norm.mean": ...}, views too."""
        return self.state.buffers

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.network.layers

    def evaluate(self, x: Any, y: Any) -> dict[str, float]:
        """Mean loss and accuracy on x and y, arrays or streams: {"loss": ..., "accuracy": ...}."""
        return self.evaluate_source(source_of(self.network, x, y))

    def evaluate_source(self, source: Source) -> dict[str, float]:
        """`evaluate` on data that have been checked."""
        with self._turn:
            runner = self._runner("evaluate")
            for _ in runner.chunks(source):
                while runner.advance():
                    pass
            runner.release()
            return runner.metrics()

    def predict(self, x: Any, *, logits: bool = False) -> np.ndarray:
        """Probabilities for softmax and binary cross-entropy, else outputs, (N, outputs), of an array or stream x.

        logits=True gives the raw scores. A row's prediction has the same bits alone and in a batch.
        """
        source = source_of_inputs(self.network, x)
        result = np.empty((source.samples, self.network.output_width), self.dtype)
        with self._turn:
            runner = self._runner("logits" if logits else "predict")
            for _ in runner.chunks(source):
                while runner.next_batch:
                    start = runner.samples_done
                    runner.advance(limit=1)
                    result[start : runner.samples_done] = runner.predictions(runner.samples_done - start)
            runner.release()
        return result

    def loss_and_gradients(self, x: Any, y: Any) -> tuple[float, dict[str, np.ndarray]]:
        """Loss of exactly this batch and its gradient by every parameter; changes no state."""
        x, y = self.network.checked(x, y)
        runner = Runner(compile_train(self.network, self.state, len(x)))
        runner.start(Chunk(x, y))
        runner.advance()
        return float(runner.losses[0]), runner.gradients.copy()

    def batch_loss(self, x: Any, y: Any) -> Callable[[], float]:
        """A function that computes the loss of this batch at the parameters of the moment."""
        x, y = self.network.checked(x, y)
        runner = Runner(compile_evaluate(self.network, self.state, len(x), training=True))

        def loss() -> float:
            runner.start(Chunk(x, y))
            runner.advance()
            return float(runner.losses[0])

        return loss

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Overwrite the named parameters. ValueError for an unknown name, ShapeError for another shape."""
        checked = {}
        for name, value in values.items():
            if name not in self.parameters:
                raise ValueError(f"unknown parameter {name!r}; {near(name, self.parameters)}")
            value = validation.as_array(value, name)
            if value.shape != self.parameters[name].shape:
                raise ShapeError(f"{name} has shape {value.shape}, expected {self.parameters[name].shape}")
            checked[name] = validation.finite(value, name, self.dtype)
        for name, value in checked.items():
            self.parameters.assign(name, value)

    def snapshot(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of all parameters and running statistics, for `restore`."""
        return {"parameters": self.parameters.copy(), "buffers": self.buffers.copy()}

    def restore(self, snapshot: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Put back the arrays of a `snapshot` of this model or of one of the same network."""
        for block, arrays in ((self.parameters, snapshot["parameters"]), (self.buffers, snapshot["buffers"])):
            for name, value in arrays.items():
                block.assign(name, value)

    def saved(self, training: Mapping[str, Any] = MappingProxyType({})) -> Saved:
        """The model as plain data, for a file; with `training`, a checkpoint."""
        config = {
            "network": self.network.config(),
            "dtype": self.dtype.name,
            "seed": self.seed,
            "epoch": self.epoch,
            "meta": self.meta,
        }
        return Saved(config, dict(self.parameters), dict(self.buffers), training)

    def restore_saved(self, saved: Saved) -> None:
        """Take over the arrays of a file. FileFormatError unless they have the names that this network has."""
        for kind, block, arrays in (
            ("parameters", self.parameters, saved.parameters),
            ("buffers", self.buffers, saved.buffers),
        ):
            if set(arrays) != set(block):
                raise FileFormatError(f"{saved.file}: holds {kind} {sorted(arrays)}, expected {sorted(block)}")
        self.restore({"parameters": saved.parameters, "buffers": saved.buffers})

    def summary(self) -> str:
        """A table of layers, output shapes and parameter counts, with exact memory."""
        return describe.table(self.network, self.parameters)

    def _runner(self, kind: str) -> Runner:
        if kind not in self._runners:
            sample = sum(map(math.prod, self.network.shapes)) * self.dtype.itemsize
            arguments = (self.network, self.state, max(min(EVALUATION_BATCH, EVALUATION_BYTES // sample), 1))
            evaluating = kind == "evaluate"
            step = compile_evaluate(*arguments) if evaluating else compile_predict(*arguments, kind == "logits")
            self._runners[kind] = Runner(step)
        return self._runners[kind]

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<{type(self).__name__} of {len(self.layers)} layers, {count:,} parameters>"
