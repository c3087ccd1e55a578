"""Keyed random streams: every draw depends on (seed, purpose, name, epoch or step) and on nothing else.

So adding a layer, changing the thread count or resuming a run moves no other stream.
"""

import hashlib

import numpy as np


def key(seed: int, *labels: str | int, words: int = 4) -> np.ndarray:
    """uint64 words that depend on `seed` and every label, by SHAKE-256: equal on every machine."""
    text = "\0".join([str(int(seed)), *map(str, labels)])
    return np.frombuffer(hashlib.shake_256(text.encode()).digest(8 * words), dtype="<u8").astype(np.uint64)


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """A generator of its own for one purpose: `stream(0, "initial", "dense.w")`."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([int(word) for word in key(seed, *labels)])))
