"""Narrow nets of one shape whose steps one kernel takes together: which nets can, and the arrays of the kernel."""

from collections.abc import Hashable, Sequence

import numpy as np

import fastnn_kernels as k
from fastnn.common.arithmetic import ieee
from fastnn.engine.memory import aligned_bytes
from fastnn.engine.parameters import NamedArrays
from fastnn.nn import narrow, narrow_sgd
from fastnn.nn.layers import Dense
from fastnn.nn.network import Network
from fastnn.nn.optimizers import Optimizer
from fastnn_kernels._jit import JIT
from fastnn_kernels._lanes.lanes import LANES
from fastnn_kernels._narrow.layout import FIELDS, in_chains
from fastnn_kernels._tuning import ALIGNMENT
from fastnn_kernels.narrow_many import CHAINS


def kind_of(network: Network, optimizer: Optimizer) -> Hashable | None:
    """What nets must have in common to be trained together; None: this one cannot be, with any other.

    The kernel takes plain SGD on labels of few classes, with or without penalties ½ · λ · Σ w² on weights.
    """
    penalties = network.penalties()
    plain = all(name.endswith(".w") and not l1 for name, (l1, _) in penalties.items())
    if not plain or not narrow_sgd.learns_labels(network, optimizer):
        return None
    layers = [(one.units, one.activation, one.use_bias) for one in network.layers if isinstance(one, Dense)]
    metrics = [metric.name for metric in network.metrics]
    return *layers, *metrics, network.loss.reduction, *penalties


class Nets:
    """Up to LANES nets of one kind, and the samples of which each step takes all. A net's number is its lane.

    parameters  of each net; read here, and written by `store`
    x           : (B, C), of the nets' dtype    labels : (B,)    loss_weight : (B,)
    """

    def __init__(
        self,
        networks: Sequence[Network],
        parameters: Sequence[NamedArrays],
        x: np.ndarray,
        labels: np.ndarray,
        loss_weight: np.ndarray,
    ):
        self._parameters, real, line = parameters, x.dtype, ALIGNMENT // x.itemsize
        # Idle lanes do what the last net does.
        self._lanes = [min(lane, len(networks) - 1) for lane in range(LANES)]
        self._order, chains = in_chains(len(x), line)
        layout = narrow.layout_of(networks[0], parameters[0])
        weights = _weights(layout.geometry)
        columns = int(np.diff(chains[::CHAINS]).max(initial=0)) * LANES
        self._flat = _aligned(np.stack([parameters[net].flat for net in self._lanes], axis=1))
        sizes = (weights, LANES), (weights * line, LANES), (len(x), LANES), (len(x), LANES)
        blocks = (layout.rows, columns), (layout.gradients, columns)
        self._memory = [_aligned(np.zeros(size, real)) for size in (*sizes, *blocks)]
        self._l2 = _aligned(np.array([_strengths(networks[net]) for net in self._lanes], real).T)
        data = (array[self._order] for array in (x, labels, loss_weight))
        self._data = *data, chains, np.argsort(self._order), layout.geometry

    def run(self, rates: Sequence[np.ndarray]) -> np.ndarray:
        """Take a step for each of a net's learning rates, (steps,). What each net has recorded, (nets, steps, 4):

        The loss with penalties, Σ loss, Σ correct and the penalties, as `record_step` does.
        """
        table = _aligned(np.stack([rates[net] for net in self._lanes], axis=1).astype(self._flat.dtype))
        record = _aligned(np.zeros((len(table), 4 * LANES)))
        run = k.narrow_many.serial if JIT else ieee(k.narrow_many.body)  # compiled code does not warn either
        run(record, self._flat, *self._memory, table, self._l2, *self._data)
        return record.reshape(-1, 4, LANES)[..., : len(self._parameters)].transpose(2, 0, 1)

    def is_finite(self, net: int) -> bool:
        """Whether the parameters that its steps have made are."""
        return bool(np.isfinite(self._flat[:, net]).all())

    def store(self, net: int) -> None:
        """Give a net the parameters that its steps have made."""
        self._parameters[net].flat[:] = self._flat[:, net]


def _weights(geometry: np.ndarray) -> int:
    """The number of weights and biases of all layers."""
    inputs, units, bias = (geometry[:, field] for field in (FIELDS.inputs, FIELDS.units, FIELDS.bias))
    return int(((inputs + bias) * units).sum())


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy that starts on a cache line, as each of its lines of lanes then does."""
    copy = aligned_bytes(array.nbytes).view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def _strengths(network: Network) -> list[float]:
    """The λ of each dense layer's weights."""
    penalties = network.penalties()
    names = [name for name, layer in zip(network.names, network.layers, strict=True) if isinstance(layer, Dense)]
    return [penalties.get(f"{name}.w", (0.0, 0.0))[1] for name in names]
