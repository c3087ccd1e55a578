"""Layers, preprocessing and outputs as nodes of an ONNX graph: one function a kind of layer."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from fastnn.data.preprocessing import Pixels
from fastnn.interop.onnx_nodes import Nodes
from fastnn.interop.packages import applied_by, no_equivalent
from fastnn.interop.windows import slid
from fastnn.nn import layers
from fastnn.nn.graph import Call
from fastnn.nn.layers import Layer
from fastnn.nn.outputs import Output

Emit = Callable[[Nodes, Call, list[str]], str]  # a layer's nodes, from the names of its inputs; the output's name

LINKS = {"softmax": "Softmax", "sigmoid": "Sigmoid", "exp": "Exp", "": "Identity"}


def add_layer(nodes: Nodes, call: Call) -> None:
    """Add the nodes of a use of a layer."""
    emit = EMITTERS.get(type(call.layer))
    if emit is None:
        raise no_equivalent(call, "ONNX")
    nodes.values[call.name] = emit(nodes, call, [nodes.values[name] for name in call.inputs])


def _dense(nodes: Nodes, call: Call, xs: list[str]) -> str:
    layer: Any = call.layer
    bias = [nodes.own(call, "b")] if layer.use_bias else []
    if layer.tied_to is not None:
        scores = nodes.node("Gemm", [*xs, nodes.own(call, "w"), *bias], call.name, transB=1)
    else:
        scores = nodes.node("MatMul", [*xs, nodes.own(call, "w")], call.name)
        scores = nodes.node("Add", [scores, *bias], call.name) if bias else scores
    return nodes.activated(scores, layer.activation, call.name)


def _window(kind: str, **settings: Any) -> Emit:
    def emit(nodes: Nodes, call: Call, xs: list[str]) -> str:
        layer: Any = call.layer
        window = slid(layer, call.input_shapes[0])
        sliding: dict[str, Any] = {
            "kernel_shape": window.size,
            "strides": window.stride,
            "pads": window.before + window.after,
        }
        more = _filters(nodes, call) if kind == "Conv" else []
        axes = len(call.input_shapes[0]) + 1
        out = nodes.channels_first(
            *(xs[0], axes, call.name), lambda x: nodes.node(kind, [x, *more], call.name, **sliding, **settings)
        )
        return nodes.activated(out, getattr(layer, "activation", "identity"), call.name)

    return emit


def _filters(nodes: Nodes, call: Call) -> list[str]:
    """The weight of a convolution, (filters, C, …), and its bias."""
    layer: Any = call.layer
    axes = len(call.input_shapes[0]) + 1
    w = nodes.own(call, "w", [axes - 1, axes - 2, *range(axes - 2)])
    return [w, nodes.own(call, "b")] if layer.use_bias else [w]


def _batch_norm(nodes: Nodes, call: Call, xs: list[str]) -> str:
    layer: Any = call.layer
    arrays = [nodes.own(call, short) for short in ("gamma", "beta", "mean", "var")]
    axes = len(call.input_shapes[0]) + 1
    return nodes.channels_first(
        *(xs[0], axes, call.name),
        lambda x: nodes.node("BatchNormalization", [x, *arrays], call.name, epsilon=layer.eps),
    )


def _layer_norm(nodes: Nodes, call: Call, xs: list[str]) -> str:
    layer: Any = call.layer
    arrays = [nodes.own(call, short) for short in ("gamma", "beta")]
    return nodes.node("LayerNormalization", [*xs, *arrays], call.name, axis=-1, epsilon=layer.eps)


def _columns(nodes: Nodes, call: Call, xs: list[str]) -> str:
    layer: Any = call.layer
    parts = []
    if layer.numbers:
        parts.append(_columns_of(nodes, call, xs[0], layer.numbers))
        if "mean" in layer.buffers(call.input_shapes[0]):
            centred = nodes.node("Sub", [*parts, nodes.own(call, "mean")], call.name)
            parts = [nodes.node("Div", [centred, nodes.own(call, "std")], call.name)]
    if layer.categories:
        ids = _columns_of(nodes, call, xs[0], list(layer.categories))
        ids = nodes.node("Cast", [ids], call.name, to=nodes.onnx.TensorProto.INT64)
        begins = np.cumsum([0, *layer.categories.values()])[:-1]
        rows = nodes.node("Add", [ids, nodes.constant(begins, call.name, np.int64)], call.name)
        vectors = nodes.node("Gather", [nodes.own(call, "w"), rows], call.name, axis=0)
        parts.append(nodes.node("Flatten", [vectors], call.name, axis=1))
    return parts[0] if len(parts) == 1 else nodes.node("Concat", parts, call.name, axis=-1)


def _columns_of(nodes: Nodes, call: Call, x: str, columns: Sequence[int]) -> str:
    return nodes.node("Gather", [x, nodes.constant(columns, call.name, np.int64)], call.name, axis=1)


def _recurrent(kind: str, order: Sequence[int], **settings: Any) -> Emit:
    """order : of ONNX's gates, by their numbers in fastnn"""

    def emit(nodes: Nodes, call: Call, xs: list[str]) -> str:
        """ONNX has the steps before the samples, (T, N, C), and makes (T, 1, N, units)."""
        layer: Any = call.layer
        w, u, *biases = (_of_gates(nodes, call, short, order) for short in "wubc")
        weights = [w, u, nodes.node("Concat", biases, call.name, axis=1)]
        turned = nodes.node("Transpose", xs, call.name, perm=[1, 0, 2])
        states = nodes.node(kind, [turned, *weights], call.name, hidden_size=layer.units, **settings)
        states = nodes.node("Squeeze", [states, nodes.constant([1], call.name, np.int64)], call.name)
        if layer.return_sequences:
            return nodes.node("Transpose", [states], call.name, perm=[1, 0, 2])
        last = nodes.constant(call.input_shapes[0][0] - 1, call.name, np.int64)
        return nodes.node("Gather", [states, last], call.name, axis=0)

    return emit


