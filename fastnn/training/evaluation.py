"""One pass over data to judge a model: its loss and its metrics."""

from collections.abc import Iterable

import numpy as np

from fastnn.data.source import Chunk, Source
from fastnn.nn.metrics import WholeMetric
from fastnn.nn.outputs import Output
from fastnn.training.runner import Runner


class _Answers:
    """The predictions of all samples, and their targets and weights, for metrics that need them at once."""

    def __init__(self) -> None:
        self.y_true: list[list[np.ndarray]] = []  # by chunk, of each output
        self.y_pred: list[list[np.ndarray]] = []  # by batch, likewise
        self.weights: list[np.ndarray] = []

    def add_targets(self, chunk: Chunk) -> None:
        """Copies: the arrays of a chunk are overwritten by the next."""
        self.y_true.append([y.copy() for y in chunk.y])
        if chunk.sample_weight is not None:
            self.weights.append(chunk.sample_weight.copy())

    def figure(self, metric: WholeMetric, output: int) -> float:
        y_true, y_pred = (np.concatenate([parts[output] for parts in one]) for one in (self.y_true, self.y_pred))
        return metric.of_all(y_true, y_pred, np.concatenate(self.weights) if self.weights else None)


def evaluate(runner: Runner, source: Source, outputs: Iterable[Output]) -> dict[str, float]:
    """The loss of all samples of a source and the metrics of the outputs, in the order of these.

    runner : of a step that `compile_evaluate` made for the same outputs
    """
    metrics = [(metric, i) for i, output in enumerate(outputs) for metric in output.metrics]
    answers = _Answers() if any(isinstance(metric, WholeMetric) for metric, _ in metrics) else None
    for chunk in runner.chunks(source):
        if answers is not None:
            answers.add_targets(chunk)
        while runner.next_batch:
            start = runner.samples_done
            runner.advance(limit=None if answers is None else 1)
            if answers is not None:
                predictions = runner.predictions(runner.samples_done - start)
                answers.y_pred.append([one.copy() for one in predictions])
    runner.release()
    figures = runner.metrics()
    for metric, output in metrics:
        if isinstance(metric, WholeMetric) and answers is not None:
            figures[metric.name] = answers.figure(metric, output)
    return {name: figures[name] for name in ("loss", *(metric.name for metric, _ in metrics))}
