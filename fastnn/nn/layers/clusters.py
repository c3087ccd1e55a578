"""A cluster of an adaptive softmax: the operations on those samples whose target is in it."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.ops import OFFSET, Axis, Columns, Listed, Slice
from fastnn.engine.parameters import ParameterView
from fastnn.engine.values import Value
from fastnn_kernels.adaptive import SHARES

OfSamples = tuple[Buffer, Buffer, Buffer, Buffer]  # loss, correct, labels, weight of each sample


class Tail(NamedTuple):
    """A cluster: its number from 0, its first class and how many it has, the width of its inputs."""

    number: int
    first: int
    classes: int
    width: int

    @property
    def down(self) -> str:
        """The short name of the weight that makes its inputs, pᵢ."""
        return f"p{self.number + 1}"

    @property
    def up(self) -> str:
        """The short name of the weight that makes its scores, wᵢ."""
        return f"w{self.number + 1}"


class Rows(NamedTuple):
    """The samples of a step whose target is in a cluster, in the order of the clusters.

    order, starts  as `cluster_rows` writes them
    inputs         the layer's inputs in this order
    axis, shares   along which threads share the rows of a cluster, and which parts are whose
    """

    order: Buffer
    starts: Buffer
    inputs: Buffer
    axis: Axis
    shares: Slice

    @classmethod
    def emit(cls, build: Builder, column: Buffer, labels: Buffer, bounds: tuple[int, ...], width: int) -> "Rows":
        """Emit the list, and the column of each target among the scores of the head.

        bounds : the first class of each cluster, and the number of classes
        width  : of the layer's inputs
        """
        order = build.array("order", (build.batch,), np.int64)
        starts = build.array("starts", (len(bounds),), np.int64)
        build.emit(k.cluster_rows, column, order, starts, labels, np.array(bounds))
        inputs = build.scratch("inputs of clusters", build.batch, width)
        return cls(order, starts, inputs, Axis(SHARES, 1, SHARES), Slice(np.arange(SHARES)))


def emit_tail(
    build: Builder, x: Value, p: Mapping[str, ParameterView], tail: Tail, rows: Rows, of_samples: OfSamples
) -> tuple[Buffer, Buffer]:
    """Emit a cluster's part of the loss; its narrow inputs, and the gradient of its scores."""
    narrow = build.scratch("narrow", build.batch, tail.width)
    scores = build.scratch("tail", build.batch, tail.classes)
    wide = transposed(build, p[tail.up], tail.width)
    own = rows.starts, tail.number, rows.shares
    each, correct, labels, weight = of_samples
    emit = partial(build.emit_along, rows.axis)
    emit(k.gather_cluster, Listed(rows.inputs), x.buffer, rows.order, *own)
    emit(k.cluster_matmul, Listed(narrow), Listed(rows.inputs), p[tail.down].array, *own)
    emit(k.cluster_matmul, Listed(scores), Listed(narrow), wide, *own)
    written = Listed(each), Listed(correct), Listed(scores)
    given = rows.order, rows.starts, tail.number, labels, tail.first, weight, rows.shares, tail.classes
    emit(k.cluster_cross_entropy, *written, *given)
    return narrow, scores


def emit_tail_gradients(
    build: Builder,
    dx: Value | None,
    p: Mapping[str, ParameterView],
    grads: Mapping[str, ParameterView],
    tail: Tail,
    rows: Rows,
    narrow: Buffer,
    dscores: Buffer,
) -> None:
    """Emit the gradients of a cluster's parameters, and what it adds to the gradient of the input, if that is wanted.

    narrow, dscores : as `emit_tail` returned them
    """
    up, down, own = grads[tail.up], grads[tail.down], (rows.starts, tail.number)
    dnarrow = build.scratch("dnarrow", build.batch, tail.width)
    emit = partial(build.emit_along, rows.axis)
    emit(k.cluster_matmul, Listed(dnarrow), Listed(dscores), p[tail.up].array, *own, rows.shares)
    for dw, x, dout in ((up, dscores, narrow), (down, rows.inputs, dnarrow)):
        build.emit_along(build.axis_of(dw), k.cluster_matmul_xt, Slice(dw.array), x, dout, *own, OFFSET)
    if dx is not None:
        dinputs = build.scratch("dinputs", build.batch, dx.width)
        wide = transposed(build, p[tail.down], tail.width)
        emit(k.cluster_matmul, Listed(dinputs), Listed(dnarrow), wide, *own, rows.shares)
        emit(k.add_cluster_rows, Listed(dx.buffer), Listed(dinputs), rows.order, *own, rows.shares)


def transposed(build: Builder, w: ParameterView, width: int) -> Buffer:
    """Emit the transpose of a weight (rows, width)."""
    rows = build.axis_of(w)
    assert rows.size is not None
    wt = build.scratch("wᵀ", width, rows.size)
    build.emit_along(rows, k.transpose, Columns(wt), Slice(w.array), OFFSET)
    return wt
