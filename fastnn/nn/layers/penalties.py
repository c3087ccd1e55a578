"""What layers with weights have in common: penalties on large weights, a bound on them, and none beside a tie."""

from dataclasses import dataclass
from typing import ClassVar

from fastnn.common.validation import not_negative, real_number


@dataclass(frozen=True, kw_only=True)
class Penalised:
    """For layers with weights w: penalties on large weights, and a bound on them.

    Args:
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.
    """

    l1: float = 0.0
    l2: float = 0.0
    max_norm: float | None = None
    weights: ClassVar[tuple[str, ...]] = ("w",)

    def penalised(self) -> tuple[str, ...]:
        """The parameters that l1 and l2 count, the network's too."""
        return self.weights

    def check_penalties(self, layer: str) -> None:
        """Check the penalties and the bound.

        Args:
            layer: What messages call it.

        Raises:
            ValueError: Unless the penalties are ≥ 0 and the bound is positive.
        """
        for name in ("l1", "l2"):
            not_negative(f"{layer}: {name}", getattr(self, name))
        if self.max_norm is not None and not real_number(f"{layer}: max_norm", self.max_norm) > 0:
            raise ValueError(f"{layer}: max_norm is {self.max_norm}, expected above 0")


@dataclass(frozen=True, kw_only=True)
class BiasPenalised(Penalised):
    """For layers with weights w and biases b.

    Args:
        l1: Adds l1·Σ|w| to the loss of a batch.
        l2: Adds ½·l2·Σw² to the loss of a batch.
        max_norm: After each step, scale the weights of each unit (column) so that their norm is at most this; None: no
            bound.
        penalise_bias: Let l1 and l2, the network's too, count b as well as w; usually they do not.
    """

    penalise_bias: bool = False

    def check_penalties(self, layer: str) -> None:
        super().check_penalties(layer)
        if self.penalise_bias and not getattr(self, "use_bias", True):
            raise ValueError(f"{layer}: penalise_bias=True beside use_bias=False: there are no biases to penalise")

    def penalised(self) -> tuple[str, ...]:
        return (*self.weights, "b") if self.penalise_bias else self.weights


def check_tie(layer: str, tied_to: str | None, penalties: Penalised) -> None:
    """TypeError unless `tied_to` is None or a name; ValueError for penalties beside it."""
    if tied_to is not None and not isinstance(tied_to, str):
        kind = type(tied_to).__name__
        raise TypeError(f"{layer}: tied_to is {kind}, expected the name of a layer: give that one name='table', say")
    if tied_to is not None and (penalties.l1 or penalties.l2 or penalties.max_norm is not None):
        raise ValueError(
            f"{layer}: l1, l2 or max_norm beside tied_to={tied_to!r}: give it to the layer of that name, which has the "
            "weight"
        )
