"""The model: a network with its arrays, and what is computed of data. It knows nothing of training loops."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common import random, validation
from fastnn.common.hints.habits import hinted
from fastnn.common.names import near
from fastnn.data.source import Source, checked_batch, source_of, source_of_inputs
from fastnn.engine.builder import DROPOUT_KEY_WORDS
from fastnn.nn import describe
from fastnn.nn.layers.base import Node
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.ranks.group import Group
from fastnn.training.models.stateful_network import StatefulNetwork
from fastnn.training.passes import kinds
from fastnn.training.passes.evaluation import bytes_to_evaluate, evaluate
from fastnn.training.passes.predictions import collect
from fastnn.training.passes.runner import Runner
from fastnn.training.steps import memory
from fastnn.training.steps.compile import compile_evaluate, compile_train


class Predictor(StatefulNetwork):
    """A network with its parameters, and what can be asked of them."""

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
        with self._lock.steps():
            return evaluate(self._runner(kinds.of_evaluation(source)), source, self.network.outputs, group)

    def memory_to_evaluate(self, source: Source) -> int:
        """The bytes that `evaluate_source` takes of memory, beside the parameters and the data.

        Args:
            source: The data that would be evaluated.
        """
        with self._lock.steps():
            return bytes_to_evaluate(self._runner(kinds.of_evaluation(source)), source, self.network.outputs)

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

    @hinted
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
        self, kind: kinds.Kind, x: Any, read: Callable[[Runner, int], list[np.ndarray]]
    ) -> list[np.ndarray]:
        """What `read` finds after each batch of x, put together."""
        with self._lock.steps():
            if (runner := self._taken_again(kind, x)) is not None:
                return [found.copy() for found in read(runner, len(x))]
        source = source_of_inputs(self.expected, x)
        with self._lock.steps():
            return collect(self._runner(kind), source, read)

    def _taken_again(self, kind: kinds.Kind, x: Any) -> Runner | None:
        """The runner that has taken x without further checks, an array or a list like the last; None: none has."""
        runner = self._kept.last(kind) if self.preprocessing is None and self.network.has_usual_check else None
        if runner is None or type(x) not in (np.ndarray, list):
            return None
        return runner if runner.take_again(validation.as_array(x, "x")) else None

    @hinted
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
        with self._lock.steps():
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
            with self._lock.steps():
                runner.start(chunk, dropout_key=key)
                runner.advance()
                return float(runner.losses[0])

        return loss

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
        with self._lock.steps():
            predicting = self.state.nbytes + self._runner("predict").step.program.arena.nbytes
        needed = memory.summary(self.network, self.state, predicting, batch_size, optimizer)
        return describe.Summary.of(self.network, self.parameters, needed)

    def _runner(self, kind: kinds.Kind) -> Runner:
        return self._kept.passing(kind, *kinds.compiler(self.network, self.state, kind))

    if not TYPE_CHECKING:

        def __call__(self, *arrays, **keywords):
            if any(isinstance(array, Node) for array in arrays):
                hint = "call its layers one after the other; a layer that is called twice shares its parameters"
                raise TypeError(f"a model is not called with values of another one: {hint}")
            raise TypeError("a model is not called: use model.predict(x), or with logits=True for raw scores")

    def _repr_html_(self) -> str:
        """For notebooks: the table of `summary`."""
        return describe.html_table(self.network, self.parameters)
