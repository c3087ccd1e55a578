"""Fetching files: from the first mirror that gives the right bytes, never more of them than there should be.

The standard library does it. A download package would not carry on a broken download or stop at a size, and would
bring five packages along. What arrives goes to `NAME.part` beside the file and takes its place only when size and
SHA-256 are right, so a file under its own name is whole. Nothing that arrives is unpacked here.
"""

import hashlib
import http.client
import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from fastnn.common.errors import DataError, FastnnError
from fastnn.common.files import locked
from fastnn.common.names import look_up
from fastnn.data.remote import REMOTE, RemoteFile, RemoteSet

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # Seconds of silence after which a mirror is given up.
TRIES = 3  # Of one mirror, as long as each brings the download further.
PIECE = 1 << 16  # Bytes taken from the network at a time.

Progress = Callable[[str, int, int], None]  # (file, bytes there, bytes in all), called after each piece.


class _Failed(FastnnError):
    """One mirror did not do. `kept`: bytes arrived that are worth carrying on from."""

    def __init__(self, message: str, kept: bool = False) -> None:
        super().__init__(message)
        self.kept = kept


def data_folder() -> Path:
    """Where fetched files are kept: `FASTNN_DATA_DIR`, or `fastnn/data` in the user's cache folder."""
    if chosen := os.environ.get("FASTNN_DATA_DIR"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "fastnn" / "data"
    home = os.path.expanduser("~")
    # Without a home: a folder of this user's own, so that two users of a machine do not meet.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return (
        Path(home, ".cache", "fastnn", "data") if home != "~" else Path(tempfile.gettempdir(), f"fastnn-{user}", "data")
    )


def offline() -> bool:
    """Whether `FASTNN_OFFLINE` forbids the network: set, and neither empty nor 0."""
    return os.environ.get("FASTNN_OFFLINE", "0") not in ("", "0")


def is_fetched(name: str) -> bool:
    """Whether all files of data set `name` are there; their sizes are looked at, their sums were when they came."""
    folder = data_folder() / name
    return all(_size(folder / file.name) == file.size for file in REMOTE[name].files)


def fetch(name: str, progress: Progress | None = None, timeout: float = TIMEOUT) -> Path:
    """Fetch data set `name`, unless it is there; the folder that holds its files.

    A broken download is carried on by the next call. Raises ValueError for an unknown name, DataError if no mirror
    gives the right bytes, the folder cannot be written, or FASTNN_OFFLINE forbids the network.
    """
    remote = look_up("data set to fetch", name, REMOTE)
    folder = data_folder() / name
    missing = [file for file in remote.files if not _is_right(folder / file.name, file)]
    if missing and offline():
        names = ", ".join(file.name for file in missing)
        raise DataError(
            f"FASTNN_OFFLINE is set: {name!r} is not fetched; unset it, or put {names} into {str(folder)!r}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f".{name}.lock")):
            for file in missing:
                if not _is_right(folder / file.name, file):  # else another process has fetched it meanwhile
                    _fetch_file(file, remote, folder / file.name, progress, timeout)
    except OSError as error:
        raise DataError(
            f"cannot write to {str(folder)!r}: {error.strerror or error}; FASTNN_DATA_DIR may name another folder"
        ) from error
    return folder


def _size(path: Path) -> int:
    """Bytes of a file, −1 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _is_right(path: Path, file: RemoteFile) -> bool:
    return _size(path) == file.size and _sum(path) == file.sha256


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as raw:
        while piece := raw.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _fetch_file(file: RemoteFile, remote: RemoteSet, target: Path, progress: Progress | None, timeout: float) -> None:
    part = target.with_name(f"{target.name}.part")
    failures = []
    for mirror in remote.mirrors:
        try:
            _from_mirror(mirror + file.name, file, part, progress, timeout)
        except _Failed as error:
            log.info("%s", error)
            failures.append(str(error))
            continue
        with open(part, "rb+") as raw:
            os.fsync(raw.fileno())
        os.replace(part, target)
        log.info("fetched %s from %s", file.name, mirror)
        return
    raise DataError(
        f"cannot fetch {file.name!r} ({file.size:,} bytes): {'; '.join(failures)}. "
        f"A file that you have may be put at {str(target)!r}"
    )


def _from_mirror(url: str, file: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """All of the file into `part`, its sum right; _Failed otherwise."""
    for attempt in range(TRIES):
        before = max(_size(part), 0)
        try:
            _append(url, file, part, progress, timeout)
        except _Failed as error:
            if error.kept and _size(part) > before and attempt < TRIES - 1:
                continue
            raise
        found = _sum(part)
        if found == file.sha256:
            return
        part.unlink()
        # The bytes from before may have been the wrong ones: this mirror is asked once more, for all of them.
        if not before or attempt == TRIES - 1:
            raise _Failed(f"{url} has SHA-256 {found[:16]}…, expected {file.sha256[:16]}…")


def _append(url: str, file: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """Ask for what `part` lacks and write it there."""
    have = max(_size(part), 0)
    if have >= file.size:  # All there, or too much: the sum will tell.
        return
    request = urllib.request.Request(
        url, headers={"User-Agent": "fastnn", **({"Range": f"bytes={have}-"} if have else {})}
    )
    with _ask(request, url, part, timeout) as response:
        carried_on = _agrees(response, url, file, have)
        with open(part, "ab" if carried_on else "wb") as out:
            _copy(response, out, have if carried_on else 0, url, file, progress)


def _ask(request: urllib.request.Request, url: str, part: Path, timeout: float) -> Any:
    """The mirror's answer; _Failed if it has none or a refusal."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # It has no such range; the next mirror begins anew.
            part.unlink(missing_ok=True)
        raise _Failed(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Failed(_why(url, error)) from error


def _why(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return f"{url} is silent" if isinstance(reason, TimeoutError) else f"{url} cannot be read: {reason}"


def _agrees(response: http.client.HTTPResponse, url: str, file: RemoteFile, have: int) -> bool:
    """Whether the answer carries on at `have` (else it begins anew); _Failed if it announces another length."""
    carried_on = response.status == 206
    if carried_on and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
        raise _Failed(f"{url} sends {response.headers.get('Content-Range')!r}, expected bytes from {have} on")
    length = response.headers.get("Content-Length", "")
    wanted = file.size - (have if carried_on else 0)
    if length.isdigit() and int(length) != wanted:
        raise _Failed(f"{url} announces {int(length):,} bytes, expected {wanted:,}")
    return carried_on


def _copy(response: Any, out: IO[bytes], done: int, url: str, file: RemoteFile, progress: Progress | None) -> None:
    """Write what comes, at most one byte more than there should be; _Failed unless it is all that there should be."""
    while True:
        try:
            piece = response.read(min(PIECE, file.size - done + 1))
        except (OSError, http.client.HTTPException) as error:  # Of the network; one of the disk must not look like it.
            raise _Failed(_why(url, error), kept=True) from error
        if not piece:
            break
        done += len(piece)
        if done > file.size:
            out.truncate(0)  # Whatever this is, it is not the file: nothing of it is carried on.
            raise _Failed(f"{url} sends more than {file.size:,} bytes")
        out.write(piece)
        if progress is not None:
            progress(file.name, done, file.size)
    if done < file.size:
        raise _Failed(f"{url} ends after {done:,} of {file.size:,} bytes", kept=True)
