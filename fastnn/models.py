"""The models that users build: trained by `fit`, kept by `save`, brought back by `load`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.hints.habits import hinted
from fastnn.data.fit_data import split_apart, training_source, validation_source
from fastnn.data.preprocessing import Preprocessing
from fastnn.data.source import ArraySource, source_of
from fastnn.nn import losses, optimizers
from fastnn.nn.graph import chain, graph_of
from fastnn.nn.layers import Layer
from fastnn.nn.layers.base import Node
from fastnn.nn.losses import Loss, LossName
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer, OptimizerName
from fastnn.nn.output_check import check_outputs
from fastnn.nn.outputs import Losses, Metrics
from fastnn.ranks.group import refuse
from fastnn.training import storage
from fastnn.training.by_batch import take_step
from fastnn.training.by_ranks import train
from fastnn.training.callbacks import Callback
from fastnn.training.history import History
from fastnn.training.memory import check_copies
from fastnn.training.model import Predictor
from fastnn.training.settings import Settings, Verbose
from fastnn.training.stateful_network import DtypeName
from fastnn.training.statistics import fit_statistics
from fastnn.training.turn import of_optimizer


class Model(Predictor):
    """Layers that branch: a network between values that layers were called with and values that they made.

    A layer that is called twice shares its parameters, `Dense(tied_to=)` those of another layer. Several inputs take a
    dict of arrays by name, or a tuple of them in order; several outputs take targets and give predictions likewise.

    These names measure a model beside its loss:

    - "accuracy": right answers; with a loss of numbers: targets 0 and 1 of one output, judged at ½, or rows with one 1,
      judged by the highest score
    - "sign_accuracy": scores with the sign of their target, for targets −1 and 1
    - "top_5": labels among the five highest scores; likewise top_2, top_10
    - "mae", "mse", "rmse", "r2": errors of predictions against targets that are numbers
    - "perplexity": exp of the mean cross-entropy

    All count samples by their weights. "r2" and functions need all predictions at once: `evaluate` and validation
    report them ("val_r2"), the running epoch of a training does not. A function gets labels (N,) or numbers (N,
    scores), (N,) if there is one, and what `predict` gives; `sample_weight` too, if it has this argument and samples
    have weights. `save` keeps names, not functions.

    Args:
        inputs: What `fn.Input` made: one, a list, or a dict by name.
        outputs: What layers made, each with samples (scores,): one, a list, or a dict by name.
        loss: A name or a loss object; of several outputs also a dict of them by name.
        loss_weights: The weight of each output's loss in the sum that is trained, by name; 1 for others.
        metrics: Figures beside the loss, and beside what it measures itself: cross-entropies report "accuracy", other
            losses nothing. A list of names, of functions of (y_true, y_pred) such as scikit-learn's, or of pairs (name
            of the figure, one of these). Of several outputs also a dict of lists by name; the figures of each begin
            with its name: price_loss, price_mae.
        dtype: "float32" or "float64", of parameters and all arithmetic.
        seed: Of the initial values and of everything random in training.
        l1: Adds l1·Σ|w| over all weights w to the loss of a batch; over biases, too, of layers with penalise_bias=True.
        l2: Adds ½·l2·Σw² over the same.
        preprocessing: What is done with data of a model of one input before the network takes them: `fn.Pixels`,
            `fn.Table`, `fn.Words`. Then fit, evaluate, predict and all others take data as they are in their files; it
            is saved, too.

    Raises:
        ShapeError: If the shapes of values do not fit together.
        TypeError: For arguments of a kind that makes no network.
        ValueError: For other values that do not make a network.

    Examples:
        >>> x = fn.Input((8,))
        >>> hidden = fn.Dense(8, "relu")(x)
        >>> fn.Model(x, fn.Dense(3)(fn.Add()(x, hidden)))
        <Model of 3 layers, 99 parameters>
    """

    def __init__(
        self,
        inputs: Node | Sequence[Node] | Mapping[str, Node],
        outputs: Node | Sequence[Node] | Mapping[str, Node],
        *,
        loss: LossName | Loss | Mapping[str, LossName | Loss] = "softmax_cross_entropy",
        loss_weights: Mapping[str, float] | None = None,
        metrics: Metrics = (),
        dtype: DtypeName = "float32",
        seed: int = 0,
        l1: float = 0.0,
        l2: float = 0.0,
        preprocessing: Preprocessing | None = None,
    ):
        network = Network(graph_of(inputs, outputs), losses_of(loss), l1, l2, loss_weights, metrics)
        super().__init__(network, dtype=dtype, seed=seed)
        check_outputs(network)
        self.preprocessing = preprocessing

    @classmethod
    def of(cls, network: Network, *, dtype: DtypeName = "float32", seed: int = 0) -> "Model":
        """A model of a network that exists already.

        Args:
            network: The description: layers, shapes, losses.
            dtype: "float32" or "float64", of parameters and all arithmetic.
            seed: Of the initial values and of everything random in training.
        """
        model = cls.__new__(cls)
        Predictor.__init__(model, network, dtype=dtype, seed=seed)
        return model

    @hinted
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        optimizer: OptimizerName | Optimizer = "adam",
        batch_size: int | None = 32,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        steps_per_block: int = 1,
        validation_data: tuple[Any, ...] | Iterable[Any] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        sample_weight: Any = None,
        class_weight: Any = None,
        callbacks: Iterable[Callback] = (),
        verbose: Verbose = "auto",
    ) -> History:
        """Train on x (N, *input_shape) and y (N,) for `epochs` more epochs.

        A second call continues epoch count, sample order and, with the same optimizer, its state.

        Args:
            x: Arrays, or streams such as `fn.H5Stream`, read while training goes on. Or, without y, batches (x, y) or
                (x, y, sample_weight) to iterate over, a step each: a list, a generator, another library's loader. None
                may be larger than the first; `batch_size` and `shuffle` do not apply.
            y: The targets as the loss takes them: labels (N,), or numbers (N,) or (N, scores); an array or a stream. Of
                a network whose scores are (T, classes), labels of the T steps of a sequence, (N, T), -1 where a step
                has none; all labels of a batch count alike.
            optimizer: An optimizer such as `fn.Adam(1e-3)`, or the name of one with its usual settings: of a name, the
                model keeps one optimizer for all calls.
            batch_size: Samples a step; the last, shorter batch is kept; None: all samples.
            epochs: How many times the data are gone through, after those of earlier calls.
            steps_per_epoch: Where each step takes all samples: the number of steps that make an epoch (default 1). A
                small net takes thousands of such steps in the time of one callback. Of batches: how many make an epoch
                (default: all); a generator goes on with the next one.
            steps_per_block: For steps of one sample by plain SGD, where the first layer is a Dense: how many of them
                its weight w takes at once, about 32. Faster where w is large. The algebra is that of SGD, one step
                after the other; only sums are rounded otherwise, which the last digits show. The scores of step t of a
                block are xₜ·w − Σ lr·(xₜ·xₛ)·dₛ over the steps s before it in the block, where dₛ is the gradient of
                their scores; X·w, X·Xᵀ and the block's update w −= lr·Xᵀ·D are products. What follows the first product
                takes its steps one by one as ever. A block ends early where the data end, or where a callback looks
                every n steps.
            validation_data: (x, y), (x, y, sample_weight) or batches, evaluated after each epoch.
            validation_split: Instead of them, the fraction of x and y, from their end, that is set apart; a UserWarning
                if they are sorted by class.
            shuffle: A new sample order each epoch, a function of seed and epoch.
            sample_weight: How much each sample counts in the loss, (N,).
            class_weight: How much each class counts: {label: weight}, 1 for others; or one number a class; or
                "balanced": N / (k · count), over all y, where k classes occur in it. Classes are labels, or 0 and 1 of
                one score with binary_cross_entropy.
            callbacks: What watches the training and may stop it, such as `fn.EarlyStopping()`.
            verbose: "auto": in a notebook one output with a bar, the last figures and a small curve, in a terminal a
                bar and a line an epoch, elsewhere only a line if kernels must be compiled first; True (also 1, 2):
                elsewhere also a line an epoch, at level INFO of the logger "fastnn", on stderr where `logging` has no
                handler; False (also 0): silence. `logging` alone asks for these lines by
                `logging.getLogger("fastnn").setLevel(logging.INFO)`.

        Returns:
            `self.history`, the record of all trainings so far.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be trained on: NaN, labels out of range, too few samples.
            TypeError: For arguments of another kind.
            ValueError: For arguments out of range, or that exclude each other.
            NonFiniteError: When the loss is no longer finite.
            FastnnError: While another `fit` of this model, or by this optimizer, runs.
            OutOfMemoryError: If it would take more memory than this process may.

        Examples:
            >>> history = model.fit(x, y, epochs=3, validation_split=0.2)
            >>> len(history["val_loss"])
            3
        """
        settings = Settings(
            self._optimizer(optimizer),
            batch_size,
            epochs,
            steps_per_epoch,
            steps_per_block,
            shuffle,
            _listed(callbacks),
            verbose,
        )
        check_copies(x, y)
        source = training_source(self.expected, x, y, sample_weight, class_weight, settings.steps_per_epoch)
        validated = validation_source(self.expected, validation_data, settings.epochs)
        source, validated = split_apart(self.expected, source, validated, validation_split)
        with self._turn.of_fit(), of_optimizer(settings.optimizer):
            fit_statistics(self, source)
            return train(self, settings, source, validated)

    @hinted
    def train_on_batch(
        self, x: Any, y: Any, *, optimizer: OptimizerName | Optimizer = "adam", sample_weight: Any = None
    ) -> dict[str, float]:
        """One step of training on exactly this batch, for a loop of your own; its loss and metrics before the step.

        The compiled step is kept, so the next call costs what a step of `fit` does. Epochs and history are the loop's
        business: `model.epoch` stays, and nothing is recorded.

        Args:
            x: The inputs of the batch, (N, *input_shape).
            y: Its targets, as for `fit`.
            optimizer: As in `fit`.
            sample_weight: How much each sample counts in the loss, (N,).

        Returns:
            The figures by name: {"loss": ..., "accuracy": ...}.

        Raises:
            ShapeError: If the shape of an array does not fit the network or the others.
            DataError: For data that cannot be trained on.
            TypeError: For arguments of another kind, such as streams.
            ValueError: For arguments out of range.
            NonFiniteError: If the loss is not finite.
            FastnnError: Within `fn.distributed()`.

        Examples:
            >>> for i in range(0, 30, 10):
            ...     figures = model.train_on_batch(x[i : i + 10], y[i : i + 10], optimizer="adam")
            >>> sorted(figures)
            ['accuracy', 'loss']
        """
        refuse("train_on_batch")
        source = source_of(self.expected, x, y, sample_weight)
        if not isinstance(source, ArraySource):
            raise TypeError("train_on_batch takes arrays; fit reads streams")
        with self._turn:
            self._turn.check_step()
            return take_step(self, self._kept, self._optimizer(optimizer), source.start())

    def _optimizer(self, given: OptimizerName | Optimizer) -> Optimizer:
        """The optimizer itself, or that of this model by name: one for all calls."""
        if isinstance(given, Optimizer):
            return given
        if not isinstance(given, str):
            raise TypeError(f"optimizer is {given!r}, expected an optimizer such as SGD(0.1), or the name of one")
        if given not in self._optimizers:
            self._optimizers[given] = optimizers.from_config({"name": given})
        return self._optimizers[given]

    @hinted
    def save(self, path: str | Path) -> None:
        """Write the model to an HDF5 file, whole or not at all; `fn.load` reads it.

        Args:
            path: The file; one that is there is replaced.

        Raises:
            FileFormatError: If the path cannot be written.

        Examples:
            >>> model.save("model.h5")
            >>> bool((fn.load("model.h5").predict(x) == model.predict(x)).all())
            True
        """
        storage.save(path, self.saved())


class Sequential(Model):
    """Layers in a row.

    Args:
        layers: Descriptions: Dense, Embedding, ...
        input_shape: Of one sample, without the sample axis; 20 is (20,).
        loss: A name or a loss object.
        metrics: Figures beside the loss: names such as "mae", functions or pairs, as in `fn.Model`.
        dtype: "float32" or "float64", of parameters and all arithmetic.
        seed: Of the initial values and of everything random in training.
        l1: Adds l1·Σ|w| over all weights w to the loss of a batch, as in `fn.Model`.
        l2: Adds ½·l2·Σw² over the same.
        preprocessing: What is done with data before the network takes them, as in `fn.Model`.

    Raises:
        ShapeError: If a layer cannot take what the one before it makes.
        TypeError: For arguments of a kind that makes no network.
        ValueError: For other values that do not make a network.

    Examples:
        >>> fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=(4,))
        <Sequential of 2 layers, 67 parameters>
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        input_shape: int | Sequence[int],
        loss: LossName | Loss = "softmax_cross_entropy",
        metrics: Metrics = (),
        dtype: DtypeName = "float32",
        seed: int = 0,
        l1: float = 0.0,
        l2: float = 0.0,
        preprocessing: Preprocessing | None = None,
    ):
        network = Network(chain(layers, input_shape), losses.get(loss), l1, l2, metrics=metrics)
        Predictor.__init__(self, network, dtype=dtype, seed=seed)
        check_outputs(network)
        self.preprocessing = preprocessing

    if TYPE_CHECKING:  # it has one output

        def predict(self, x: Any, *, logits: bool = False) -> np.ndarray:
            """The predictions (N, outputs): as of `Model.predict`, which has one output here.

            Args:
                x: The inputs, an array (N, *input_shape) or a stream.
                logits: Whether to return the raw scores.

            Returns:
                An array (N, outputs) of the model's dtype.
            """


def losses_of(given: LossName | Loss | Mapping[str, LossName | Loss]) -> Losses:
    """The loss of a name, or of each output by names; losses themselves stay."""
    if isinstance(given, Mapping):
        return {name: losses.get(one) for name, one in given.items()}
    if isinstance(given, list | tuple) and not losses.are_functions(given):
        raise TypeError(f"loss is {given!r}, expected one loss, or of several outputs a dict of them by name")
    return losses.get(given)


def _listed(callbacks: Iterable[Callback]) -> tuple[Callback, ...]:
    if not isinstance(callbacks, Iterable) or isinstance(callbacks, np.ndarray):
        raise TypeError(f"callbacks is {callbacks!r}, expected a list, such as [fn.EarlyStopping()]")
    return tuple(callbacks)
