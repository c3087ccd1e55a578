"""Asking one mirror for the bytes of one file over HTTP, and again from where a download broke off.

The standard library suffices. A download package would not resume a broken download or stop at a given size, and would
need five more packages.
"""

import http.client
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO

from fastnn.common.errors import FastnnError
from fastnn.common.files import sha256_of, size_of
from fastnn.data.receiver import Receiver
from fastnn.data.remote import Progress, RemoteFile

TRIES = 3  # How often one mirror is asked, if each time the download gets further.
# What urllib raises where a server is not there or sends what is no HTTP. ValueError: a redirect to what is no address.
FAILURES = (OSError, http.client.HTTPException, ValueError)


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
    with Receiver(request, timeout) as receiver:
        status, headers = _ask(receiver, url, part)
        resumed = _agrees(status, headers, url, file, have)
        with open(part, "ab" if resumed else "wb") as out:
            _copy(receiver, out, have if resumed else 0, url, file, progress)


def _ask(receiver: Receiver, url: str, part: Path) -> tuple[int, Message]:
    """Status and headers of the mirror's answer; MirrorError if it sends none or refuses."""
    try:
        return receiver.head()
    except urllib.error.HTTPError as error:
        if error.code == 416:  # It has no such range: the next mirror starts from the first byte.
            part.unlink(missing_ok=True)
        raise MirrorError(f"{url} answers {error.code} {error.reason}") from error
    except FAILURES as error:
        raise MirrorError(_why(url, error)) from error


def _why(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return f"{url} is silent" if isinstance(reason, TimeoutError) else f"{url} cannot be read: {reason}"


def _agrees(status: int, headers: Message, url: str, file: RemoteFile, have: int) -> bool:
    """Whether the response continues at byte `have` (else it starts anew); MirrorError if its length is another."""
    resumed = status == 206
    if resumed and not str(headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
        raise MirrorError(f"{url} sends {headers.get('Content-Range')!r}, expected bytes from {have} on")
    length = headers.get("Content-Length", "")
    wanted = file.size - (have if resumed else 0)
    if length.isdecimal() and len(length) < 20 and int(length) != wanted:
        raise MirrorError(f"{url} announces {int(length):,} bytes, expected {wanted:,}")
    return resumed


def _copy(receiver: Receiver, out: IO[bytes], done: int, url: str, file: RemoteFile, progress: Progress | None) -> None:
    """Write the content to `out`; MirrorError if it has another length, and what is too long is not kept."""
    while True:
        try:
            piece = receiver.piece()
        except FAILURES as error:  # Only receiving is in this block: an error of the disk is not the mirror's.
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
