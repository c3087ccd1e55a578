"""Compiled steps that a model keeps between calls: a loop of a user's own pays for compiling once."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from fastnn.data.chunk import Chunk
from fastnn.training.runner import Runner
from fastnn.training.step import Step

MOST = 8  # of a key that comes anew each time, such as an optimizer, a model must not keep all


class BatchRunner(Runner):
    """A runner of one batch at a time, which is copied to arrays that stay: so the compiled table need not change."""

    def __init__(self, step: Step):
        super().__init__(step)
        self._own: dict[str, np.ndarray] = {}

    def take(self, chunk: Chunk, dropout_key: np.ndarray, scalars: np.ndarray | None = None) -> None:
        """Run one step on exactly this batch. scalars: as of `advance`, (1, s)."""
        x = tuple(self._copied(f"x{i}", array) for i, array in enumerate(chunk.x))
        y = tuple(self._copied(f"y{i}", array) for i, array in enumerate(chunk.y))
        weights = None if chunk.sample_weight is None else self._copied("weights", chunk.sample_weight)
        self.start(Chunk(x, y, weights), dropout_key=dropout_key)
        self.advance(scalars=None if scalars is None else lambda steps: scalars)

    def _copied(self, name: str, array: np.ndarray) -> np.ndarray:
        own = self._own.get(name)
        if own is None or own.shape != array.shape or own.dtype != array.dtype:
            own = self._own[name] = np.empty_like(array)
        own[...] = array
        return own


class KeptSteps:
    """The runners of a model by what they are for. The oldest is forgotten where there would be more than MOST."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Any, tuple[Any, ...]]] = {}

    def passing(self, key: Hashable, samples: int, compile_step: Callable[[int], Step]) -> Runner:
        """The runner of a step that is taken through data, compiled where there is none yet."""
        return self._found(key, samples, lambda: Runner(compile_step(samples)))

    def batch(
        self, key: Hashable, samples: int, compile_step: Callable[[int], Step], holds: tuple[Any, ...] = ()
    ) -> BatchRunner:
        """The runner of a step for batches of at least `samples` samples, compiled where there is none yet.

        holds : objects that must be the same as when the step was compiled, such as an optimizer and its state
        """
        return self._found(key, samples, lambda: BatchRunner(compile_step(samples)), holds)

    def _found(self, key: Hashable, samples: int, make: Callable[[], Any], holds: tuple[Any, ...] = ()) -> Any:
        runner, held = self._kept.get(key, (None, ()))
        same = len(held) == len(holds) and all(one is other for one, other in zip(held, holds, strict=True))
        if runner is None or not same or runner.step.batch < samples:
            self._kept.pop(key, None)
            if len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            runner = make()
            self._kept[key] = runner, holds
        return runner
