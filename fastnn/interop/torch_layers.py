"""PyTorch modules for fastnn's layers. PyTorch is imported here, when `to_torch_module` is called."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fastnn.interop.windows import Slid, slid
from fastnn.nn import layers
from fastnn.nn.layers import Layer

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,  # slope .01 in both
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
}


class Function(nn.Module):
    """A function of its inputs without parameters."""

    def __init__(self, kind: str, *settings: Any):
        super().__init__()
        self.kind, self.settings = kind, settings

    def forward(self, *xs: Tensor) -> Tensor:
        return FUNCTIONS[self.kind](xs, *self.settings)


FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    "activation": lambda xs, name: ACTIVATIONS[name](xs[0]),
    "add": lambda xs: sum(xs[1:], xs[0]),
    "concatenate": lambda xs: torch.cat(xs[:-1], xs[-1]),  # the axis comes last
    "flatten": lambda xs: xs[0].flatten(1),
    "reshape": lambda xs, shape: xs[0].reshape(len(xs[0]), *shape),
    "sum": lambda xs: xs[0].sum(1),
    "mean": lambda xs: xs[0].mean(tuple(range(1, xs[0].ndim - 1))),
}


class Linear(nn.Linear):
    """f(x·wᵀ + b)."""

    def __init__(self, inputs: int, units: int, use_bias: bool, activation: str):
        super().__init__(inputs, units, use_bias)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](super().forward(x))


class TiedLinear(nn.Module):
    """f(x·wᵀ + b), where w is that of another layer."""

    def __init__(self, units: int, use_bias: bool, activation: str):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(units)) if use_bias else None
        self.activation = activation

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](functional.linear(x, weight, self.bias))


class Sliding(nn.Module):
    """A window that slides over (N, C, …) with fastnn's padding, before or after which there may be more.

    padding  what PyTorch's own functions pad on both sides of each axis, which makes no copy
    pads     otherwise: what is put around a copy, of the last axis first
    """

    def __init__(self, window: Slid):
        super().__init__()
        self.size, self.stride = window.size, window.stride
        even = window.before == window.after
        self.padding = window.before if even else [0] * len(window.size)
        axes = [] if even else list(zip(window.before, window.after, strict=True))
        self.pads = [count for axis in reversed(axes) for count in axis]

    def padded(self, x: Tensor, value: float = 0.0) -> Tensor:
        return functional.pad(x, self.pads, value=value) if any(self.pads) else x


class Convolution(Sliding):
    """f(x ∗ w + b) of sequences or pictures."""

    def __init__(self, layer: Any, channels: int, window: Slid):
        super().__init__(window)
        self.weight = nn.Parameter(torch.zeros(layer.filters, channels, *window.size))
        self.bias = nn.Parameter(torch.zeros(layer.filters)) if layer.use_bias else None
        self.activation = layer.activation

    def forward(self, x: Tensor) -> Tensor:
        convolve: Callable[..., Tensor] = functional.conv1d if len(self.size) == 1 else functional.conv2d
        scores = convolve(self.padded(x), self.weight, self.bias, self.stride, self.padding)
        return ACTIVATIONS[self.activation](scores)


class Pool(Sliding):
    """The largest number, or the mean, of each window; padding does not count."""

    def __init__(self, kind: str, window: Slid):
        super().__init__(window)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        one_axis = len(self.size) == 1
        if self.kind == "max":
            largest: Callable[..., Tensor] = functional.max_pool1d if one_axis else functional.max_pool2d
            return largest(self.padded(x, -math.inf), self.size, self.stride, self.padding)
        mean: Callable[..., Tensor] = functional.avg_pool1d if one_axis else functional.avg_pool2d
        means = mean(self.padded(x), self.size, self.stride, self.padding, count_include_pad=False)
        return means / mean(self.padded(torch.ones_like(x)), self.size, self.stride) if self.pads else means


class BatchNorm(nn.BatchNorm1d):
    """Of samples with more axes than PyTorch has a module for; all positions count alike."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(2)).reshape(x.shape)


BATCH_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d}  # by the axes of a sample


