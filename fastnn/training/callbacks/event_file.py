"""A file of events for TensorBoard, written where training runs: a full disk is an error of that training.

The writer of tensorboardX writes in a thread of its own. Where a write fails that thread ends, and the next calls wait
for it forever.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError

VERSION = "brain.Event:2"  # of the format
FLUSH_SECONDS = 120  # within a long epoch: then the figures so far are shown


class EventFile:
    """A new file in `folder`. Whatever the folder holds of `step` and later steps is hidden by it.

    FileFormatError, from any method, if it cannot be written: then it ends with the last event that was flushed.
    """

    def __init__(self, folder: Path, step: int):
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.record_writer import RecordWriter

        # Readers take files in the order of their names, whose time is in seconds: two of one second would be one file.
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{time.time_ns():020d}"
        self._path, self._flushed, self._flush_at = folder / name, 0, time.monotonic() + FLUSH_SECONDS
        self._records: Any = None
        self._event = Event
        with self._told():
            os.makedirs(folder, exist_ok=True)
            self._records = RecordWriter(str(self._path))
            self._write(0, file_version=VERSION)
            self._write(step, file_version=VERSION)
            self._write(step, session_log=SessionLog(status=SessionLog.START))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a number."""
        from tensorboardX.summary import scalar

        self._add(scalar(tag, value), step)

    def histogram(self, tag: str, step: int, **figures: Any) -> None:
        """Add a histogram: min, max, num, sum, sum_squares, bucket_limits and bucket_counts."""
        from tensorboardX.summary import histogram_raw

        self._add(histogram_raw(tag, **figures), step)

    def _add(self, summary: Any, step: int) -> None:
        with self._told():
            self._write(step, summary=summary)
        if time.monotonic() >= self._flush_at:
            self.flush()

    def _write(self, step: int, **content: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), step=step, **content).SerializeToString())

    def flush(self) -> None:
        """Bring all events to the disk."""
        with self._told():
            self._records.flush()
            self._flushed, self._flush_at = os.path.getsize(self._path), time.monotonic() + FLUSH_SECONDS

    def close(self) -> None:
        """End the file; nothing is done where it could not be written."""
        if self._records is not None:
            self.flush()
            self._records.close()
            self._records = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._cut()
            raise FileFormatError(
                f"TensorBoard: cannot write into {str(self._path.parent)!r}: {error.strerror}"
            ) from None

    def _cut(self) -> None:
        """Close the file, without the half of an event."""
        if self._records is None:
            return
        with suppress(OSError):
            self._records.close()
        with suppress(OSError):
            os.truncate(self._path, self._flushed)
        self._records = None
