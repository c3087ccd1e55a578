"""The answer to an HTTP request, read by a thread of its own: no server can hold its caller for ever."""

import queue
import threading
import time
import urllib.error
import urllib.request
from email.message import Message
from http.client import HTTPMessage
from types import TracebackType
from typing import IO, Any

PIECE_BYTES = 1 << 16  # bytes read from the network at a time, at most
PIECES_AHEAD = 8
# A server that sends less is given up: one that is as slow as this takes 12 hours for the largest of our files.
LEAST_BYTES_PER_SECOND = 4_000


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects; an answer that leads nowhere is closed, which urllib forgets where the address is none."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class Receiver:
    """The answer to a request: `head`, then `piece` until one is empty. Both raise whatever urllib raises.

    timeout : seconds in each of which parts something must come: the head, then LEAST_BYTES_PER_SECOND on the average

    The timeout of a socket is that of each byte. So a server may send its headers, or the length of a chunk, or the
    chunk, a byte at a time, and urllib goes on reading. The thread that does so is left behind then, and ends with the
    next piece that it gets.
    """

    def __init__(self, request: urllib.request.Request, timeout: float):
        self._timeout = timeout
        self._queue: queue.Queue[Any] = queue.Queue(PIECES_AHEAD)
        self._abandoned = threading.Event()
        self._begin_part()
        threading.Thread(target=self._read, args=(request,), name="fastnn-fetch", daemon=True).start()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandoned.set()

    def head(self) -> tuple[int, Message]:
        """The status and the headers of the answer."""
        head: tuple[int, Message] = self._next()
        self._begin_part()
        return head

    def piece(self) -> bytes:
        """The next bytes of the content; none at its end."""
        piece: bytes = self._next()
        self._received += len(piece)
        return piece

    def _begin_part(self) -> None:
        self._received, self._end = 0, time.monotonic() + self._timeout

    def _next(self) -> Any:
        """What the thread read next, which may be there already: the caller may be slow, too."""
        while True:
            try:
                item = self._queue.get(timeout=max(self._end - time.monotonic(), 0))
            except queue.Empty:
                self._check_part()
                continue
            if isinstance(item, Exception):
                raise item
            return item

    def _check_part(self) -> None:
        """Begin a new part of the time; OSError if too little came in the last one."""
        if not self._received:
            raise TimeoutError
        if self._received < LEAST_BYTES_PER_SECOND * self._timeout:
            raise OSError(f"it sends fewer than {LEAST_BYTES_PER_SECOND:,} bytes a second")
        self._begin_part()

    def _read(self, request: urllib.request.Request) -> None:
        try:
            with urllib.request.build_opener(_Redirects).open(request, timeout=self._timeout) as response:
                self._put((response.status, response.headers))
                while not self._abandoned.is_set():
                    self._put(piece := response.read1(PIECE_BYTES))
                    if not piece:
                        return
        except Exception as error:  # whatever urllib makes of hostile bytes: it is raised where they are waited for
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            self._put(error)

    def _put(self, item: Any) -> None:
        while not self._abandoned.is_set():
            try:
                return self._queue.put(item, timeout=0.1)
            except queue.Full:
                pass
