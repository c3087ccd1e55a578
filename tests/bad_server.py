"""A web server for tests of downloads, which misbehaves as the first part of the path asks it to."""

import gzip
import http.server
import re
import threading
from typing import ClassVar

import numpy as np

CONTENT = np.random.default_rng(5).bytes(300_000)
OTHER = b"a second, smaller file"


class Server:
    """Serves files on a port of its own; the first part of a path says how it behaves. `asked` lists the requests."""

    files: ClassVar = {"big.bin": CONTENT, "small.bin": OTHER}

    def __init__(self):
        self.asked, self.released = [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, manner):
        return f"http://127.0.0.1:{self.http.server_address[1]}/{manner}/"

    def close(self):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()

    def manners(self):
        return [manner for manner, _, _ in self.asked]

    def answer(self, handler):
        _, manner, name = handler.path.split("/")
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        self.asked.append((manner, name, int(wanted[1]) if wanted else 0))
        getattr(self, f"_{manner}")(handler, self.files[name], int(wanted[1]) if wanted else 0)

    def _send(self, handler, body, status=200, length=None, headers=()):
        handler.send_response(status)
        if length is not False:
            handler.send_header("Content-Length", str(len(body) if length is None else length))
        for header in headers:
            handler.send_header(*header)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except ConnectionError:  # The client has heard enough: what some of these manners provoke.
            handler.close_connection = True

    def _good(self, handler, content, first):
        if first:
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self._send(handler, content[first:], 206, headers=[("Content-Range", span)])
        else:
            self._send(handler, content)

    def _slow(self, handler, content, first):
        self.released.wait(0.3)
        self._good(handler, content, first)

    def _no_ranges(self, handler, content, first):
        self._send(handler, content)

    def _truncating(self, handler, content, first):
        """Each answer breaks off after 100,000 bytes, although more are announced."""
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        body = content[first : first + 100_000]
        self._send(handler, body, 206 if first else 200, len(content) - first, [("Content-Range", span)])

    def _cut(self, handler, content, first):
        """Always the same first half, whatever is asked for."""
        self._send(handler, content[: len(content) // 2], length=len(content))

    def _flipping(self, handler, content, first):
        self._good(handler, bytes([content[0] ^ 1]) + content[1:-1] + bytes([content[-1] ^ 1]), first)

    def _forbidden(self, handler, content, first):
        self._send(handler, b"no", 403)

    def _no_such_range(self, handler, content, first):
        self._send(handler, b"", 416)

    def _wrong_range(self, handler, content, first):
        self._send(handler, content[first:], 206, headers=[("Content-Range", "bytes 0-10/11")])

    def _longer(self, handler, content, first):
        self._send(handler, content + b"more")

    def _endless(self, handler, content, first):
        """A gzip bomb without a length: thousands of small pieces that never end."""
        self._send(handler, b"", length=False)
        bomb = gzip.compress(bytes(50_000_000), 1)
        try:
            while not self.released.is_set():
                handler.wfile.write(bomb)
        except ConnectionError:
            handler.close_connection = True

    def _hanging(self, handler, content, first):
        """Half of the bytes, then silence."""
        self._send(handler, content[: len(content) // 2], length=len(content))
        self.released.wait(10)

    def _mute(self, handler, content, first):
        self.released.wait(10)

    def _no_address(self, handler, content, first):
        """A redirect to what urllib takes for a broken IPv6 address."""
        self._send(handler, b"", 302, headers=[("Location", "http://[::1")])

    def _no_length(self, handler, content, first):
        """A length of digits that are no number: ² is one of Latin-1."""
        self._send(handler, content, length="\u00b2" * 3)

    def _drip(self, handler, start):
        """A byte at a time, for ever: never silent, never done."""
        try:
            handler.wfile.write(start)
            while not self.released.wait(0.02):
                handler.wfile.write(b"1")
        except ConnectionError:
            pass
        handler.close_connection = True

    def _dripping(self, handler, content, first):
        self._drip(handler, b"HTTP/1.0 200 OK\r\n\r\n")

    def _dripping_head(self, handler, content, first):
        self._drip(handler, b"HTTP/1.0 200 OK\r\nX-Header: ")

    def _dripping_chunk(self, handler, content, first):
        """The length of a chunk that never ends."""
        self._drip(handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
