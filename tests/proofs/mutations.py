"""Ways to damage the bytes of a file."""

import re

SIZES = (0, 1, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
SPECIAL = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
LONGEST = 64  # bytes of a range that is put in, doubled, zeroed …
ENDS = 512  # bytes at both ends of a file, where headers and tables stand
WORDS = ["-1", "-0", "1e400", "NaN", "Infinity", "null", "true", "{}", "[]", '""', '"x"', "[[]]", "0.5", "-", '"|O8"']
WORDS += [
    *map(str, SIZES),
    "9" * 400,
    "9" * 5000,
    '"' + "a" * 5000 + '"',
    "[" * 2000,
    "{",
    "}",
    "]",
    ",",
    ":",
    '"\\ud800"',
]


def place(content, rng):
    """An offset, in most cases one near an end."""
    if len(content) <= 2 * ENDS or rng.random() < 0.4:
        return rng.randrange(len(content) + 1)
    return rng.randrange(ENDS) if rng.random() < 0.5 else len(content) - rng.randrange(ENDS)


def span(content, rng):
    low = place(content, rng)
    return low, min(low + 1 + rng.randrange(LONGEST), len(content))


def flip_bits(content, rng):
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = place(content, rng)
        if at < len(content):
            content[at] ^= 1 << rng.randrange(8)


def set_bytes(content, rng):
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = place(content, rng)
        if at < len(content):
            content[at] = rng.choice(SPECIAL)


def truncate(content, rng):
    del content[place(content, rng) :]


def insert(content, rng):
    at = place(content, rng)
    content[at:at] = rng.randbytes(1 + rng.randrange(LONGEST))


def remove(content, rng):
    low, high = span(content, rng)
    del content[low:high]


def double(content, rng):
    low, high = span(content, rng)
    content[low:low] = content[low:high]


def zero(content, rng):
    low, high = span(content, rng)
    content[low:high] = bytes(high - low)


def swap(content, rng):
    """Two ranges, such as two fields, change places."""
    width = rng.choice((1, 2, 4, 8, 16))
    first, second = (min(place(content, rng), max(len(content) - width, 0)) for _ in range(2))
    content[first : first + width], content[second : second + width] = (
        content[second : second + width],
        content[first : first + width],
    )


def size(content, rng):
    """A number of 2, 4 or 8 bytes becomes one of those at which arithmetic goes wrong."""
    width = rng.choice((2, 4, 8))
    at = place(content, rng)
    at -= at % rng.choice((1, 2, 4))
    number = rng.choice(SIZES) % 256**width
    content[at : at + width] = number.to_bytes(width, rng.choice(("little", "big")))


WAYS = (flip_bits, set_bytes, truncate, insert, remove, double, zero, swap, size)


def mutated(content, rng):
    """The content, damaged once, twice or three times."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(WAYS)(out, rng)
    return bytes(out)


def forged_text(text, rng, words=WORDS):
    """The text of a JSON file or of a Python literal with other words, numbers and brackets in it."""
    parts = re.findall(r'"[^"]*"|\'[^\']*\'|-?\d+(?:\.\d+)?|\w+|.', text, re.DOTALL)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(parts))
        match rng.randrange(5):
            case 0 | 1:
                parts[at] = rng.choice(words)
            case 2:
                parts[at] = rng.choice(parts)
            case 3:
                parts[at] = ""
            case 4:
                parts[at] *= 2
    return "".join(parts)
