"""A loss of the user's own, compiled into a kernel."""

import dis
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

import fastnn_kernels as k
from fastnn.nn.losses.base import Loss
from fastnn_kernels._jit import Kernel, of_user

_own_losses = itertools.count()


def _refuse_raise(part: str, function: Any) -> None:
    """TypeError for `raise` and `assert`: a compiled step would go on, without the number."""
    code = getattr(getattr(function, "py_func", function), "__code__", None)
    line = code.co_firstlineno if code else 0
    for instruction in dis.get_instructions(code) if code else ():
        line = instruction.starts_line if type(instruction.starts_line) is int else line
        line = getattr(instruction, "line_number", None) or line  # from Python 3.13 on
        if instruction.opname == "RAISE_VARARGS":
            raise TypeError(
                f"ElementwiseLoss: {part} has a raise or assert in line {line}, which a compiled step cannot do: "
                "return math.inf there, and fit ends with NonFiniteError"
            )


@dataclass(frozen=True)
class ElementwiseLoss(Loss):
    """A loss of your own: ℓ = mean over outputs of value(s, t); gradient(s, t) is its derivative by the score s.

    Both are functions of two numbers that Numba can compile: arithmetic, `math`, conditions, but neither `raise` nor
    `assert`. A model with such a loss is saved without it: give it again in `load(path, loss=...)`.

    Args:
        reduction: "mean": the sum over the samples is divided by the sum of their weights; "sum": it is not.
        value: The loss of a score and a target.
        gradient: Its derivative by the score.

    Raises:
        TypeError: For what is no such function, cannot be compiled, or may raise an error.
        ValueError: For an unknown reduction.

    Examples:
        >>> loss = fn.ElementwiseLoss(value=lambda s, t: (s - t) ** 4, gradient=lambda s, t: 4 * (s - t) ** 3)
        >>> model = fn.Sequential([fn.Dense(1)], input_shape=4, loss=loss)
    """

    value: Callable[[float, float], float] | None = None
    gradient: Callable[[float, float], float] | None = None
    _kernel: Kernel = field(init=False, repr=False, compare=False)
    name: ClassVar[str] = "elementwise"

    def __post_init__(self):
        super().__post_init__()
        for part in ("value", "gradient"):
            function = getattr(self, part)
            if not callable(function):
                raise TypeError(f"ElementwiseLoss: {part} is {function!r}, expected a function of score and target")
            _refuse_raise(part, function)
            try:
                number = of_user(function)(0.5, 0.25)
            except Exception as error:  # whatever Numba raises for code that it cannot compile
                reason = str(error).strip().splitlines()[0]
                raise TypeError(f"ElementwiseLoss: {part} cannot be compiled: {reason}") from None
            if not isinstance(number, int | float):
                hint = "; np.where makes an array: use `a if s > t else b`" if isinstance(number, np.ndarray) else ""
                raise TypeError(f"ElementwiseLoss: {part}(0.5, 0.25) is {number!r}, expected a number{hint}")
        kernel = k.losses.elementwise_loss(self.value, self.gradient, f"elementwise_loss_{next(_own_losses)}")
        object.__setattr__(self, "_kernel", kernel)

    def __deepcopy__(self, memo: dict[int, Any]) -> "ElementwiseLoss":
        return self  # nothing of it changes, and its kernel is compiled

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: compiled code stays here; the functions are compiled again where they are read."""
        return type(self), (self.reduction, self.value, self.gradient)

    def kernel(self):
        return self._kernel

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}
