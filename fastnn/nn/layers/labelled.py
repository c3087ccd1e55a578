"""What output layers of many classes have in common: scores that depend on the targets while they are trained."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastnn.engine.builder import Builder
from fastnn.engine.memory import Buffer
from fastnn.engine.values import Value
from fastnn.nn import initializers
from fastnn.nn.initializers import Initializer, InitializerName


@dataclass(frozen=True)
class AwaitsTargets(Value):
    """The input of a layer whose scores depend on the targets.

    The builder is an argument of both, as it keeps what layers return: functions that held it would be in a circle with
    it, and with all arrays of the step, which live until the collector of such circles runs.

    against   (builder, labels) -> the scores, and in which column of these the target of each sample is
    complete  (builder, loss, correct, weight of each sample) -> what emits the scores of all classes; it emits what the
              loss has beyond that of the scores above. None: nothing, and metrics look at the scores above
    """

    against: Callable[[Builder, Buffer], tuple[Value, Buffer]]
    complete: Callable[[Builder, Buffer, Buffer, Buffer], Callable[[], Value]] | None = None


@dataclass(frozen=True)
class Transposed(Initializer):
    """An initialiser of a weight (inputs, units), for one that is stored as (units, inputs)."""

    of: InitializerName | Initializer

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        out = np.empty(shape)
        self.fill(rng, out)
        return out

    def fill(self, rng: np.random.Generator, out: np.ndarray) -> None:
        initializers.get(self.of).fill(rng, out.T)


def no_gradient(dout, grads, wanted):
    """The backward function of a layer that needs labels, where nothing is trained."""
    raise AssertionError("an evaluation has no gradient")
