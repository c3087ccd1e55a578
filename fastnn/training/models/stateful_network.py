"""A network and its arrays: parameters that are read, set, frozen, put back, and taken to a file and back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastnn.common import random, validation
from fastnn.common.errors import ShapeError
from fastnn.common.forks import renewed_in_child
from fastnn.common.names import near
from fastnn.common.text import plural
from fastnn.engine.parameters import NamedArrays
from fastnn.nn.config import config_of
from fastnn.nn.layers import Layer
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer
from fastnn.training.history import History
from fastnn.training.models import storage
from fastnn.training.models.attributes import CHECKS
from fastnn.training.models.dtypes import DtypeName, checked_dtype
from fastnn.training.models.lock import ModelLock
from fastnn.training.models.storage import Saved
from fastnn.training.models.users_data import TakesData
from fastnn.training.passes.kept import KeptSteps


class StatefulNetwork(TakesData):
    """A network and its arrays. It computes nothing: `Predictor` does.

    Args:
        network: The description: layers, shapes, loss.
        dtype: "float32" or "float64", of parameters and all arithmetic.
        seed: Of the initial values and of everything random in training.

    Attributes:
        history: The record of all trainings so far.
        meta: Plain data that is saved with the model, for its users.
    """

    _checks = CHECKS  # a copy and a pickle of a model assign nothing
    _holds_more = True

    def __init__(self, network: Network, *, dtype: DtypeName = "float32", seed: int = 0):
        self.dtype = checked_dtype(dtype)
        self.network = network.of_dtype(self.dtype)
        self.seed = random.seed_number(seed)
        self.state = self.network.initial_state(self.dtype, self.seed)
        self.history = History()
        self.epoch = 0
        self.meta: dict[str, Any] = {}
        self._optimizers: dict[str, Optimizer] = {}  # that a user asked for by name
        self.renew_in_child()

    def __getstate__(self) -> dict[str, Any]:
        """For copy and pickle: compiled steps hold addresses of this process, so a copy makes its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_kept", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.renew_in_child()

    def renew_in_child(self) -> None:
        """Begin without compiled steps, and without anybody who uses them."""
        self._kept, self._lock = KeptSteps(), ModelLock()
        renewed_in_child(self)

    @property
    def dtype(self) -> np.dtype:
        """Of parameters and all arithmetic: that with which the model was made.

        Raises:
            AttributeError: When another one is assigned.
        """
        return self.__dict__["dtype"]

    @dtype.setter
    def dtype(self, given: np.dtype) -> None:
        if given != self.__dict__.setdefault("dtype", given):
            raise AttributeError(
                f"a model keeps its dtype, {self.dtype}: give it where the model is made, Sequential([...], dtype=...)"
            )

    @property
    def epoch(self) -> int:
        """Epochs trained so far: the first one of the next training has the number after it.

        Raises:
            TypeError: When what is assigned is no whole number.
            ValueError: When it is below 0.
        """
        return self._epoch

    @epoch.setter
    def epoch(self, given: int) -> None:
        self._epoch = validation.whole_number("epoch", given, least=0)

    @property
    def parameters(self) -> NamedArrays:
        """The arrays that gradients change: {"dense.w": ..., "dense.b": ...}, views that may be read and written.

        Examples:
            >>> model.parameters["dense.w"].shape
            (4, 8)
        """
        return self.state.parameters

    @property
    def buffers(self) -> NamedArrays:
        """Running statistics: {"batch_norm.mean": ...}, views too."""
        return self.state.buffers

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the network, in the order in which they run."""
        return self.network.layers

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
        with self._lock.steps():
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
        if self._columns:
            config["columns"] = self.columns
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

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<{type(self).__name__} of {plural(len(self.layers), 'layer')}, {plural(count, 'parameter')}>"


def _mapping(name: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} is {type(given).__name__}, expected a mapping of arrays by name")
    return given
