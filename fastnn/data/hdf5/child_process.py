"""A process that reads an HDF5 file in place of this one: a damaged file can crash, hang or fill that one only."""

import json
import os
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError
from fastnn.common.hdf5 import how_in_use

SCRIPT = Path(__file__).with_name("child.py")
SECONDS = 20  # of the processor for any request; each 10 MB that it is to read add one
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LONGEST_HEAD = 256 << 20  # bytes of the line before an answer's content
PIPE_BYTES = 1 << 20
# Where Ctrl-C, which is for this process, does not reach the child: a session under POSIX, a group under Windows.
OF_ITS_OWN: dict[str, Any] = {
    "start_new_session": os.name != "nt",
    "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
}


class Child:
    """Answers requests about one file, one after the other. It is started by the first one, and again after a fork.

    file, path : open for reading, and its name
    problem    : how messages begin, which names the file too
    """

    def __init__(self, file: FileIO, path: str, problem: str):
        self._file, self._path, self._problem = file, path, problem
        self._lock, self._owner = threading.Lock(), os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Any = None

    def ask(self, out: memoryview | None = None, count: int = 0, **request: Any) -> tuple[dict[str, Any], bytes]:
        """The answer to a request, and the bytes that come with it, which go to `out` if it is given.

        count : how many bytes of memory the request may take in the child, beside a fixed number

        FileFormatError if the library fails in the file, takes too long or too much memory.
        """
        if self._owner != os.getpid():  # the pipes are the parent's
            self._lock, self._owner, self._process, self._end = threading.Lock(), os.getpid(), None, None
        with self._lock:
            try:
                head, content = self._asked({**request, "bytes": count}, out)
            except BaseException:  # also Ctrl-C: the rest of the answer would be taken for the next one
                self.close()
                raise
        if "error" in head:
            in_use = how_in_use(OSError(head["error"]))
            raise FileFormatError(f"{self._path!r} {in_use}" if in_use else f"{self._problem}: {head['error']}")
        return head, content

    def close(self) -> None:
        """End the process. The next request starts another."""
        if self._end is not None and self._owner == os.getpid():
            self._end()
        self._process = self._end = None

    def _asked(self, request: dict[str, Any], out: memoryview | None) -> tuple[dict[str, Any], bytes]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._failed(process) from None
        line = process.stdout.readline(LONGEST_HEAD)
        if not line.endswith(b"\n"):
            raise self._failed(process)
        head = json.loads(line)
        count = head.pop("bytes")
        if out is None or "error" in head:
            content = process.stdout.read(count)
            done = len(content)
        else:
            content = b""
            done = process.stdout.readinto(out) if count == len(out) else -1  # type: ignore[attr-defined]
        if done != count:
            raise self._failed(process)
        return head, content

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            # -I: beside the script stand modules of any name.
            command = [sys.executable, "-I", str(SCRIPT), self._name(), str(SECONDS), *filter(None, sys.path)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=() if os.name == "nt" else (self._file.fileno(),),
                **OF_ITS_OWN,
                env={**os.environ, **ONE_THREAD},
            )
            _widen(self._process)
            self._end = weakref.finalize(self, _end, self._process, os.getpid())
        return self._process

    def _name(self) -> str:
        """By which the child opens the very file that is open here, wherever the system has names for that."""
        name = f"/proc/self/fd/{self._file.fileno()}"
        return name if os.path.exists(name) else os.path.abspath(self._path)

    def _failed(self, process: "subprocess.Popen[bytes]") -> FileFormatError:
        process.kill()
        status = process.wait()
        return FileFormatError(f"{self._problem}: the HDF5 library failed in it or came to no end (status {status})")


def _widen(process: "subprocess.Popen[bytes]") -> None:
    """Let the pipe hold more at a time, where it can: half the time for large arrays."""
    try:
        import fcntl

        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)  # type: ignore[arg-type]
    except (ImportError, AttributeError, OSError):
        return


def _end(process: "subprocess.Popen[bytes]", owner: int) -> None:
    if os.getpid() != owner:  # after a fork: it is the parent's
        return
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what was not sent any more
                pipe.close()
    process.wait()
