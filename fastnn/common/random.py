"""Random numbers by key: every draw depends on a seed and on labels that say what it is for, and on nothing else.

So another layer, another number of threads or a resumed run changes no other random number.
"""

import hashlib

import numpy as np


def key(seed: int, *labels: str | int, words: int = 4) -> np.ndarray:
    """Random numbers (words,) uint64 that depend on the seed and on every label; equal on every machine.

    They are the first bytes of SHAKE-256: a longer key begins with the shorter one.
    """
    text = "\0".join([str(int(seed)), *map(str, labels)])
    return np.frombuffer(hashlib.shake_256(text.encode()).digest(8 * words), dtype="<u8").astype(np.uint64)


def generator(seed: int, *labels: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose; other labels give independent numbers.

    Example:

        rng = fn.random.generator(0, "my noise", epoch)
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([int(word) for word in key(seed, *labels)])))


stream = generator  # the former name, which programs that use `fastnn.random` may hold
