"""The standard input, which `-` stands for among files."""

import sys

from fastnn.common.errors import FileFormatError


def standard_input() -> bytes:
    """All that comes in. FileFormatError where a process began without a standard input, as a service may."""
    if sys.stdin is None:
        raise FileFormatError("the standard input is closed: name a file instead of -")
    return sys.stdin.buffer.read()
