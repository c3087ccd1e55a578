"""Plain SGD on a net of narrow dense layers, one sample a step: many steps are one operation."""

from dataclasses import dataclass

import numpy as np

import fastnn_kernels as k
from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Value
from fastnn.nn import narrow
from fastnn.nn.losses import SoftmaxCrossEntropy
from fastnn.nn.losses.base import of_samples
from fastnn.nn.metrics import METRICS
from fastnn.nn.network import Network, State
from fastnn.nn.optimizers import SGD, Optimizer
from fastnn_kernels._jit import Kernel
from fastnn_kernels._narrow.layout import FIELDS
from fastnn_kernels._tuning import NARROW

# Hidden units up to which `narrow_sgd_two` is used. It takes them one by one, `narrow_sgd` their activations in vector
# registers. With tanh a step of 2-6-2 takes 96 instead of 121 ns, of 2-8-2 115 against 117 (float64, Zen 5, AVX-512).
FEW_UNITS = 6


@dataclass(frozen=True)
class Column(Value):
    """An array of `shape` of one sample, from number `at` on in the first row of a buffer."""

    at: int

    def of_batch(self, array: np.ndarray, batch: int) -> np.ndarray:
        """The numbers of the last sample, (1, *shape): a view."""
        return array[:1, self.at : self.at + self.width].reshape(1, *self.shape)


def learns_labels(network: Network, optimizer: Optimizer | None) -> bool:
    """Whether a net is narrow and learns labels of few classes by plain SGD, without bounds on norms or gradients.

    And without figures beside loss and accuracy.
    """
    if type(optimizer) is not SGD or not optimizer.takes_outer_products or not narrow.is_narrow(network):
        return False
    (output,) = network.outputs
    known = type(output.loss) is SoftmaxCrossEntropy and not output.loss.label_smoothing and output.width < NARROW
    plain = all(type(metric) is METRICS["accuracy"] for metric in output.metrics)
    return known and plain and output.weight == 1 and not network.max_norms()


def fits(network: Network, optimizer: Optimizer | None) -> bool:
    """Whether one kernel can do whole steps of this net, of one sample each: it learns labels, without penalties."""
    return learns_labels(network, optimizer) and not network.penalties()


def kernel_of(geometry: np.ndarray) -> Kernel:
    """The kernel of the steps of a net, by the geometry of its layers."""
    if len(geometry) != 2:
        return k.narrow_sgd
    (hidden, scores), (_, activation) = geometry[:, FIELDS.units], geometry[:, FIELDS.activation]
    return k.narrow_sgd_two if hidden <= FEW_UNITS and scores == 2 and not activation else k.narrow_sgd


def emit_steps(
    build: Builder, network: Network, state: State, x: Value, labels: Buffer, weight: Buffer, table: Buffer
) -> tuple[Buffer, Buffer]:
    """Emit a step for each sample of the batch; the loss of each, before its step, and whether its label was found.

    weight  the loss weight of each sample
    table   the optimizer's scalars of the steps of a call
    """
    build.begin("layers")
    layout = narrow.layout_of(network, state.parameters)
    loss, correct = of_samples(build)
    values = build.array("values and gradients", (2, max(layout.rows, layout.gradients)))
    data = x.buffer, labels, weight, table, build.cursor
    build.emit(kernel_of(layout.geometry), loss, correct, state.parameters.flat, values, *data, layout.geometry)
    for name, shape in zip(network.names, network.shapes[1:], strict=True):
        build.outputs[name] = Column(values, shape, layout.outputs[name])
    (source,) = network.graph.inputs
    build.outputs[source] = Column(values, network.input_shape, 0)
    return loss, correct
