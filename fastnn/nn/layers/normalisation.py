"""Layers that bring activations to mean 0 and variance 1, then scale and shift them by learned parameters."""

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import fastnn_kernels as k
from fastnn.common.errors import ShapeError
from fastnn.common.validation import above_zero_in
from fastnn.engine.ops import OFFSET, Slice
from fastnn.nn.initializers import Ones, Zeros
from fastnn.nn.layers.base import Layer, Parameter


@dataclass(frozen=True)
class BatchNorm(Layer):
    """γ · (x − mean) / √(var + eps) + β for each channel (the last axis), over the batch and all pixels.

    Training uses the batch's own statistics and keeps running ones: running = momentum · running + (1 − momentum) ·
    batch's. Prediction, and training where the layer is frozen, uses the running ones. Ioffe and Szegedy (2015).

    Args:
        momentum: How much of the running statistics stays in a step.
        eps: Is added to the variance.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: For numbers out of range.

    Examples:
        >>> model = fn.Sequential([fn.Dense(8), fn.BatchNorm(), fn.Dense(3)], input_shape=4)
        >>> sorted(model.buffers)
        ['batch_norm.mean', 'batch_norm.var']
    """

    momentum: float = 0.99
    eps: float = 1e-3
    kind: ClassVar[str] = "batch_norm"

    def __post_init__(self):
        if not 0 <= self.momentum <= 1 or not self.eps > 0:
            raise ValueError(f"BatchNorm: momentum {self.momentum}, eps {self.eps}; expected 0 to 1, and above 0")

    def parameters(self, shape):
        return {"gamma": Parameter(shape[-1:], Ones()), "beta": Parameter(shape[-1:], Zeros())}

    def buffers(self, shape):
        return {"mean": Parameter(shape[-1:], Zeros()), "var": Parameter(shape[-1:], Ones())}

    def least_samples(self, shape):
        return 2 if math.prod(shape[:-1]) == 1 else 1  # one value has no variance

    def forward(self, build, x, p):
        P, C = x.width // x.shape[-1], x.shape[-1]
        above_zero_in(build.dtype, "BatchNorm: eps", self.eps)
        out, scalars = build.value("batch_norm", x.shape), build.constant([self.momentum, self.eps])
        affine = p["gamma"].array, p["beta"].array
        mean, rstd = build.vector("mean", C), build.vector("rstd", C)
        if not build.training or self.freeze:
            build.emit(k.batch_norm_rstd, rstd, p["var"].array, scalars, C)
            build.emit(k.batch_norm_forward, out.buffer, x.buffer, *affine, p["mean"].array, rstd, P, C)
            return out, partial(self._frozen_backward, build, x, (p["gamma"].array, p["mean"].array, rstd))
        channels = build.axis_of(p["gamma"])
        build.cut_with(p["beta"], channels)
        moments = (Slice(one) for one in (mean, rstd, p["mean"].array, p["var"].array))
        build.emit_along(channels, k.batch_norm_moments, *moments, x.buffer, scalars, P, C, OFFSET)
        build.emit(k.batch_norm_forward, out.buffer, x.buffer, *affine, mean, rstd, P, C)

        def backward(dout, grads, wanted):
            means = [build.vector(name, C) for name in ("dgamma mean", "dbeta mean")]
            sums = (Slice(one) for one in (grads["gamma"].array, grads["beta"].array, *means))
            moments = (dout.buffer, x.buffer, Slice(mean), Slice(rstd))
            build.emit_along(channels, k.batch_norm_backward_sums, *sums, *moments, P, C, OFFSET)
            if not wanted:
                return None
            dx = build.value("dx", x.shape)
            arrays = (dx.buffer, dout.buffer, x.buffer, p["gamma"].array, mean, rstd, *means)
            build.emit(k.batch_norm_backward, *arrays, P, C)
            return dx

        return out, backward

    def _frozen_backward(self, build, x, statistics, dout, grads, wanted):
        """dx = γ · rstd · dout: the running statistics do not depend on the batch, so the means are 0."""
        if not wanted:
            return None
        P, C = x.width // x.shape[-1], x.shape[-1]
        dx, zeros = build.value("dx", x.shape), build.vector("no mean", C)
        build.emit(k.batch_norm_backward, dx.buffer, dout.buffer, x.buffer, *statistics, zeros, zeros, P, C)
        return dx


@dataclass(frozen=True)
class LayerNorm(Layer):
    """γ · (x − mean) / √(var + eps) + β over the features (the last axis). Ba, Kiros and Hinton (2016).

    Each position has its own mean and variance: each step of sequences (N, T, C), each pixel of images. γ and β (C,)
    are those of all positions.

    Args:
        eps: Is added to the variance.
        name: What it is called in a network; None: its kind, counted up.
        freeze: Whether training leaves its parameters as they are.

    Raises:
        ValueError: If eps is out of range.
        ShapeError: In a network: for samples without an axis.

    Examples:
        >>> fn.Sequential([fn.LayerNorm(), fn.Dense(3)], input_shape=4)
        <Sequential of 2 layers, 23 parameters>
        >>> fn.LayerNorm()(fn.Input((20, 64))).shape
        (20, 64)
    """

    eps: float = 1e-5
    kind: ClassVar[str] = "layer_norm"

    def __post_init__(self):
        if not 0 < self.eps < 1:
            raise ValueError(f"LayerNorm: eps is {self.eps}, expected above 0 and below 1")

    def output_shape(self, shape):
        if not shape:
            raise ShapeError(f"LayerNorm got samples of shape {shape}, expected (features,) or (…, features)")
        return shape

    def parameters(self, shape):
        return {"gamma": Parameter(shape[-1:], Ones()), "beta": Parameter(shape[-1:], Zeros())}

    def forward(self, build, x, p):
        P, C = math.prod(x.shape[:-1]), x.shape[-1]
        above_zero_in(build.dtype, "LayerNorm: eps", self.eps)
        out, scalars = build.value("layer_norm", x.shape), build.constant([self.eps])
        affine = p["gamma"].array, p["beta"].array
        mean, rstd = (build.array(name, (build.batch, P), batched=True) for name in ("mean", "rstd"))
        build.emit(k.layer_norm_forward, out.buffer, mean, rstd, x.buffer, *affine, scalars, P, C)

        def backward(dout, grads, wanted):
            dx = build.value("dx", x.shape)
            sums = grads["gamma"].array, grads["beta"].array
            arrays = (dx.buffer, *sums, dout.buffer, x.buffer, mean, rstd, p["gamma"].array)
            build.emit(k.layer_norm_backward, *arrays, P, C)
            return dx

        return out, backward
