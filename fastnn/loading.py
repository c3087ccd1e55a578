"""Models come back from files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.hints.habits import hinted
from fastnn.data.preprocessing import Words, from_config
from fastnn.models import Model, Sequential, losses_of
from fastnn.nn.config import network_of
from fastnn.nn.layers import Layer
from fastnn.nn.losses import Loss, LossName
from fastnn.nn.outputs import Losses, Metrics, with_metrics
from fastnn.training.models import storage

MODEL = "model.h5"  # in a run's folder


@hinted
def load(
    path: str | Path,
    *,
    loss: LossName | Loss | Mapping[str, LossName | Loss] | None = None,
    metrics: Metrics | None = None,
    layers: Iterable[type[Layer]] = (),
) -> Model:
    """The model that `save` or a Checkpoint wrote; `loss` and `metrics` instead of those it had.

    Metrics that are functions are in no file: give them again. With another loss, metrics of the file that say nothing
    of its predictions are left out.

    Args:
        path: The HDF5 file.
        loss: A name or a loss object; None: that of the file. Of several outputs, a dict of losses of some leaves those
            of the others.
        metrics: As in `fn.Model`; None: those of the file.
        layers: The classes of layers of your own that it has.

    Returns:
        An `fn.Sequential` if its layers stand in a row, else an `fn.Model`.

    Raises:
        FileFormatError: If the file is missing or damaged.

    Examples:
        >>> model.save("model.h5")
        >>> fn.load("model.h5")
        <Sequential of 2 layers, 67 parameters>
    """
    return load_checkpoint(path, loss, metrics, layers)[0]


def load_checkpoint(
    path: str | Path,
    loss: LossName | Loss | Mapping[str, LossName | Loss] | None = None,
    metrics: Metrics | None = None,
    layers: Iterable[type[Layer]] = (),
) -> tuple[Model, dict[str, Any]]:
    """The model and the training state beside it, {} if the file holds a model alone. Errors as of `load`."""
    if isinstance(path, str | Path) and os.path.isfile(inside := os.path.join(path, MODEL)):
        raise FileFormatError(f"{str(path)!r} is the folder of a run, expected the model in it: fn.load({inside!r})")
    given, own = None if loss is None else losses_of(loss), own_layers(layers)
    saved = storage.read(path)
    return model_of(saved, given, metrics, own), dict(saved.training)


def model_of(saved: storage.Saved, loss: Losses | None, metrics: Metrics | None, own: tuple[type[Layer], ...]) -> Model:
    """The model that a file holds. FileFormatError if it holds none that can be built."""
    with storage.building(saved.file):
        config = saved.config
        network = network_of(config["network"], loss, None if metrics is None else (), own)
        storage.check_arrays(saved, *network.shapes_of_arrays(), np.dtype(config["dtype"]))
    if metrics is not None:  # what is wrong with them is not the file's fault
        network.outputs = with_metrics(network.outputs, metrics)
    with storage.building(saved.file):
        kind = Sequential if network.graph.is_chain else Model
        model = kind.of(network, dtype=config["dtype"], seed=config["seed"])
        take_over(model, saved)
        model.meta = dict(config["meta"])
    return model


def take_over(model: Model, saved: storage.Saved) -> None:
    """Give a new model of the same network what a file holds: arrays, epochs, columns of frames, preprocessing."""
    model.restore_saved(saved)
    model.epoch = saved.config["epoch"]
    model.columns = saved.config.get("columns", {})
    if "preprocessing" in saved.config:
        model.preprocessing = from_config(saved.config["preprocessing"], saved.preprocessing)


def with_vocabulary(model: Model) -> Model:
    """The model. An earlier fastnn kept the vocabulary of a language model in `meta` alone: it becomes Words."""
    words = model.meta.get("words")
    if model.preprocessing is None and isinstance(words, list) and words:
        model.preprocessing = Words(words)
    return model


def own_layers(layers: Iterable[type[Layer]]) -> tuple[type[Layer], ...]:
    """The classes of a user's own layers. TypeError for what is none."""
    given = tuple(layers) if isinstance(layers, Iterable) else (layers,)
    if isinstance(layers, type) or not all(isinstance(one, type) and issubclass(one, Layer) for one in given):
        raise TypeError(f"layers is {layers!r}, expected a list of classes of layers, such as [MyLayer]")
    return given
