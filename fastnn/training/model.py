"""The model: a network, its parameters, and what can be asked of them."""

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common import validation as checks
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.names import near
from fastnn.data.source import Feed, feed_of, feed_of_inputs
from fastnn.engine.parameters import Block
from fastnn.nn import describe as summary
from fastnn.nn import losses
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer
from fastnn.training.compile import Plan, compile_evaluate, compile_predict, compile_train
from fastnn.training.history import History

if TYPE_CHECKING:
    from fastnn.training.callbacks import Callback as TrainingCallback

DTYPES = ("float32", "float64")

# Rows of one call when predicting or evaluating: large enough to share among threads, small enough that a batch of a
# few hundred columns stays in the second-level cache; of pictures as few as make so many bytes, one after each layer.
EVALUATION_BATCH = 500
EVALUATION_BYTES = 16 << 20


class Sequential:
    """Layers in a row.

    layers       descriptions: Dense, Embedding, ...
    input_shape  of one sample, without the sample axis
    loss         a name or a loss object
    dtype        float32 or float64, of parameters and all arithmetic
    seed         of the initial values and of everything random in training
    l1, l2       add l1·Σ|w| and ½·l2·Σw² over all weights w (no biases) to the loss of a batch
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        input_shape: tuple[int, ...],
        loss: str | Loss = "softmax_cross_entropy",
        dtype: str = "float32",
        seed: int = 0,
        l1: float = 0.0,
        l2: float = 0.0,
    ):
        self._set_up(Network(layers, input_shape, losses.get(loss), l1, l2), dtype, seed)

    @classmethod
    def of(cls, network: Network, *, dtype: str = "float32", seed: int = 0) -> "Sequential":
        """A model of a network that exists already."""
        model = cls.__new__(cls)
        model._set_up(network, dtype, seed)
        return model

    def _set_up(self, network: Network, dtype: str, seed: int) -> None:
        if np.dtype(dtype).name not in DTYPES:
            raise ValueError(f"dtype is {dtype!r}, expected float32 or float64")
        self.network = network
        self.dtype = np.dtype(dtype)
        self.seed = int(seed)
        self.state = self.network.initial_state(self.dtype, self.seed)
        self.history = History()
        self.epoch = 0
        self.meta: dict[str, Any] = {}
        self._plans: dict[str, Plan] = {}
        self._turn = threading.Lock()  # plans are kept, and kernels run without the interpreter's lock

    def __getstate__(self) -> dict[str, Any]:
        """For copy and pickle: plans hold addresses of this process, so a copy makes its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_plans", "_turn")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _plans={}, _turn=threading.Lock())

    @property
    def parameters(self) -> Block:
        """What training changes by gradients: {"dense.w": ..., "dense.b": ...}, views that may be read and written."""
        return self.state.parameters

    @property
    def buffers(self) -> Block:
        """Running statistics: {"batch_norm.mean": ...}, views too."""
        return self.state.buffers

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.network.layers

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        optimizer: Optimizer,
        batch_size: int | None = 32,
        epochs: int = 1,
        validation_data: tuple[Any, Any] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        sample_weight: Any = None,
        class_weight: Any = None,
        callbacks: "Iterable[TrainingCallback]" = (),
        verbose: bool | str = "auto",
    ) -> History:
        """Train on x (N, *input_shape) and y (N,) for `epochs` more epochs.

        x, y             arrays, or streams such as `fn.H5Stream`, read while training goes on
        batch_size       samples a step; the last, shorter batch is kept; None: all samples
        validation_data  (x, y), evaluated after each epoch; or
        validation_split the share of x and y, from their end, that is set apart for it
        shuffle          a new sample order each epoch, a function of seed and epoch
        sample_weight    how much each sample counts in the loss, (N,)
        class_weight     how much each class counts: {label: weight}, 1 for others, or one number a class
        verbose          True: a progress bar; False: silence; "auto": a bar on a terminal

        A second call continues epoch count, sample order and, with the same optimizer, its state.
        Returns `self.history`. Raises ShapeError, DataError or TypeError for data that does not fit
        the model, NonFiniteError when the loss is no longer finite.
        """
        from fastnn.training.loop import Run

        run = Run(self, optimizer, batch_size, epochs, shuffle, callbacks, verbose)
        feed = feed_of(self.network, x, y, sample_weight, class_weight)
        validation = self._validation(validation_data)
        if validation_split:
            kept = checks.training_count(feed.samples, validation_split, validation is not None)
            feed, validation = feed.cut(kept)
        return run.train(feed, validation)

    def evaluate(self, x: Any, y: Any) -> dict[str, float]:
        """Mean loss and accuracy on x and y, arrays or streams: {"loss": ..., "accuracy": ...}."""
        return self._evaluate(feed_of(self.network, x, y))

    def predict(self, x: Any, *, logits: bool = False) -> np.ndarray:
        """Probabilities for softmax and binary cross-entropy, else outputs, (N, outputs), of an array or stream x.

        logits=True gives the raw scores. A row's prediction has the same bits alone and in a batch.
        """
        feed = feed_of_inputs(self.network, x)
        result = np.empty((feed.samples, self.network.output_width), self.dtype)
        with self._turn:
            plan = self._plan("logits" if logits else "predict")
            for _ in plan.through(feed):
                while plan.next_batch:
                    start = plan.done
                    plan.advance(limit=1)
                    result[start : plan.done] = plan.predictions(plan.done - start)
            plan.release()
        return result

    def loss_and_gradients(self, x: Any, y: Any) -> tuple[float, dict[str, np.ndarray]]:
        """Loss of exactly this batch and its gradient by every parameter; changes no state."""
        x, y = self.network.checked(x, y)
        plan = compile_train(self.network, self.state, len(x))
        plan.start(x, y)
        plan.advance()
        assert plan.gradients is not None
        return float(plan.losses[0]), plan.gradients.copy()

    def batch_loss(self, x: Any, y: Any) -> Callable[[], float]:
        """A function that computes the loss of this batch at the parameters of the moment."""
        x, y = self.network.checked(x, y)
        plan = compile_evaluate(self.network, self.state, len(x), training=True)

        def loss() -> float:
            plan.start(x, y)
            plan.advance()
            return float(plan.losses[0])

        return loss

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Overwrite the named parameters. ValueError for an unknown name, ShapeError for another shape."""
        checked = {}
        for name, value in values.items():
            if name not in self.parameters:
                raise ValueError(f"unknown parameter {name!r}; {near(name, self.parameters)}")
            value = checks.as_array(value, name)
            if value.shape != self.parameters[name].shape:
                raise ShapeError(f"{name} has shape {value.shape}, expected {self.parameters[name].shape}")
            checked[name] = checks.finite(value, name)
        for name, value in checked.items():
            self.parameters.assign(name, value)

    def snapshot(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of all parameters and running statistics, for `restore`."""
        return {"parameters": self.parameters.copy(), "buffers": self.buffers.copy()}

    def restore(self, snapshot: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Put back what `snapshot` took, of this model or of one of the same network."""
        for block, arrays in ((self.parameters, snapshot["parameters"]), (self.buffers, snapshot["buffers"])):
            for name, value in arrays.items():
                block.assign(name, value)

    def summary(self) -> str:
        """A table of layers, output shapes and parameter counts, with exact memory."""
        return summary.table(self.network, self.parameters)

    def save(self, path: str | Path) -> None:
        """Write the model to an HDF5 file, whole or not at all."""
        from fastnn.training.storage import save_model

        save_model(path, self)

    def _plan(self, kind: str) -> Plan:
        if kind not in self._plans:
            sample = sum(map(math.prod, self.network.shapes)) * self.dtype.itemsize
            batch = max(min(EVALUATION_BATCH, EVALUATION_BYTES // sample), 1)
            arguments = (self.network, self.state, batch)
            evaluating = kind == "evaluate"
            plan = compile_evaluate(*arguments) if evaluating else compile_predict(*arguments, kind == "logits")
            self._plans[kind] = plan
        return self._plans[kind]

    def _evaluate(self, feed: Feed) -> dict[str, float]:
        with self._turn:
            plan = self._plan("evaluate")
            for _ in plan.through(feed):
                while plan.advance():
                    pass
            plan.release()
            return plan.metrics()

    def _validation(self, data: tuple[Any, Any] | None) -> Feed | None:
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise DataError(f"validation_data is {type(data).__name__}, expected a pair (x, y)")
        return feed_of(self.network, *data, names=("validation x", "validation y"))

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<Sequential of {len(self.layers)} layers, {count:,} parameters>"
