"""The steps that pass over data without training: predictions and evaluations, and how many samples they take."""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

from fastnn.data.source import Source
from fastnn.nn.network import Network, State
from fastnn.training.steps.compile import compile_evaluate, compile_predict
from fastnn.training.steps.step import Step

Kind = Literal["predict", "logits", "evaluate", "evaluate weighted"]

# Samples of one step: enough to share among threads, few enough that a batch of some hundred columns stays in the
# second-level cache. For large samples: as many as keep one activation per layer within EVALUATION_BYTES.
EVALUATION_BATCH = 500
EVALUATION_BYTES = 16 << 20


def of_evaluation(source: Source) -> Kind:
    """The kind of step that evaluates on a source."""
    return "evaluate weighted" if source.weighted else "evaluate"


def compiler(network: Network, state: State, kind: Kind) -> tuple[int, Callable[[int], Step]]:
    """The batch size of steps of this kind, and the function that compiles one for a batch size."""
    sample = sum(map(math.prod, network.shapes)) * state.parameters.dtype.itemsize
    batch = max(min(EVALUATION_BATCH, EVALUATION_BYTES // sample), 1)
    if kind.startswith("evaluate"):
        return batch, partial(compile_evaluate, network, state, weighted=kind.endswith("weighted"))
    return batch, partial(compile_predict, network, state, logits=kind == "logits")
