"""HDF5 files of before the frame are read by another process, which may crash, hang or ask for too much memory."""

import json
import os
import subprocess
import sys
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.file_pieces import fill
from fastnn.common.hdf5 import how_in_use

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SCRIPT = Path(__file__).with_name("unframed_child.py")
SECONDS = 20  # for the least file, and one more for each SLOWEST bytes
SLOWEST = 10_000_000
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def read_unframed(file: FileIO, size: int, path: str, problem: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The arrays of an HDF5 file, one after the other in bytes, and an index as in a frame, that says where they are.

    file, size : open for reading, at any byte
    problem    : how messages begin, which names the path too

    FileFormatError if the file is damaged, or holds anything but plain arrays; OSError if it is no HDF5 file.
    """
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    start = np.zeros(min(size, len(SIGNATURE)), np.uint8)
    fill(file, start)
    if start.tobytes() != SIGNATURE:
        raise OSError("it is empty" if not size else "it is no HDF5 file")
    head, _, content = _answer(file, size, problem).partition(b"\n")
    index = json.loads(head)
    if "error" in index:
        in_use = how_in_use(OSError(index["error"]))
        raise FileFormatError(f"{path!r} {in_use}" if in_use else f"{problem}: {index['error']}")
    return np.frombuffer(bytearray(content), np.uint8), index


def _answer(file: FileIO, size: int, problem: str) -> bytes:
    """What the process that reads the file prints. FileFormatError if it does not end, or not well."""
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    seconds = SECONDS + size // SLOWEST
    # -I: beside the script stand modules that have the names of Python's own.
    command = [sys.executable, "-I", str(SCRIPT), str(seconds), *filter(None, sys.path)]
    try:
        done = subprocess.run(
            command, stdin=file, capture_output=True, timeout=3 * seconds, env={**os.environ, **ONE_THREAD}, check=False
        )
    except subprocess.TimeoutExpired:
        raise FileFormatError(f"{problem}: damaged: the HDF5 library came to no end in it") from None
    if done.returncode:
        raise FileFormatError(f"{problem}: damaged: the HDF5 library failed in it (status {done.returncode})")
    return done.stdout
