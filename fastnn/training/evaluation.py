"""One pass over data to judge a model: its loss and its metrics."""

from collections.abc import Iterable

import numpy as np

from fastnn.data.source import Chunk, Source
from fastnn.nn.metrics import Metric, WholeMetric
from fastnn.training.runner import Runner


class _Answers:
    """The predictions of all samples, and their targets and weights, for metrics that need them at once."""

    def __init__(self) -> None:
        self.y_true: list[np.ndarray] = []
        self.y_pred: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []

    def add_targets(self, chunk: Chunk) -> None:
        """Copies: the arrays of a chunk are overwritten by the next."""
        assert chunk.y is not None
        self.y_true.append(chunk.y.copy())
        if chunk.sample_weight is not None:
            self.weights.append(chunk.sample_weight.copy())

    def figure(self, metric: WholeMetric) -> float:
        y_true, y_pred = np.concatenate(self.y_true), np.concatenate(self.y_pred)
        return metric.of_all(y_true, y_pred, np.concatenate(self.weights) if self.weights else None)


def evaluate(runner: Runner, source: Source, metrics: Iterable[Metric]) -> dict[str, float]:
    """The loss of all samples of a source and their metrics, in the order of these.

    runner : of a step that `compile_evaluate` made for the same metrics
    """
    metrics = list(metrics)
    answers = _Answers() if any(isinstance(metric, WholeMetric) for metric in metrics) else None
    for chunk in runner.chunks(source):
        if answers is not None:
            answers.add_targets(chunk)
        while runner.next_batch:
            start = runner.samples_done
            runner.advance(limit=None if answers is None else 1)
            if answers is not None:
                answers.y_pred.append(runner.predictions(runner.samples_done - start).copy())
    runner.release()
    figures = runner.metrics()
    for metric in metrics:
        if isinstance(metric, WholeMetric) and answers is not None:
            figures[metric.name] = answers.figure(metric)
    return {name: figures[name] for name in ("loss", *(metric.name for metric in metrics))}
