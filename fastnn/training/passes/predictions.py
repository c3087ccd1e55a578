"""One pass over inputs that collects what a step computes of them: predictions, or the outputs of a layer."""

from collections.abc import Callable, Sequence

import numpy as np

from fastnn.data.source import Source
from fastnn.engine.available_memory import check_available
from fastnn.training.passes.runner import Runner


def collect(runner: Runner, source: Source, read: Callable[[Runner, int], Sequence[np.ndarray]]) -> list[np.ndarray]:
    """What `read` finds after each batch, of all samples: arrays (N, ...).

    read : (runner, number of samples of the batch) -> arrays of these samples, which may be views
    """
    results: list[np.ndarray] = []
    for _ in runner.chunks(source):
        while runner.next_batch:
            start = runner.samples_done
            runner.advance(limit=1)
            found = read(runner, runner.samples_done - start)
            results = results or _room_for(found, source.samples)
            for result, one in zip(results, found, strict=True):
                result[start : runner.samples_done] = one
    runner.release()
    return results


def _room_for(found: Sequence[np.ndarray], samples: int) -> list[np.ndarray]:
    """Arrays for all samples, otherwise like those found of one batch; OutOfMemoryError if they are too large."""
    check_available(sum(samples * one[0].nbytes for one in found), f"what is predicted of {samples:,} samples")
    return [np.empty((samples, *one.shape[1:]), one.dtype) for one in found]
