"""The standard error output of the moment, whatever stands there: None in a GUI, a writer of its own in a tool."""

import contextlib
import sys
from typing import Any


def is_terminal() -> bool:
    """Whether stderr is a terminal; a writer that cannot tell, or is closed, is none."""
    return leads_to_terminal(sys.stderr)


def leads_to_terminal(stream: Any) -> bool:
    """The same of any stream, such as `sys.stdout`, which is None where the caller has closed it."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


class Writer:
    """A file that writes to the stderr of the moment. What cannot be written there is left out: it ends no training."""

    @property
    def encoding(self) -> str:
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return is_terminal()


def say(line: str) -> None:
    """Write a line."""
    Writer().write(f"{line}\n")
