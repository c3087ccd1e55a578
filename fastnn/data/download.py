"""Downloading the files of a data set from the first mirror that sends the right bytes.

The bytes are written to `NAME.part`, which is renamed to `NAME` when its size and SHA-256 are
right: so a file under its own name is whole. Nothing is unpacked here.
"""

import logging
import os
from pathlib import Path

from fastnn.common.errors import DataError
from fastnn.common.files import sha256_of, size_of
from fastnn.common.names import look_up
from fastnn.common.process_lock import locked
from fastnn.data.remote import REMOTE, Progress, RemoteFile, RemoteSet
from fastnn_kernels._compile.folders import user_folders

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # Seconds without a byte after which a mirror is given up.


def data_folder() -> Path:
    """The folder of fetched files: `FASTNN_DATA_DIR`, or `fastnn/data` in the user's cache folder."""
    if chosen := os.environ.get("FASTNN_DATA_DIR"):
        return Path(chosen)
    return next(user_folders()) / "data"


def offline() -> bool:
    """Whether `FASTNN_OFFLINE` forbids the network: it is set, and neither empty nor 0."""
    return os.environ.get("FASTNN_OFFLINE", "0") not in ("", "0")


def is_fetched(name: str) -> bool:
    """Whether all files of data set `name` are there, by their sizes: `fetch` has checked their SHA-256."""
    folder = data_folder() / name
    return all(size_of(folder / file.name) == file.size for file in REMOTE[name].files)


def fetch(name: str, progress: Progress | None = None, timeout: float = TIMEOUT) -> Path:
    """Download data set `name` unless it is there; returns the folder that holds its files.

    The next call resumes a broken download.

    Args:
        name: "mnist", "fashion-mnist" or "cifar10".
        progress: Called with (file name, bytes so far, bytes in all).
        timeout: Seconds without a byte after which a mirror is given up.

    Raises:
        ValueError: For an unknown name.
        DataError: If no mirror sends the right bytes, the folder cannot be written, or FASTNN_OFFLINE forbids the
            network.

    Examples:
        >>> folder = fn.data.fetch("mnist")  # doctest: +SKIP
        >>> data = fn.data.load_idx(folder)  # doctest: +SKIP
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


def _is_right(path: Path, file: RemoteFile) -> bool:
    """Whether `path` holds the bytes of `file`."""
    return size_of(path) == file.size and sha256_of(path) == file.sha256


def _fetch_file(file: RemoteFile, remote: RemoteSet, target: Path, progress: Progress | None, timeout: float) -> None:
    """Download one file from the first mirror that has it, and rename it to `target`; DataError if none has it."""
    from fastnn.data.mirror import MirrorError, fetch_from  # here: HTTP would make `import fastnn` 10 ms longer

    part = target.with_name(f"{target.name}.part")
    failures = []
    for mirror in remote.mirrors:
        try:
            fetch_from(mirror + file.name, file, part, progress, timeout)
        except MirrorError as error:
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
