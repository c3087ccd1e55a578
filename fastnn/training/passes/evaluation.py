"""One pass over data to judge a model: its loss and its metrics. Several ranks may share it."""

from collections.abc import Iterable, Sequence

import numpy as np

from fastnn.data.batches import BatchSource
from fastnn.data.chunk import Chunk
from fastnn.data.source import Source
from fastnn.engine.available_memory import is_small
from fastnn.nn.metrics import WholeMetric
from fastnn.nn.outputs import Output
from fastnn.ranks.group import Group
from fastnn.training.passes.runner import Runner


class _Answers:
    """The predictions of all samples, and their targets and weights, for metrics that need them at once."""

    def __init__(self) -> None:
        self._y_true: list[Sequence[np.ndarray]] = []  # of each chunk, by output
        self._y_pred: list[Sequence[np.ndarray]] = []  # of each batch, by output
        self._weights: list[np.ndarray] = []

    def add_chunk(self, chunk: Chunk) -> None:
        """Copies its targets and weights: the arrays of a chunk are overwritten by the next."""
        self._y_true.append([y.copy() for y in chunk.y])
        if chunk.sample_weight is not None:
            self._weights.append(chunk.sample_weight.copy())

    def add_predictions(self, predictions: Sequence[np.ndarray]) -> None:
        self._y_pred.append([one.copy() for one in predictions])

    def deliver(self, group: Group) -> bool:
        """Bring those of all ranks to rank 0, in their order; whether this is rank 0."""
        mine = self._y_true, self._y_pred, self._weights
        of_each = group.communicator.deliver(mine)
        if of_each is None:
            return False
        self._y_true, self._y_pred, self._weights = (
            [one for parts in kind for one in parts] for kind in zip(*of_each, strict=True)
        )
        return True

    def figures(self, number: int, metrics: Iterable[WholeMetric]) -> dict[str, float]:
        """The figures of the output with that number."""
        y_true, y_pred = (np.concatenate([part[number] for part in parts]) for parts in (self._y_true, self._y_pred))
        weights = np.concatenate(self._weights) if self._weights else None
        return {metric.name: metric.of_all(y_true, y_pred, weights) for metric in metrics}


def bytes_to_evaluate(runner: Runner, source: Source, outputs: Sequence[Output]) -> int:
    """The bytes that `evaluate` takes of memory, beside the data."""
    widths = [one.width for one in outputs if any(isinstance(metric, WholeMetric) for metric in one.metrics)]
    dtypes = [one.dtype.itemsize for one in source.start().y] if widths else []
    answers = 8 * source.samples * (sum(widths) + len(dtypes))
    return runner.step.program.arena.nbytes + answers


def evaluate(runner: Runner, source: Source, outputs: Sequence[Output], group: Group | None = None) -> dict[str, float]:
    """The loss of all samples of a source and the metrics of all outputs, in the order of these.

    runner : of a step that `compile_evaluate` made for these outputs
    group  : the ranks, each of which takes some of the batches; None: this process takes all. Figures and their bits
             are the same: those of a batch do not depend on who takes it, and are added in the order of the batches.
    """
    whole = [[one for one in output.metrics if isinstance(one, WholeMetric)] for output in outputs]
    answers = _Answers() if any(whole) else None
    mine = source if group is None else _share(group, source, runner.step.batch)
    record = runner.record()[:0] if mine is None else _observed(runner, mine, answers)
    if group is not None:
        record = np.concatenate(group.communicator.gather_rows(record))
    figures = runner.metrics_of_record(record)
    if answers is not None and (group is None or answers.deliver(group)):
        for number, metrics in enumerate(whole):
            figures |= answers.figures(number, metrics) if metrics else {}
    if group is not None:
        figures = group.told(figures)
    return {name: figures[name] for name in figures_of(outputs)}


def figures_of(outputs: Sequence[Output]) -> list[str]:
    """The names of what `evaluate` finds, in order."""
    return ["loss", *(one.name for output in outputs for one in output.metrics)]


def _share(group: Group, source: Source, batch: int) -> Source | None:
    """The samples that this rank evaluates, whole batches; None: none. Batches that a user makes are all rank 0's."""
    if isinstance(source, BatchSource):
        return source if group.rank == 0 else None
    mine = group.rows_of(-(-source.samples // batch))
    first, last = mine.start * batch, min(mine.stop * batch, source.samples)
    return source.part(first, last) if mine else None


def _observed(runner: Runner, source: Source, answers: _Answers | None) -> np.ndarray:
    """Take the step through all samples; what it recorded."""
    for chunk in runner.chunks(source):
        if answers is not None:
            answers.add_chunk(chunk)
        while runner.next_batch:
            start = runner.samples_done
            runner.advance(limit=None if answers is None else 1)
            if answers is not None:
                answers.add_predictions(runner.predictions(runner.samples_done - start))
    # The next evaluation on data in memory may come soon, and be short: one of 1,900 samples took .6 of its 1.3 ms to
    # get pages for 2 MB again.
    if source.in_memory and is_small(runner.step.program.arena.nbytes):
        runner.release()
    else:
        runner.release_memory()
    return runner.record()
