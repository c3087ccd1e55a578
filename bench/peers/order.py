"""The order in which every peer takes the samples: drawn by NumPy, as rows of indices, one row a batch."""

import numpy as np

from bench.system import System


class Order:
    """Walks through epochs: sequential, or with a new permutation for each, whose time counts."""

    def __init__(self, system: System, shuffle: bool):
        self.batch, self.samples, self.shuffle = system.batch, system.samples, shuffle
        self._rng = np.random.default_rng(0)
        self._rest = self._epoch()
        self._whole = system.whole

    def _epoch(self) -> np.ndarray:
        """The batches of one epoch, (steps, B) int32."""
        order = self._rng.permutation(self.samples) if self.shuffle else np.arange(self.samples)
        return order.astype(np.int32).reshape(-1, self.batch)

    def take(self, steps: int) -> np.ndarray:
        """The indices of the next batches, (steps, B) int32; (steps, 0) where each step takes all samples."""
        if self._whole:
            return np.zeros((steps, 0), np.int32)
        parts = []
        while steps > len(self._rest):
            parts.append(self._rest)
            steps -= len(self._rest)
            self._rest = self._epoch()
        parts.append(self._rest[:steps])
        self._rest = self._rest[steps:]
        return np.concatenate(parts)
