"""An ONNX graph that is being made: its nodes and its arrays.

Samples lie in the graph as in fastnn, channels last. ONNX's windows want them first, so they stand between two
transpositions; runtimes take away those that cancel out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastnn.nn.graph import Call
from fastnn.nn.network import Network

ACTIVATIONS = {  # gelu and silu are no operators of this version of ONNX
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",  # slope .01 in both
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
    "elu": "Elu",
}


class Nodes:
    """Nodes and initializers of a graph that is being made.

    onnx   the package
    arrays name -> parameter or running statistic; the graph has those that its nodes use, under these names
    dtype  of all numbers
    values name of a value of the network -> what makes it in the graph
    """

    def __init__(self, onnx: Any, network: Network, arrays: Mapping[str, np.ndarray], dtype: np.dtype):
        self.onnx, self.network, self.arrays, self.dtype = onnx, network, arrays, dtype
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.values = dict(zip(network.graph.inputs, network.graph.inputs, strict=True))

    def node(self, kind: str, inputs: Sequence[str], where: str, output: str | None = None, **settings: Any) -> str:
        """Add a node; the name of its output. where : the layer, or what else it belongs to."""
        name = f"{where}/{kind}_{len(self.nodes)}"  # names of layers have no "/"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [output or name], name=name, **settings))
        return output or name

    def constant(self, value: Any, where: str, dtype: Any = None) -> str:
        """An array that no training changes."""
        return self.initializer(f"{where}/constant_{len(self.initializers)}", np.array(value, dtype or self.dtype))

    def initializer(self, name: str, array: np.ndarray) -> str:
        """An array of the graph under a name, once."""
        if name not in self.initializers:
            self.initializers[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def own(self, call: Call, short: str, axes: Sequence[int] | None = None) -> str:
        """A parameter that a layer uses, or a running statistic of its own, by short name; axes : their order."""
        name = self.network.uses_of(call).get(short, f"{call.owner}.{short}")
        array = self.arrays[name] if axes is None else self.arrays[name].transpose(axes)
        return self.initializer(name, np.array(array, self.dtype, order="C"))

    def activated(self, x: str, name: str, where: str) -> str:
        """f(x)."""
        if name == "identity":
            return x
        if name == "silu":
            return self.node("Mul", [x, self.node("Sigmoid", [x], where)], where)
        if name != "gelu":
            return self.node(ACTIVATIONS[name], [x], where)
        half = self.node("Mul", [x, self.constant(0.5, where)], where)  # x / 2 · (1 + erf(x / √2))
        erf = self.node("Erf", [self.node("Mul", [x, self.constant(np.sqrt(0.5), where)], where)], where)
        return self.node("Mul", [half, self.node("Add", [erf, self.constant(1, where)], where)], where)

    def reshaped(self, x: str, shape: Sequence[int], where: str) -> str:
        """Samples of another shape; 0 stands for the number of samples."""
        return self.node("Reshape", [x, self.constant([0, *shape], where, np.int64)], where)

    def channels_first(self, x: str, axes: int, where: str, emit: Callable[[str], str]) -> str:
        """What `emit` makes of x with channels first, with channels last. axes : of x, that of the samples too."""
        if axes == 2:
            return emit(x)
        turned = self.node("Transpose", [x], where, perm=[0, axes - 1, *range(1, axes - 1)])
        return self.node("Transpose", [emit(turned)], where, perm=[0, *range(2, axes), 1])
