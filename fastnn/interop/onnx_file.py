"""Models as ONNX files."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common import validation
from fastnn.common.files import write_whole
from fastnn.data.column_names import Columns
from fastnn.data.preprocessing import Pixels
from fastnn.interop.onnx_graph import add_layer, link, of_pixels
from fastnn.interop.onnx_nodes import Nodes
from fastnn.interop.packages import checked_model, package
from fastnn.models import Model
from fastnn.training.models.dtypes import DTYPES, DtypeName

OPSET, IR_VERSION = 17, 8  # of 2022, the first with LayerNormalization


def to_onnx(
    model: Model, path: str | Path | None = None, *, logits: bool = False, dtype: DtypeName | None = None
) -> Any:
    """The model as an `onnx.ModelProto`, which is also written to `path`: it computes what `model.predict` gives.

    Inputs and outputs have the model's names, and any number of samples. An input takes what `predict` takes, pictures
    (N, H, W, C), in the dtype below; word ids as int64. `fn.Pixels` is part of the graph: pictures as they are in their
    files, cast to floats. `fn.Words` is not: give ids. Nor is `fn.Table`: give what
    `model.preprocessing.encoded(frame)` makes. onnxruntime checks no ids: it refuses those that are too large and
    counts negative ones from the end. `model.columns` is in the metadata, as JSON under "columns", unless it is {}: who
    runs the graph must put columns into this order. Operators are those of opset 17. Arrays have the names of
    `model.parameters`; the filters of a convolution come first in theirs.

    Args:
        model: The model, which stays as it is.
        path: None: no file.
        logits: Whether the outputs are the raw scores, as of `predict(x, logits=True)`.
        dtype: Of all numbers; None: the model's. onnxruntime has no convolution, average pooling, softplus, elu or gelu
            in float64: give "float32".

    Raises:
        ValueError: For a layer of your own, a SampledSoftmax, an AdaptiveSoftmax; for a loss of your own that makes
            predictions in a way of its own.
        FileFormatError: If the path cannot be written.
        MissingPackageError: Without the package onnx.

    Examples:
        >>> import onnxruntime
        >>> model = fn.Sequential([fn.Dense(8, "relu"), fn.Dense(3)], input_shape=4)
        >>> fn.interop.to_onnx(model, "model.onnx").graph.output[0].name
        'dense_1'
        >>> session = onnxruntime.InferenceSession("model.onnx")
        >>> session.run(None, {"input": np.ones((2, 4), np.float32)})[0].shape
        (2, 3)
    """
    onnx = package("onnx", "to_onnx")
    checked_model(model, "to_onnx")
    validation.truth("logits", logits)
    if dtype not in (None, *DTYPES):
        raise ValueError(f"to_onnx: dtype is {dtype!r}, expected None, float32 or float64")
    numbers = np.dtype(dtype or model.dtype)
    made = _model(onnx, _graph(onnx, model, numbers, logits), model.columns)
    if path is not None:
        write_whole(path, [made.SerializeToString()])
    return made


def _model(onnx: Any, graph: Any, columns: Columns) -> Any:
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    made = onnx.helper.make_model(graph, producer_name="fastnn", opset_imports=opsets, ir_version=IR_VERSION)
    if columns:
        onnx.helper.set_model_props(made, {"columns": json.dumps(columns)})
    onnx.checker.check_model(made)
    return made


def _graph(onnx: Any, model: Model, dtype: np.dtype, logits: bool) -> Any:
    network = model.network
    for name in network.graph.outputs:
        if name in network.graph.inputs:
            raise ValueError(f"to_onnx: {name!r} is an input and an output, expected names of their own")
    given = {**model.parameters, **model.buffers}
    arrays = {name: validation.representable(array, name, dtype).astype(dtype) for name, array in given.items()}
    nodes = Nodes(onnx, network, arrays, dtype)
    shapes = dict(network.graph.inputs)
    if isinstance(model.preprocessing, Pixels):
        name = next(iter(shapes))
        shapes[name] = model.preprocessing.shape
        nodes.values[name] = of_pixels(nodes, name, model.preprocessing)
    for call in network.calls:
        add_layer(nodes, call)
    for output in network.outputs:
        link(nodes, output, logits)
    inputs = [_value(nodes, name, shape, network.is_ids(name)) for name, shape in shapes.items()]
    outputs = [_value(nodes, output.name, output.shape) for output in network.outputs]
    return onnx.helper.make_graph(nodes.nodes, "fastnn", inputs, outputs, list(nodes.initializers.values()))


def _value(nodes: Nodes, name: str, shape: tuple[int, ...], ids: bool = False) -> Any:
    """An input or output of the graph: any number of samples of this shape."""
    kind = nodes.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(np.int64) if ids else nodes.dtype)
    return nodes.onnx.helper.make_tensor_value_info(name, kind, ["N", *shape])