class Recurrent:
    """Sequences (N, T, C) to the last state, or to those of all steps. The gates stand in the same order in both."""

    def __init__(self, layer: Any, shape: tuple[int, ...]):
        super().__init__(shape[-1], layer.units, batch_first=True)  # type: ignore[call-arg]
        self.return_sequences = layer.return_sequences

    def forward(self, x: Tensor) -> Tensor:
        states, _ = super().forward(x)  # type: ignore[misc]
        return states if self.return_sequences else states[:, -1]


class GRU(Recurrent, nn.GRU):
    """A gated recurrent unit."""


class LSTM(Recurrent, nn.LSTM):
    """Long short-term memory."""


class Table(nn.Module):
    """The numbers of a table's columns, standardised, beside the vectors of its categories."""

    begins: Tensor

    def __init__(self, layer: layers.Columns):
        super().__init__()
        self.numbers, self.columns = list(layer.numbers), list(layer.categories)
        counts = torch.tensor([0, *layer.categories.values()])
        if self.columns:
            self.weight = nn.Parameter(torch.zeros(int(counts.sum()), layer.width))
        self.register_buffer("begins", counts.cumsum(0)[:-1], persistent=False)
        statistics = layer.standardise and bool(self.numbers)
        self.register_buffer("mean", torch.zeros(len(self.numbers)) if statistics else None)
        self.register_buffer("std", torch.ones(len(self.numbers)) if statistics else None)

    def forward(self, x: Tensor) -> Tensor:
        numbers = x[:, self.numbers]
        if self.mean is not None:
            numbers = (numbers - self.mean) / self.std
        if not self.columns:
            return numbers
        vectors = functional.embedding(x[:, self.columns].long() + self.begins, self.weight)
        return torch.cat([numbers.to(vectors.dtype), vectors.flatten(1)], 1)


class Ids(nn.Embedding):
    """Rows of a table, also for ids of other whole numbers than int64."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.long())


def _dense(layer: layers.Dense, shape: tuple[int, ...]) -> nn.Module:
    if layer.tied_to is not None:
        return TiedLinear(layer.units, layer.use_bias, layer.activation)
    return Linear(shape[-1], layer.units, layer.use_bias, layer.activation)


def _convolution(layer: Any, shape: tuple[int, ...]) -> nn.Module:
    return Convolution(layer, shape[-1], slid(layer, shape))


def _pool(kind: str) -> Callable[[Any, tuple[int, ...]], nn.Module]:
    return lambda layer, shape: Pool(kind, slid(layer, shape))


def _batch_norm(layer: layers.BatchNorm, shape: tuple[int, ...]) -> nn.Module:
    kind = BATCH_NORMS.get(len(shape), BatchNorm)
    return kind(shape[-1], eps=layer.eps, momentum=1 - layer.momentum)  # PyTorch's is the new statistics' weight


MAKERS: Mapping[type[Layer], Callable[[Any, tuple[int, ...]], nn.Module]] = {
    layers.Activation: lambda layer, shape: Function("activation", layer.activation),
    layers.Add: lambda layer, shape: Function("add"),
    layers.AveragePool1D: _pool("average"),
    layers.AveragePool2D: _pool("average"),
    layers.BatchNorm: _batch_norm,
    layers.Columns: lambda layer, shape: Table(layer),
    layers.Concatenate: lambda layer, shape: Function("concatenate"),
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.Dense: _dense,
    layers.Dropout: lambda layer, shape: nn.Dropout(1 - layer.kept),
    layers.Embedding: lambda layer, shape: Ids(layer.rows, layer.width),
    layers.Flatten: lambda layer, shape: Function("flatten"),
    layers.GRU: GRU,
    layers.GlobalAveragePool: lambda layer, shape: Function("mean"),
    layers.LSTM: LSTM,
    layers.LayerNorm: lambda layer, shape: nn.LayerNorm(shape[-1], eps=layer.eps),
    layers.MaxPool1D: _pool("max"),
    layers.MaxPool2D: _pool("max"),
    layers.Reshape: lambda layer, shape: Function("reshape", layer.output_shape(shape)),
    layers.Sum: lambda layer, shape: Function("sum"),
}
