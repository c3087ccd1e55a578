"""Layers that only rearrange or add up: no parameters."""

import math
from dataclasses import dataclass
from typing import ClassVar

import fastnn_kernels as k
from fastnn.nn.layers.base import Layer, expect_rank


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, ...) to (N, product): samples are stored flat, so this costs nothing."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape):
        return (math.prod(shape),)

    def forward(self, build, x, p):
        return x.reshaped(self.output_shape(x.shape)), lambda dout, grads, wanted: dout.reshaped(x.shape)


@dataclass(frozen=True)
class Sum(Layer):
    """(N, C, width) to (N, width): the sum over the second axis, say of the embeddings of C words."""

    kind: ClassVar[str] = "sum"

    def output_shape(self, shape):
        expect_rank("Sum", shape, 2, "two axes (C, width), as Embedding gives")
        return (shape[1],)

    def forward(self, build, x, p):
        C, width = x.shape
        out = build.value("sum", (width,))
        build.emit(k.sum_forward, out.buffer, x.buffer, C, width)

        def backward(dout, grads, wanted):
            if not wanted:
                return None
            dx = build.value("dsum", x.shape)
            build.emit(k.sum_backward, dx.buffer, dout.buffer, C, width)
            return dx

        return out, backward
