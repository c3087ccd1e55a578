"""Asking one mirror for the bytes of one file over HTTP, and again from where a download broke off.

The standard library suffices. A download package would not resume a broken download or stop at a given size, and would
need five more packages.
"""

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from fastnn.common.errors import FastnnError
from fastnn.common.files import sha256_of, size_of
from fastnn.data.remote import Progress, RemoteFile

TRIES = 3  # How often one mirror is asked, if each time the download gets further.
PIECE_BYTES = 1 << 16  # Bytes read from the network at a time.


class MirrorError(FastnnError):
    """One mirror failed. kept : whether bytes arrived that the next try can continue from."""

    def __init__(self, message: str, kept: bool = False) -> None:
        super().__init__(message)
        self.kept = kept


def fetch_from(url: str, file: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """Download the whole file to `part` and check its SHA-256; MirrorError otherwise."""
    for attempt in range(TRIES):
        before = max(size_of(part), 0)
        try:
            _append(url, file, part, progress, timeout)
        except MirrorError as error:
            if error.kept and size_of(part) > before and attempt < TRIES - 1:
                continue
            raise
        found = sha256_of(part)
        if found == file.sha256:
            return
        part.unlink()
        # The bytes of an earlier download may have been wrong: ask this mirror once more, for all of them.
        if not before or attempt == TRIES - 1:
            raise MirrorError(f"{url} has SHA-256 {found[:16]}…, expected {file.sha256[:16]}…")


def _append(url: str, file: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """Download the bytes that `part` lacks and append them."""
    have = max(size_of(part), 0)
    if have >= file.size:  # Complete or too long: the SHA-256 will tell.
        return
    request = urllib.request.Request(
        url, headers={"User-Agent": "fastnn", **({"Range": f"bytes={have}-"} if have else {})}
    )
    with _ask(request, url, part, timeout) as response:
        resumed = _agrees(response, url, file, have)
        with open(part, "ab" if resumed else "wb") as out:
            _copy(response, out, have if resumed else 0, url, file, progress)


def _ask(request: urllib.request.Request, url: str, part: Path, timeout: float) -> Any:
    """The mirror's response; MirrorError if it sends none or refuses."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # It has no such range: the next mirror starts from the first byte.
            part.unlink(missing_ok=True)
        raise MirrorError(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise MirrorError(_why(url, error)) from error


def _why(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return f"{url} is silent" if isinstance(reason, TimeoutError) else f"{url} cannot be read: {reason}"


def _agrees(response: http.client.HTTPResponse, url: str, file: RemoteFile, have: int) -> bool:
    """Whether the response continues at byte `have` (else it starts anew); MirrorError if its length is another."""
    resumed = response.status == 206
    if resumed and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
        raise MirrorError(f"{url} sends {response.headers.get('Content-Range')!r}, expected bytes from {have} on")
    length = response.headers.get("Content-Length", "")
    wanted = file.size - (have if resumed else 0)
    if length.isdigit() and int(length) != wanted:
        raise MirrorError(f"{url} announces {int(length):,} bytes, expected {wanted:,}")
    return resumed


def _copy(response: Any, out: IO[bytes], done: int, url: str, file: RemoteFile, progress: Progress | None) -> None:
    """Write the response to `out`, at most one byte more than expected; MirrorError if it has another length."""
    while True:
        try:
            piece = response.read(min(PIECE_BYTES, file.size - done + 1))
        except (
            OSError,
            http.client.HTTPException,
        ) as error:  # Only reading is in this block: an error of the disk is not the mirror's.
            raise MirrorError(_why(url, error), kept=True) from error
        if not piece:
            break
        done += len(piece)
        if done > file.size:
            out.truncate(0)  # This is another file: keep none of its bytes.
            raise MirrorError(f"{url} sends more than {file.size:,} bytes")
        out.write(piece)
        if progress is not None:
            progress(file.name, done, file.size)
    if done < file.size:
        raise MirrorError(f"{url} ends after {done:,} of {file.size:,} bytes", kept=True)
