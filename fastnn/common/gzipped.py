"""Files that may be packed by gzip, whatever they are called."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from fastnn.common.errors import FileFormatError
from fastnn.common.files import check_readable

SIGNATURE = b"\x1f\x8b"


def is_gzip(name: str) -> bool:
    """Whether the first bytes of the file are those of gzip."""
    with open(name, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


@contextmanager
def open_maybe_gzip(name: str) -> Iterator[IO[bytes]]:
    """Open a file, unpacking it if its first bytes are those of gzip; FileFormatError if it is damaged."""
    check_readable(name)
    try:
        with open(name, "rb") as raw:
            if not is_gzip(name):
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as file:
                yield file  # type: ignore[misc]
    except EOFError as error:
        raise FileFormatError(f"{name!r} is cut short: its gzip stream has no end") from error
    except (gzip.BadGzipFile, zlib.error, OSError) as error:
        raise FileFormatError(f"{name!r} is damaged: {' '.join(str(error).split())}") from error
