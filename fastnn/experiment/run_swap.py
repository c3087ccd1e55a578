"""A finished run takes the place of the one before, such that a kill at any moment loses neither.

Its summary says "finished" before anything is renamed. So the next command sees how far a killed one had come, and
goes on from there.
"""

import contextlib
import logging
import re
import secrets
from pathlib import Path

from fastnn.common.errors import FileFormatError
from fastnn.common.files import synchronise_folder
from fastnn.experiment.run_files import MODEL, is_run, read_summary, remove, remove_trainings, strangers

logger = logging.getLogger(__name__)


def is_whole(folder: Path) -> bool:
    """Whether the folder holds a run that has finished, with all its files."""
    try:
        return is_run(folder) and (folder / MODEL).is_file() and read_summary(folder).status == "finished"
    except FileFormatError:
        return False


def put_in_place(working: Path, final: Path) -> None:
    """Rename the folder of a run that is whole to `final`, and delete what the run before had written there.

    FileFormatError if it cannot be renamed; then both are where they were.
    """
    aside = final.with_name(f"{final.name}.{secrets.token_hex(4)}.replaced")
    try:
        _exchange(working, final, aside)
    except OSError as error:
        raise FileFormatError(f"cannot rename {working}, a finished run, to {final}: {error.strerror}") from None
    synchronise_folder(final.parent)
    _tidy(final, aside)


def _exchange(working: Path, final: Path, aside: Path) -> None:
    is_there = final.exists()
    if is_there:
        final.rename(aside)
    try:
        working.rename(final)
    except OSError:
        if is_there:
            aside.rename(final)
        raise


def recover(working: Path, final: Path) -> None:
    """Do what a killed command had not come to: put a run that is whole in place, delete the one that it replaced."""
    asides = _asides(final)
    if is_whole(working):
        put_in_place(working, final)
    elif asides and not final.exists() and is_whole(asides[-1]):
        asides.pop().rename(final)
    _tidy(final, *asides)


def _asides(final: Path) -> list[Path]:
    """The folders that `put_in_place` had renamed and that a run made, the newest last."""
    pattern = re.escape(final.name) + r"\.[0-9a-f]{8}\.replaced"
    found = [path for path in final.parent.glob("*.replaced") if re.fullmatch(pattern, path.name)]
    return sorted((path for path in found if _is_run_s(path)), key=lambda path: path.stat().st_mtime_ns)


def _is_run_s(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and is_run(path)


def _tidy(final: Path, *asides: Path) -> None:
    """Delete what is not needed beside a finished run. What cannot be deleted stays: the run is in place."""
    with contextlib.suppress(OSError, FileFormatError):
        if is_whole(final):
            remove_trainings(final)
    for aside in asides:
        try:
            remove(aside)
            if names := strangers(aside):
                logger.warning("%s keeps what no run wrote: %s", aside, ", ".join(names))
        except (OSError, FileFormatError) as error:
            logger.warning("%s, the run before, stays until the next command: %s", aside, error)
