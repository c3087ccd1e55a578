"""Optimizers: what a step does with gradients. The arithmetic is one kernel each, on flat arrays."""

from collections.abc import Mapping
from typing import Any, ClassVar

import fastnn_kernels as k
import numpy as np
from fastnn_kernels._jit import Kernel

from fastnn.errors import ShapeError
from fastnn.naming import look_up
from fastnn.plan.block import Block
from fastnn.plan.builder import Builder
from fastnn.threads import use_parallel


class Optimizer:
    """Base of all optimizers.

    state      name of a parameter -> {name of a state array -> array}; may be assigned
    iteration  steps taken; may be assigned
    """

    name: ClassVar[str]
    state_names: tuple[str, ...] = ()
    kernel: Kernel

    def __init__(self, lr: float):
        if isinstance(lr, bool) or not isinstance(lr, int | float | np.number):
            raise TypeError(f"{type(self).__name__}: lr is {lr!r}, expected a number")
        if not lr >= 0 or lr == float("inf"):
            raise ValueError(f"{type(self).__name__}: lr is {lr}, expected a finite number ≥ 0")
        self.lr = float(lr)
        self.iteration = 0
        self.state: dict[str, dict[str, np.ndarray]] = {}
        self._blocks: dict[str, Block] = {}
        self._owner: Block | None = None

    def rates(self) -> list[float]:
        """What the kernel reads each step: the learning rate first."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """The settings as plain data, from which `from_config` makes an equal optimizer."""
        raise NotImplementedError

    def attach(self, parameters: Block) -> None:
        """Lay the state out beside `parameters`, keeping what it holds for parameters of these names."""
        if self._owner is parameters and all(self._is_laid_out(name) for name in parameters):
            return
        known, self._owner = self.state, parameters
        self._blocks = {name: parameters.like() for name in self.state_names}
        self.state = {name: {part: block[name] for part, block in self._blocks.items()} for name in parameters}
        for name, parts in known.items():
            for part, array in parts.items():
                self._restore(name, part, array)

    def _is_laid_out(self, name: str) -> bool:
        parts = self.state.get(name, {})
        return all(np.shares_memory(parts.get(part, np.empty(0)), self._blocks[part].flat) for part in self.state_names)

    def _restore(self, name: str, part: str, array: np.ndarray) -> None:
        if name not in self.state or part not in self.state[name]:
            return  # state of another model's parameter
        if np.shape(array) != self.state[name][part].shape:
            want = self.state[name][part].shape
            raise ShapeError(f"optimizer state {name}/{part} has shape {np.shape(array)}, expected {want}")
        self.state[name][part][...] = array

    def emit(self, build: Builder, parameters: Block, gradients: Block, rates: np.ndarray) -> None:
        """Emit the update of all parameters as one row over flat arrays."""
        states = [block.flat for block in self._blocks.values()]
        build.emit(self.kernel, parameters.flat, *states, gradients.flat, rates)

    def step(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        """One update of any dict of arrays, in place; state is made when first needed.

        Raises KeyError if a gradient is missing, ShapeError if one has another shape.
        """
        for name, w in params.items():
            if np.shape(grads[name]) != w.shape:
                raise ShapeError(f"gradient of {name} has shape {np.shape(grads[name])}, expected {w.shape}")
            parts = self.state.setdefault(name, {})
            arrays = [w, *(parts.setdefault(part, np.zeros_like(w)) for part in self.state_names)]
            self._update(arrays, np.asarray(grads[name], w.dtype))
        self.iteration += 1

    def _update(self, arrays: list[np.ndarray], gradient: np.ndarray) -> None:
        flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
        rates = np.array(self.rates(), arrays[0].dtype)
        args = (*flat, np.ascontiguousarray(gradient).reshape(-1), rates)
        self.kernel.twin(use_parallel(self.kernel, args))(*args)
        for array, result in zip(arrays, flat, strict=True):
            if not np.shares_memory(array, result):
                array[...] = result.reshape(array.shape)

    def __repr__(self):
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config().items() if name != "name")
        return f"{type(self).__name__}({settings})"


class SGD(Optimizer):
    """w −= lr·g; with momentum v = momentum·v − lr·g, w += v; with nesterov w += momentum·v − lr·g."""

    name = "sgd"

    def __init__(self, lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False):
        super().__init__(lr)
        if not 0 <= momentum < 1:
            raise ValueError(f"SGD: momentum is {momentum}, expected 0 ≤ momentum < 1")
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)
        if self.momentum:
            self.state_names = ("velocity",)
            self.kernel = k.nesterov_update if nesterov else k.momentum_update
        else:
            self.kernel = k.sgd_update

    def rates(self):
        return [self.lr, self.momentum] if self.momentum else [self.lr]

    def config(self):
        return {"name": self.name, "lr": self.lr, "momentum": self.momentum, "nesterov": self.nesterov}


OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.name: optimizer for optimizer in (SGD,)}


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described."""
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("optimizer", config.get("name"), OPTIMIZERS)(**arguments)
