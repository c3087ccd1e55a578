"""The models that users build: trained by `fit`, kept by `save`, brought back by `load`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn.common.hints.habits import hinted
from fastnn.data.preprocessing import Preprocessing
from fastnn.nn import losses
from fastnn.nn.graph import chain, graph_of
from fastnn.nn.layers import Layer
from fastnn.nn.layers.base import Node
from fastnn.nn.losses import Loss, LossName
from fastnn.nn.network import Network
from fastnn.nn.output_check import check_outputs
from fastnn.nn.outputs import Losses, Metrics
from fastnn.training.models import storage
from fastnn.training.models.dtypes import DtypeName
from fastnn.training.trainable import Trainable


class Model(Trainable):
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
        Trainable.__init__(model, network, dtype=dtype, seed=seed)
        return model

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
        Trainable.__init__(self, network, dtype=dtype, seed=seed)
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
