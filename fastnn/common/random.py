"""Random numbers by key: every draw depends on a seed and on labels that say what it is for, and on nothing else.

So another layer, another number of threads or a resumed run changes no other random number.
"""

import hashlib

import numpy as np

from fastnn.common.plain import plain
from fastnn.common.shown import in_line
from fastnn.common.validation import is_whole_number
from fastnn_kernels._former import former_names

MOST_WORDS = 1_000_000  # of a key


def key(seed: int, *labels: str | int, words: int = 4) -> np.ndarray:
    """Random numbers (words,) uint64 that depend on the seed and on every label; equal on every machine.

    They are the first bytes of SHAKE-256: a longer key begins with the shorter one.

    Args:
        seed: A whole number.
        *labels: Texts or whole numbers that say what the numbers are for.
        words: How many numbers.

    Raises:
        TypeError: If the seed is no whole number.
        ValueError: If it has more than 1,000 bits.

    Examples:
        >>> fn.random.key(0, "my order", 1, words=2).dtype
        dtype('uint64')
    """
    text = "\0".join([str(seed_number(seed)), *map(str, labels)])
    if not is_whole_number(words) or not 0 <= words <= MOST_WORDS:
        raise ValueError(f"words is {in_line(words)}, expected a whole number from 0 to {MOST_WORDS:,}")
    return np.frombuffer(hashlib.shake_256(text.encode()).digest(8 * int(words)), dtype="<u8").astype(np.uint64)


def generator(seed: int, *labels: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose; other labels give independent numbers.

    Args:
        seed: A whole number.
        *labels: Texts or whole numbers that say what the numbers are for.

    Raises:
        TypeError: If the seed is no whole number.
        ValueError: If it has more than 1,000 bits.

    Examples:
        >>> rng = fn.random.generator(0, "my noise", 1)
        >>> rng.normal(size=3).shape
        (3,)
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([int(word) for word in key(seed, *labels)])))


def seed_number(seed: int) -> int:
    """`seed` as an int.

    Args:
        seed: A whole number.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it has more than 1,000 bits.
    """
    number = plain(seed)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not is_whole_number(number):
        hint = "; for another one each time: seed=random.getrandbits(32), of Python's random" if seed is None else ""
        raise TypeError(f"seed is {in_line(seed)}, expected a whole number{hint}")
    if number.bit_length() > 1000:
        raise ValueError(f"seed has {number.bit_length()} bits, expected at most 1,000")
    return int(number)


__getattr__ = former_names("fastnn.random", globals(), {"stream": ("generator", "0.3")})
