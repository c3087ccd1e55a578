"""The model: a network, its parameters, and what can be asked of them. It knows nothing of training loops."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from fastnn.common import random, validation
from fastnn.common.errors import ShapeError
from fastnn.common.forks import renewed_in_child
from fastnn.common.hints.habits import Hinted, hinted
from fastnn.common.names import near
from fastnn.data.prepared import Prepared
from fastnn.data.preprocessing import Preprocessing, checked
from fastnn.data.source import Source, checked_batch, source_of, source_of_inputs
from fastnn.engine.builder import DROPOUT_KEY_WORDS
from fastnn.engine.parameters import Block
from fastnn.engine.room import check_room
from fastnn.nn import describe
from fastnn.nn.config import config_of
from fastnn.nn.layers import Layer
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.ranks.group import Group
from fastnn.training import memory, passes, storage
from fastnn.training.compile import compile_evaluate, compile_train
from fastnn.training.evaluation import bytes_to_evaluate, evaluate
from fastnn.training.history import History
from fastnn.training.kept import KeptSteps
from fastnn.training.runner import Runner
from fastnn.training.storage import Saved
from fastnn.training.turn import Turn

DtypeName = Literal["float32", "float64"]
DTYPES: tuple[DtypeName, ...] = get_args(DtypeName)


class Predictor(Hinted):
    """A network with its parameters, and what can be asked of them.

    Args:
        network: The description: layers, shapes, loss.
        dtype: "float32" or "float64", of parameters and all arithmetic.
        seed: Of the initial values and of everything random in training.

    Attributes:
        history: The record of all trainings so far.
        epoch: Epochs trained so far.
        meta: Plain data that is saved with the model, for its users.
    """

    def __init__(self, network: Network, *, dtype: DtypeName = "float32", seed: int = 0):
        self.dtype = _dtype(dtype)
        self.network = network.of_dtype(self.dtype)
        self.seed = random.seed_number(seed)
        self.state = self.network.initial_state(self.dtype, self.seed)
        self.history = History()
        self.epoch = 0
        self.meta: dict[str, Any] = {}
        self._preprocessing: Preprocessing | None = None
        self._optimizers: dict[str, Optimizer] = {}  # that a user asked for by name
        self.renew_in_child()

    def __getstate__(self) -> dict[str, Any]:
        """For copy and pickle: compiled steps hold addresses of this process, so a copy makes its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_kept", "_turn")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.renew_in_child()

    def renew_in_child(self) -> None:
        """Begin without compiled steps, and without anybody who uses them."""
        self._kept, self._turn = KeptSteps(), Turn()
        renewed_in_child(self)

    @property
    def parameters(self) -> Block:
        """The arrays that gradients change: {"dense.w": ..., "dense.b": ...}, views that may be read and written.

        Examples:
            >>> model.parameters["dense.w"].shape
            (4, 8)
        """
        return self.state.parameters

    @property
    def buffers(self) -> Block:
        """Running statistics: {"batch_norm.mean": ...}, views too."""
        return self.state.buffers

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What all methods do with data before the network takes them, such as `fn.Pixels`; None: nothing.

        It is saved, too.

        Raises:
            TypeError: When what is assigned is no preprocessing.
            ValueError: When it does not make what the network takes.
            ShapeError: When it makes samples of another shape.
        """
        return self._preprocessing

    @preprocessing.setter
    def preprocessing(self, given: Preprocessing | None) -> None:
        network = self.network
        inputs = list(network.graph.inputs)
        self._preprocessing = checked(given, inputs, network.input_shape, network.id_count(inputs[0]))

    @property
    def expected(self) -> Network | Prepared:
        """What users' data must be."""
        return self.network if self._preprocessing is None else Prepared(self.network, self._preprocessing)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the network, in the order in which they run."""
        return self.network.layers

    @hinted
    def evaluate(self, x: Any, y: Any, *, sample_weight: Any = None) -> dict[str, float]:
        """Mean loss and metrics on x and y, arrays or streams: {"loss": ..., "accuracy": ...}.

        Of several outputs, figures beside the loss that is trained bear the output's name: price_loss, price_mae.
        Metrics that need all predictions at once, "r2" and functions, keep them and the targets in memory.

        Args:
            x: The inputs, (N, *input_shape); of several inputs a dict by name, or a tuple in order.
            y: The targets, as for `fit`.
            sample_weight: How much each sample counts, (N,).

        Returns:
            The figures by name, floats.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be used: NaN, labels out of range, no samples.
            TypeError: For data of another kind.

        Examples:
            >>> sorted(model.evaluate(x, y))
            ['accuracy', 'loss']
        """
        return self.evaluate_source(source_of(self.expected, x, y, sample_weight))

    def evaluate_source(self, source: Source, group: Group | None = None) -> dict[str, float]:
        """`evaluate` on data that have been checked.

        Args:
            source: What the checks of `evaluate` make of data.
            group: The ranks that share the samples, all of which call this; None: all are evaluated here.

        Returns:
            The figures by name, floats.
        """
        with self._turn:
            return evaluate(self._runner(passes.of_evaluation(source)), source, self.network.outputs, group)

    def memory_to_evaluate(self, source: Source) -> int:
        """The bytes that `evaluate_source` takes of memory, beside the parameters and the data.

        Args:
            source: The data that would be evaluated.
        """
        with self._turn:
            return bytes_to_evaluate(self._runner(passes.of_evaluation(source)), source, self.network.outputs)

    @hinted
    def predict(self, x: Any, *, logits: bool = False) -> Any:
        """Probabilities for softmax and binary cross-entropy, else outputs, (N, outputs), of an array or stream x.

        A row's prediction has the same bits alone and in a batch.

        Args:
            x: The inputs, (N, *input_shape); of several inputs a dict by name, or a tuple in order.
            logits: Whether to return the raw scores.

        Returns:
            An array (N, outputs) of the model's dtype; of several outputs a dict of such arrays by name.

        Raises:
            ShapeError: If the shape of an array does not fit the network.
            DataError: For data that cannot be used: NaN, ids out of range, no samples.
            TypeError: For data of another kind.

        Examples:
            >>> model.predict(x).shape
            (30, 3)
        """
        read = self._read_batches("logits" if validation.truth("logits", logits) else "predict", x, Runner.predictions)
        if len(read) == 1:
            return read[0]
        return {output.name: array for output, array in zip(self.network.outputs, read, strict=True)}

    def outputs_of(self, layer: str, x: Any) -> np.ndarray:
        """The output of a layer at prediction, (N, *its shape).

        Args:
            layer: The name of the layer, as `summary` lists it.
            x: The inputs, as for `predict`.

        Returns:
            An array of the model's dtype.

        Raises:
            ValueError: For an unknown name.

        Examples:
            >>> model.outputs_of("dense", x).shape
            (30, 8)
        """
        if not isinstance(layer, str) or layer not in self.network.names:
            raise ValueError(f"unknown layer {layer!r}; {near(layer, self.network.names)}")
        return self._read_batches("logits", x, lambda runner, batch: [runner.layer_outputs()[layer]])[0]

    def _read_batches(
        self, kind: passes.Kind, x: Any, read: Callable[[Runner, int], list[np.ndarray]]
    ) -> list[np.ndarray]:
        """What `read` finds after each batch of x, put together."""
        source = source_of_inputs(self.expected, x)
        results: list[np.ndarray] = []
        with self._turn:
            runner = self._runner(kind)
            for _ in runner.chunks(source):
                while runner.next_batch:
                    start = runner.samples_done
                    runner.advance(limit=1)
                    found = read(runner, runner.samples_done - start)
                    if not results:
                        size = sum(source.samples * one[0].nbytes for one in found)
                        check_room(size, f"what is predicted of {source.samples:,} samples")
                    results = results or [np.empty((source.samples, *one.shape[1:]), one.dtype) for one in found]
                    for result, one in zip(results, found, strict=True):
                        result[start : runner.samples_done] = one
            runner.release()
        return results

    def loss_and_gradients(
        self, x: Any, y: Any, *, sample_weight: Any = None, draw: int = 0
    ) -> tuple[float, Mapping[str, np.ndarray]]:
        """Loss of exactly this batch and its gradient by every parameter that is not frozen, as in training.

        Parameters stay as they are; running statistics of batch normalisation move as in training. The compiled step is
        kept: the next call costs what a step of `fit` does.

        Args:
            x: The inputs of the batch, (N, *input_shape).
            y: Its targets, as for `fit`.
            sample_weight: How much each sample counts, (N,).
            draw: Chooses what dropout drops; in a training loop of your own count it up, one a step.

        Returns:
            The loss, and the gradients by the names of the parameters, with their shapes.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be trained on.
            TypeError: For data of another kind.

        Examples:
            >>> optimizer = fn.SGD(0.1)
            >>> loss, gradients = model.loss_and_gradients(x, y)
            >>> optimizer.step(model.parameters, gradients)
        """
        chunk = checked_batch(self.expected, x, y, sample_weight)
        weighted = chunk.sample_weight is not None
        with self._turn:
            compiled = partial(compile_train, self.network, self.state, weighted=weighted)
            runner = self._kept.batch(("gradients", weighted), len(chunk), compiled)
            runner.take(chunk, random.key(draw, "draw", words=DROPOUT_KEY_WORDS))
            loss, gradients = float(runner.losses[0]), runner.gradients.duplicate()
        frozen = self.network.frozen
        return loss, {name: gradients[name] for name in gradients if name not in frozen} if frozen else gradients

    def batch_loss(self, x: Any, y: Any) -> Callable[[], float]:
        """A function that computes the loss of this batch at the parameters of the moment.

        Args:
            x: The inputs of the batch, (N, *input_shape).
            y: Its targets, as for `fit`.

        Returns:
            A function without arguments; each call returns the loss as a float.
        """
        chunk = checked_batch(self.expected, x, y)
        runner = Runner(compile_evaluate(self.network, self.state, len(chunk), training=True))
        key = random.key(0, "draw", words=DROPOUT_KEY_WORDS)

        def loss() -> float:
            runner.start(chunk, dropout_key=key)
            runner.advance()
            return float(runner.losses[0])

        return loss

    def freeze(self, *layers: str) -> None:
        """Leave the parameters of these layers as they are in all later trainings.

        Args:
            *layers: Names of layers.

        Raises:
            ValueError: For an unknown name.

        Examples:
            >>> model.freeze("dense")
            >>> sorted(model.loss_and_gradients(x, y)[1])
            ['dense_1.b', 'dense_1.w']
        """
        self._set_frozen(layers, True)

    def unfreeze(self, *layers: str) -> None:
        """Train these layers again; without a name, all.

        Args:
            *layers: Names of layers.

        Raises:
            ValueError: For an unknown name.
        """
        self._set_frozen(layers or tuple(self.network.owners), False)

    def _set_frozen(self, layers: tuple[str, ...], frozen: bool) -> None:
        with self._turn:
            self.network = self.network.with_frozen(layers, frozen)
            self.parameters.frozen = self.network.frozen
            self._kept = KeptSteps()

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Overwrite the named parameters.

        Args:
            values: Arrays by the names of parameters; parameters that are not named stay.

        Raises:
            ValueError: For an unknown name.
            ShapeError: For another shape.

        Examples:
            >>> model.set_parameters({"dense.b": np.zeros(8)})
        """
        checked = {}
        for name, value in _mapping("values", values).items():
            if not isinstance(name, str) or name not in self.parameters:
                raise ValueError(f"unknown parameter {name!r}; {near(name, self.parameters)}")
            value = validation.as_array(value, name)
            if value.shape != self.parameters[name].shape:
                raise ShapeError(f"{name} has shape {value.shape}, expected {self.parameters[name].shape}")
            checked[name] = validation.finite(value, name, self.dtype)
        for name, value in checked.items():
            self.parameters.assign(name, value)

    def snapshot(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of all parameters and running statistics, for `restore`.

        Examples:
            >>> before = model.snapshot()
            >>> history = model.fit(x, y)
            >>> model.restore(before)
        """
        return {"parameters": self.parameters.copy(), "buffers": self.buffers.copy()}

    def restore(self, snapshot: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Put back the arrays of a `snapshot` of this model or of one of the same network.

        Args:
            snapshot: What `snapshot` returned.

        Raises:
            ValueError: For something else, or names that this model has not.
            ShapeError: For arrays of another shape.
        """
        parts = _mapping("snapshot", snapshot)
        if missing := [name for name in ("parameters", "buffers") if name not in parts]:
            raise ValueError(f"snapshot has no {missing[0]!r}, expected what model.snapshot() returned")
        for block, arrays in ((self.parameters, parts["parameters"]), (self.buffers, parts["buffers"])):
            for name, value in _mapping("the snapshot's arrays", arrays).items():
                block.assign(name, value)

    def saved(self, training: Mapping[str, Any] = MappingProxyType({})) -> Saved:
        """The model as plain data, for a file; with `training`, a checkpoint.

        Args:
            training: The state of a training: nested dicts of arrays and plain values.
        """
        config = {
            "network": config_of(self.network),
            "dtype": self.dtype.name,
            "seed": self.seed,
            "epoch": self.epoch,
            "meta": self.meta,
        }
        if self._preprocessing is None:
            return Saved(config, dict(self.parameters), dict(self.buffers), training)
        config["preprocessing"] = self._preprocessing.config()
        return Saved(config, dict(self.parameters), dict(self.buffers), training, self._preprocessing.arrays())

    def restore_saved(self, saved: Saved) -> None:
        """Take over the arrays of a file.

        Args:
            saved: What was read from the file.

        Raises:
            FileFormatError: Unless they have the names and shapes of this network's.
        """
        storage.check_arrays(saved, self.parameters.shapes, self.buffers.shapes, self.dtype)
        self.restore({"parameters": saved.parameters, "buffers": saved.buffers})

    @hinted
    def summary(self, *, batch_size: int = 32, optimizer: OptimizerName | Optimizer = "adam") -> str:
        """A table of layers, output shapes and parameter counts, and the memory to predict and to train.

        It is a text, which a notebook shows as a table. A training is one of batches of `batch_size` by `optimizer`;
        data and what callbacks keep come to it.

        Args:
            batch_size: Samples of a step.
            optimizer: An optimizer, or the name of one.

        Returns:
            The table as text of several lines.

        Examples:
            >>> print(model.summary())  # doctest: +ELLIPSIS
            input (N, 4)
            layer         output  parameters        count
            dense (relu)  (N, 8)  w (4, 8), b (8,)     40
            dense_1       (N, 3)  w (8, 3), b (3,)     27
            67 parameters, float32, 896 bytes with padding
            ...
        """
        with self._turn:
            predicting = self.state.nbytes + self._runner("predict").step.program.arena.nbytes
        needed = memory.summary(self.network, self.state, predicting, batch_size, optimizer)
        return describe.Summary.of(self.network, self.parameters, needed)

    def _runner(self, kind: passes.Kind) -> Runner:
        return self._kept.passing(kind, *passes.compiler(self.network, self.state, kind))

    if not TYPE_CHECKING:

        def __call__(self, *arrays, **keywords):
            raise TypeError("a model is not called: use model.predict(x), or with logits=True for raw scores")

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<{type(self).__name__} of {len(self.layers)} layers, {count:,} parameters>"

    def _repr_html_(self) -> str:
        """For notebooks: the table of `summary`."""
        return describe.html_table(self.network, self.parameters)


def _mapping(name: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} is {type(given).__name__}, expected a mapping of arrays by name")
    return given


def _dtype(given: Any) -> np.dtype:
    try:
        dtype = np.dtype(given)
    except TypeError:  # torch.float32, "half": nothing that NumPy knows
        dtype = None
    if dtype is None or dtype.name not in DTYPES:
        raise ValueError(f"dtype is {given!r}, expected float32 or float64")
    return dtype