def _of_gates(nodes: Nodes, call: Call, short: str, order: Sequence[int]) -> str:
    """An array of a recurrent layer as ONNX has it, (1, gates·units, …)."""
    name = f"{call.owner}.{short}"
    gates = np.split(nodes.arrays[name].T, len(order))
    return nodes.initializer(name, np.concatenate([gates[one] for one in order], dtype=nodes.dtype)[None])


def _mean(nodes: Nodes, call: Call, xs: list[str]) -> str:
    axes = list(range(1, len(call.input_shapes[0])))
    return nodes.node("ReduceMean", xs, call.name, axes=axes, keepdims=0)


def _sum(nodes: Nodes, call: Call, xs: list[str]) -> str:
    return nodes.node("ReduceSum", [*xs, nodes.constant([1], call.name, np.int64)], call.name, keepdims=0)


def _activation(nodes: Nodes, call: Call, xs: list[str]) -> str:
    layer: Any = call.layer
    return nodes.activated(xs[0], layer.activation, call.name)


EMITTERS: dict[type[Layer], Emit] = {
    layers.Activation: _activation,
    layers.Add: lambda nodes, call, xs: reduce(lambda a, b: nodes.node("Add", [a, b], call.name), xs),
    layers.AveragePool1D: _window("AveragePool", count_include_pad=0),
    layers.AveragePool2D: _window("AveragePool", count_include_pad=0),
    layers.BatchNorm: _batch_norm,
    layers.Columns: _columns,
    layers.Concatenate: lambda nodes, call, xs: nodes.node("Concat", xs, call.name, axis=-1),
    layers.Conv1D: _window("Conv"),
    layers.Conv2D: _window("Conv"),
    layers.Dense: _dense,
    layers.Dropout: lambda nodes, call, xs: xs[0],
    layers.Embedding: lambda nodes, call, xs: nodes.node("Gather", [nodes.own(call, "w"), *xs], call.name, axis=0),
    layers.Flatten: lambda nodes, call, xs: nodes.node("Flatten", xs, call.name, axis=1),
    layers.GRU: _recurrent("GRU", (1, 0, 2), linear_before_reset=1),  # z, r, n
    layers.GlobalAveragePool: _mean,
    layers.LSTM: _recurrent("LSTM", (0, 3, 1, 2)),  # i, o, f, g
    layers.LayerNorm: _layer_norm,
    layers.MaxPool1D: _window("MaxPool"),
    layers.MaxPool2D: _window("MaxPool"),
    layers.Reshape: lambda nodes, call, xs: nodes.reshaped(xs[0], call.shape, call.name),
    layers.Sum: _sum,
}


def of_pixels(nodes: Nodes, x: str, pixels: Pixels) -> str:
    """What `fn.Pixels` makes of pictures as users have them."""
    where = "preprocessing"
    x = nodes.reshaped(x, pixels.picture, where)
    if pixels.subtract is not None:
        x = nodes.node("Sub", [x, nodes.constant(pixels.subtract.reshape(pixels.picture), where)], where)
    if pixels.shrink > 1:
        (height, width, colours), k = pixels.picture, pixels.shrink
        x = nodes.reshaped(x, (height // k, k, width // k, k, colours), where)
        x = nodes.node("ReduceMean", [x], where, axes=[2, 4], keepdims=0)
    x = nodes.reshaped(x, pixels.made_shape, where)
    return x if pixels.divide == 1 else nodes.node("Div", [x, nodes.constant(pixels.divide, where)], where)


def link(nodes: Nodes, output: Output, logits: bool) -> None:
    """From the scores of an output to what `predict` gives, under the output's name."""
    applied = "" if logits else applied_by(output, "ONNX")
    settings = {"axis": -1} if applied == "softmax" else {}
    nodes.node(LINKS[applied], [nodes.values[output.value]], "output", output.name, **settings)
