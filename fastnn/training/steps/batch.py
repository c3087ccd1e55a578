"""The first operations of a step: which samples its batch has, and their data gathered."""

from typing import Any

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Value
from fastnn.nn import narrow
from fastnn.nn.network import Network, State
from fastnn.training.steps.step import BOUND, Inputs
from fastnn_kernels._jit import Kernel
from fastnn_kernels.batch import ROUNDS


def begin(network: Network, state: State, batch: int, training: bool = False) -> tuple[Builder, Inputs]:
    """What a step of `batch` samples is emitted on, and the buffers through which it gets its data."""
    dtype = state.parameters.dtype
    build = Builder(batch, dtype, training)
    x = _data("x", list(network.graph.inputs), dtype)
    y = _data("y", [output.name for output in network.outputs], dtype)
    ids = [source for source, name in zip(x, network.graph.inputs, strict=True) if network.is_ids(name)]
    ids += [source for source, output in zip(y, network.outputs, strict=True) if output.loss.takes_labels]
    inputs = Inputs(
        x=x,
        y=y,
        **{name: Buffer(name, (), np.dtype(dtype)) for name in BOUND},
        cursor=build.cursor,
        dropout_key=build.dropout_key,
        order_key=build.array("order key", (2 * ROUNDS,), np.uint64),
        indices=build.array("indices", (batch,), np.int64, batched=True),
        sample_weight=build.array("sample weight", (batch,), batched=True),
        loss_weight=build.array("loss weight", (batch,), batched=True),
        wrong={source: build.array(f"wrong {source.name}", (batch,), np.int32, batched=True) for source in ids},
    )
    return build, inputs


def _data(name: str, parts: list[str], dtype: Any) -> tuple[Buffer, ...]:
    """Buffers that stand for a user's arrays; of several each bears the name of its input or output."""
    names = [name] if len(parts) == 1 else [f"{name} of {part}" for part in parts]
    return tuple(Buffer(one, (), np.dtype(dtype)) for one in names)


def emit_order(build: Builder, inputs: Inputs, shuffle: bool = False, full_batch: bool = False) -> None:
    """Emit the indices of the batch's samples."""
    if full_batch:
        build.emit_prologue(k.sequential_indices, inputs.indices, inputs.cursor)
    elif shuffle:
        build.emit(k.permuted_indices, inputs.indices, inputs.cursor, inputs.order_key, inputs.count)
    else:
        build.emit(k.sequential_indices, inputs.indices, inputs.cursor)


def gather(build: Builder, inputs: Inputs, kernel: Kernel, out: Buffer, source: Buffer, full_batch: bool) -> None:
    """Emit the gathering of the batch's rows of `source`. Where each step takes all samples: once a pass."""
    _emit_gather(build, kernel, (out, source, inputs.indices), full_batch)


def gather_ids(build: Builder, inputs: Inputs, out: Buffer, source: Buffer, count: int, full_batch: bool) -> None:
    """Emit the gathering of ids below `count`, rows of them or one a sample, as `gather` does."""
    kernel = k.gather_ids if len(out.shape) > 1 else k.gather_labels
    _emit_gather(build, kernel, (out, inputs.wrong[source], source, inputs.indices, count), full_batch)


def _emit_gather(build: Builder, kernel: Kernel, operands: tuple[Any, ...], full_batch: bool) -> None:
    if full_batch:
        build.emit_prologue(kernel, *operands)
    else:
        build.emit_along(build.samples, kernel, *operands)


def gather_inputs(
    build: Builder, inputs: Inputs, network: Network, full_batch: bool = False, layout: narrow.Layout | None = None
) -> list[Value]:
    """Emit the gathering of a batch's inputs: word ids stay whole numbers."""
    if layout is not None:
        lanes = narrow.inputs(build, network, layout)
        gather(build, inputs, k.gather_lanes, lanes.buffer, inputs.x[0], full_batch)
        return [lanes]
    xs = []
    for (name, shape), source in zip(network.graph.inputs.items(), inputs.x, strict=True):
        if (count := network.id_count(name)) is not None:
            xs.append(build.value("x", shape, np.int32))
            gather_ids(build, inputs, xs[-1].buffer, source, count, full_batch)
        else:
            xs.append(build.value("x", shape))
            gather(build, inputs, k.gather_rows, xs[-1].buffer, source, full_batch)
            build.data.append(xs[-1].buffer)
    return xs
