"""Downloading the files of a data set from the first mirror that sends the right bytes.

The standard library suffices. A download package would not resume a broken download or stop at a given size, and would
need five more packages. The bytes are written to `NAME.part`, which is renamed to `NAME` when its size and SHA-256 are
right: so a file under its own name is whole. Nothing is unpacked here.
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

TIMEOUT = 30.0  # Seconds without a byte after which a mirror is given up.
TRIES = 3  # How often one mirror is asked, if each time the download gets further.
PIECE_BYTES = 1 << 16  # Bytes read from the network at a time.

Progress = Callable[[str, int, int], None]  # Called after each piece with (file name, bytes so far, bytes in all).


class _Failed(FastnnError):
    """One mirror failed. kept : whether bytes arrived that the next try can continue from."""

    def __init__(self, message: str, kept: bool = False) -> None:
        super().__init__(message)
        self.kept = kept


def data_folder() -> Path:
    """The folder of fetched files: `FASTNN_DATA_DIR`, or `fastnn/data` in the user's cache folder."""
    if chosen := os.environ.get("FASTNN_DATA_DIR"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "fastnn" / "data"
    home = os.path.expanduser("~")
    # A user without a home folder gets one by user id, so that two users of a machine do not share it.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return (
        Path(home, ".cache", "fastnn", "data") if home != "~" else Path(tempfile.gettempdir(), f"fastnn-{user}", "data")
    )


def offline() -> bool:
    """Whether `FASTNN_OFFLINE` forbids the network: it is set, and neither empty nor 0."""
    return os.environ.get("FASTNN_OFFLINE", "0") not in ("", "0")


def is_fetched(name: str) -> bool:
    """Whether all files of data set `name` are there, by their sizes: `fetch` has checked their SHA-256."""
    folder = data_folder() / name
    return all(_size(folder / file.name) == file.size for file in REMOTE[name].files)


def fetch(name: str, progress: Progress | None = None, timeout: float = TIMEOUT) -> Path:
    """Download data set `name` unless it is there; returns the folder that holds its files.

    name     : "mnist", "fashion-mnist" or "cifar10"
    progress : called with (file name, bytes so far, bytes in all)
    timeout  : seconds without a byte after which a mirror is given up

    The next call resumes a broken download. Raises ValueError for an unknown name, DataError if no mirror sends the
    right bytes, the folder cannot be written, or FASTNN_OFFLINE forbids the network.

        folder = fastnn.data.fetch("mnist")
        dataset = fastnn.data.load_idx(folder)
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
                if not _is_right(folder / file.name, file):  # another process may have fetched it meanwhile
                    _fetch_file(file, remote, folder / file.name, progress, timeout)
    except OSError as error:
        raise DataError(
            f"cannot write to {str(folder)!r}: {error.strerror or error}; FASTNN_DATA_DIR may name another folder"
        ) from error
    return folder


def _size(path: Path) -> int:
    """The size of a file in bytes, −1 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _is_right(path: Path, file: RemoteFile) -> bool:
    """Whether `path` holds the bytes of `file`."""
    return _size(path) == file.size and _sha256(path) == file.sha256


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as raw:
        while piece := raw.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _fetch_file(file: RemoteFile, remote: RemoteSet, target: Path, progress: Progress | None, timeout: float) -> None:
    """Download one file from the first mirror that has it, and rename it to `target`; DataError if none has it."""
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
    """Download the whole file to `part` and check its SHA-256; _Failed otherwise."""
    for attempt in range(TRIES):
        before = max(_size(part), 0)
        try:
            _append(url, file, part, progress, timeout)
        except _Failed as error:
            if error.kept and _size(part) > before and attempt < TRIES - 1:
                continue
            raise
        found = _sha256(part)
        if found == file.sha256:
            return
        part.unlink()
        # The bytes of an earlier download may have been wrong: ask this mirror once more, for all of them.
        if not before or attempt == TRIES - 1:
            raise _Failed(f"{url} has SHA-256 {found[:16]}…, expected {file.sha256[:16]}…")


def _append(url: str, file: RemoteFile, part: Path, progress: Progress | None, timeout: float) -> None:
    """Download the bytes that `part` lacks and append them."""
    have = max(_size(part), 0)
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
    """The mirror's response; _Failed if it sends none or refuses."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # It has no such range: the next mirror starts from the first byte.
            part.unlink(missing_ok=True)
        raise _Failed(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Failed(_why(url, error)) from error


def _why(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return f"{url} is silent" if isinstance(reason, TimeoutError) else f"{url} cannot be read: {reason}"


def _agrees(response: http.client.HTTPResponse, url: str, file: RemoteFile, have: int) -> bool:
    """Whether the response continues at byte `have` (else it starts anew); _Failed if it announces another length."""
    resumed = response.status == 206
    if resumed and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
        raise _Failed(f"{url} sends {response.headers.get('Content-Range')!r}, expected bytes from {have} on")
    length = response.headers.get("Content-Length", "")
    wanted = file.size - (have if resumed else 0)
    if length.isdigit() and int(length) != wanted:
        raise _Failed(f"{url} announces {int(length):,} bytes, expected {wanted:,}")
    return resumed


def _copy(response: Any, out: IO[bytes], done: int, url: str, file: RemoteFile, progress: Progress | None) -> None:
    """Write the response to `out`, at most one byte more than expected; _Failed unless it has the expected length."""
    while True:
        try:
            piece = response.read(min(PIECE_BYTES, file.size - done + 1))
        except (
            OSError,
            http.client.HTTPException,
        ) as error:  # Only reading is in this block: an error of the disk is not the mirror's.
            raise _Failed(_why(url, error), kept=True) from error
        if not piece:
            break
        done += len(piece)
        if done > file.size:
            out.truncate(0)  # This is another file: keep none of its bytes.
            raise _Failed(f"{url} sends more than {file.size:,} bytes")
        out.write(piece)
        if progress is not None:
            progress(file.name, done, file.size)
    if done < file.size:
        raise _Failed(f"{url} ends after {done:,} of {file.size:,} bytes", kept=True)
