"""Optimizers: what a step does with gradients. The arithmetic is one kernel each, on flat arrays."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.errors import ShapeError
from fastnn.naming import look_up
from fastnn.plan.block import Block
from fastnn.plan.builder import Builder
from fastnn.threads import guard, use_parallel
from fastnn_kernels._jit import Kernel


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
        """Lay the state out beside `parameters`: what was assigned for these names, else zeros.

        State that still belongs to another model's parameters stays there: this model starts at zero.
        """
        mine = {name for name in self.state if self._is_laid_out(name)}
        if self._owner is parameters and mine.issuperset(parameters):
            return
        if self._owner is not None and self._owner is not parameters:
            self.state = {name: parts for name, parts in self.state.items() if name not in mine}
        blocks = {part: parameters.like() for part in self.state_names}
        state = {name: {part: block[name] for part, block in blocks.items()} for name in parameters}
        for name, parts in self.state.items():
            for part, array in parts.items():
                if part in state.get(name, {}):  # else the state of another model's parameter
                    state[name][part][...] = _fitting(f"optimizer state {name}/{part}", array, state[name][part])
        self._owner, self._blocks, self.state = parameters, blocks, state

    def _is_laid_out(self, name: str) -> bool:
        parts = self.state.get(name, {})
        return all(name in block and _is_view(parts.get(part), block[name]) for part, block in self._blocks.items())

    def __getstate__(self):
        # A copy's state belongs to no model yet: the first that it trains adopts it.
        return self.__dict__ | {"_owner": None, "_blocks": {}}

    def emit(self, build: Builder, parameters: Block, gradients: Block, rates: np.ndarray) -> None:
        """Emit the update of all parameters as one row over flat arrays."""
        states = [block.flat for block in self._blocks.values()]
        build.emit(self.kernel, parameters.flat, *states, gradients.flat, rates)

    def step(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        """One update of any dict of arrays, in place; state is made when first needed.

        Raises KeyError if a gradient is missing, ShapeError if one has another shape, TypeError for a parameter
        that cannot be updated in place; then nothing has changed.
        """
        params = {name: _updatable(name, w) for name, w in params.items()}
        gradients = {name: _fitting(f"gradient of {name}", grads[name], w) for name, w in params.items()}
        state = {name: self._state_of(name, w) for name, w in params.items()}
        for name, w in params.items():
            self.state[name] = state[name]
            self._update([w, *state[name].values()], gradients[name])
        self.iteration += 1

    def _state_of(self, name: str, w: np.ndarray) -> dict[str, np.ndarray]:
        """The state arrays of a parameter, in the kernel's order: those it has, zeros for others."""
        known = {part: np.zeros_like(w) for part in self.state_names} | self.state.get(name, {})
        return {part: _fitting(f"optimizer state {name}/{part}", known[part], w) for part in self.state_names}

    def _update(self, arrays: list[np.ndarray], gradient: np.ndarray) -> None:
        flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
        rates = np.array(self.rates(), arrays[0].dtype)
        args = (*flat, np.ascontiguousarray(gradient).reshape(-1), rates)
        parallel = use_parallel(self.kernel, args)
        with guard(parallel):
            self.kernel.twin(parallel)(*args)
        for array, result in zip(arrays, flat, strict=True):
            if not np.may_share_memory(array, result):  # a strided array: its copy was updated
                array[...] = result.reshape(array.shape)

    def __repr__(self):
        settings = ", ".join(f"{name}={value!r}" for name, value in self.config().items() if name != "name")
        return f"{type(self).__name__}({settings})"


def _fitting(name: str, array: Any, w: np.ndarray) -> np.ndarray:
    """`array` in the dtype of w; ShapeError if its shape is another."""
    if np.shape(array) != w.shape:
        raise ShapeError(f"{name} has shape {np.shape(array)}, expected {w.shape}")
    return np.asarray(array, w.dtype)


def _updatable(name: str, w: Any) -> np.ndarray:
    if not isinstance(w, np.ndarray):
        raise TypeError(f"{name} is a {type(w).__name__}, expected an array: it is updated in place")
    if w.dtype not in (np.float32, np.float64) or not w.flags.writeable:
        kind = "" if w.flags.writeable else "read-only "
        raise TypeError(f"{name} is a {kind}{w.dtype} array, expected a writable one of float32 or float64")
    return w


def _is_view(array: Any, place: np.ndarray) -> bool:
    """Whether `array` is `place`, the same memory seen in the same way."""
    if not isinstance(array, np.ndarray):
        return False
    return (array.ctypes.data, array.shape, array.strides) == (place.ctypes.data, place.shape, place.strides)


class SGD(Optimizer):
    """w −= lr·g; with momentum v = momentum·v − lr·g, w += v; with nesterov w += momentum·v − lr·g.

    `lr` may be assigned at any time, `momentum` too if it started above 0.
    """

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
        return [self.lr, self.momentum] if self.state_names else [self.lr]

    def config(self):
        return {"name": self.name, "lr": self.lr, "momentum": self.momentum, "nesterov": self.nesterov}


OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.name: optimizer for optimizer in (SGD,)}


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described."""
    arguments = {name: value for name, value in config.items() if name != "name"}
    return look_up("optimizer", config.get("name"), OPTIMIZERS)(**arguments)
