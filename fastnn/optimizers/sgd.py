"""Stochastic gradient descent, plain, with momentum, and with Nesterov's."""

import numpy as np

import fastnn_kernels as k
from fastnn.optimizers.base import Optimizer
from fastnn.schedules import Schedule


class SGD(Optimizer):
    """w −= lr·g; with momentum v = momentum·v − lr·g, w += v; with nesterov w += momentum·v − lr·g.

    `lr` may be assigned at any time, `momentum` too if it started above 0. State: velocity.
    """

    name = "sgd"
    settings = ("momentum", "nesterov")

    def __init__(self, lr: float | Schedule = 0.01, momentum: float = 0.0, nesterov: bool = False, **clips):
        super().__init__(lr, **clips)
        if not 0 <= momentum < 1:
            raise ValueError(f"SGD: momentum is {momentum}, expected 0 ≤ momentum < 1")
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)
        if self.momentum:
            self.state_names = ("velocity",)
            self.kernel = k.nesterov_update if nesterov else k.momentum_update
        else:
            self.kernel = k.sgd_update

    def rates(self, iterations):
        lr = self.learning_rates(iterations)
        return np.column_stack([lr, np.full(len(lr), self.momentum)] if self.state_names else [lr])

    def emit_update(self, build, parameters, gradients, rates):
        """Without momentum, rows of an embedding that a batch did not touch do not move, and cost nothing.

        Only the first layer can be an embedding, so the other parameters are the rest of the flat block.
        """
        if self.state_names or not build.touched:
            return super().emit_update(build, parameters, gradients, rates)
        ((name, starts),) = build.touched.items()
        w, dw = parameters.buffers[name], gradients.buffers[name]
        build.emit(k.sgd_update_rows, w, dw, starts, rates)
        build.emit(self.kernel, parameters.flat[w.size :], gradients.flat[w.size :], rates)
