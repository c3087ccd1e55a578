"""The files that a run writes into its folder: the only ones that a later run deletes.

A folder is a run's if its summary.json has the fields that every run writes. Whatever else is in it is the user's.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError
from fastnn.common.files import name_of_temporary
from fastnn.experiment import report
from fastnn.experiment.summary import Summary

SUMMARY, MODEL, HISTORY, MONITOR = "summary.json", "model.h5", "history.csv", "monitor.h5"
TRAININGS_FOLDER = "parts"  # holds the trainings that have ended and the checkpoint of the next, until all have ended
EARLIER_CHECKPOINT = "checkpoint.h5"  # where the checkpoint was before each training had one of its own

# Beside the pictures, whose names stand in the summary.
FILES = (SUMMARY, MODEL, HISTORY, MONITOR, report.NAME, EARLIER_CHECKPOINT)
MONITORS = "monitors"  # holds what was recorded in the runs of comparisons
# Folder -> the names of a run's files in it; the second one is TensorBoard's.
FOLDERS = {
    MONITORS: r"[\w-]+\.h5",
    TRAININGS_FOLDER: r"\d{3,}(\.checkpoint)?\.h5",
    "tensorboard": r"events\.out\.tfevents\..+",
}

# What every summary holds that a run has written.
MARKS = {"schema", "id", "title", "command", "status", "data", "samples", "config", "versions"}


def refuse_foreign(folder: Path) -> None:
    """FileFormatError unless `folder` is a run's, empty or not there."""
    if folder.exists() and not folder.is_dir():
        raise FileFormatError(f"{folder} is a file, expected a folder for the run; choose another --out")
    if folder.exists() and not is_run(folder):
        raise FileFormatError(f"{folder} is a folder that no run made (no {SUMMARY} of ours); choose another --out")


def refuse_strangers(folder: Path) -> None:
    """FileFormatError that names what no run wrote and so none may replace, in a folder that is a run's or none's."""
    refuse_foreign(folder)
    names = strangers(folder)
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise FileFormatError(f"{folder} holds what no run wrote: {shown}; move it away, or choose another --out")


def is_run(folder: Path) -> bool:
    """Whether a run made the folder, or was killed before it had written a summary, or the folder is empty."""
    if _has_summary(folder):
        return _is_ours(folder)
    beginning = [name for name, is_own in _entries(folder) if not is_own or _target(name) != SUMMARY]
    return not beginning


def _has_summary(folder: Path) -> bool:
    """Whether there is a summary: a kill in its first moments may leave an empty file, which is none."""
    return (folder / SUMMARY).is_file() and (folder / SUMMARY).stat().st_size > 0


def _is_ours(folder: Path) -> bool:
    try:
        found = read_json(folder / SUMMARY)
    except FileFormatError:
        return False
    return found.keys() >= MARKS and isinstance(found["versions"], dict) and "fastnn" in found["versions"]


def strangers(folder: Path) -> list[str]:
    """The names of what no run wrote into the folder of a run, in order; [] if there is no such folder."""
    return sorted(name for name, is_own in _entries(folder) if not is_own)


def remove(folder: Path) -> None:
    """Delete a run's files and, if nothing else is in it, its folder.

    The model goes first and the summary last: what a kill or an error leaves is seen to be a run's, and not to be
    whole. FileFormatError, before anything is deleted, if there is a summary that cannot be read.
    """
    own = [name for name, is_own in _entries(folder) if is_own]
    for name in sorted(own, key=lambda name: (name == SUMMARY, name != MODEL, name)):
        (folder / name).unlink(missing_ok=True)
    for path in (*(folder / name for name in FOLDERS), folder):
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # it holds something else
                path.rmdir()


def remove_results(folder: Path) -> None:
    """Delete what an unfinished run will write again: model, pictures, report, and files that a kill left half done."""
    _unlink(folder, lambda name: name not in (SUMMARY, HISTORY, EARLIER_CHECKPOINT, MONITOR) and "/" not in name)


def remove_trainings(folder: Path) -> None:
    """Delete what a finished run needs no more: its single trainings, and files that a kill left half done."""
    _unlink(folder, lambda name: name == EARLIER_CHECKPOINT or name.startswith(f"{TRAININGS_FOLDER}/"))
    if (folder / TRAININGS_FOLDER).is_dir():
        with contextlib.suppress(OSError):
            (folder / TRAININGS_FOLDER).rmdir()


def _unlink(folder: Path, is_spent: Callable[[str], bool]) -> None:
    """Delete those of the run's files that are spent, and its temporary ones."""
    for name, is_own in _entries(folder):
        if is_own and (is_spent(name) or _target(name) != name):
            (folder / name).unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """(name, whether a run wrote it) of each entry; in FOLDERS of each file, as folder/name. No link is followed."""
    pictures = _pictures(folder)
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name) if folder.is_dir() else ():
        if not entry.is_dir(follow_symlinks=False):
            yield entry.name, _target(entry.name) in (*FILES, *pictures)
        elif entry.name in FOLDERS:
            for inner in sorted(os.scandir(entry.path), key=lambda inner: inner.name):
                is_known = re.fullmatch(FOLDERS[entry.name], _target(inner.name)) is not None
                yield f"{entry.name}/{inner.name}", is_known and not inner.is_dir(follow_symlinks=False)
        else:
            yield f"{entry.name}/", False


def _target(name: str) -> str:
    """The name itself, or the file's for which it is a temporary one. In a folder: `parts/` stays before it."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + (name_of_temporary(last) or last)


def _pictures(folder: Path) -> list[str]:
    """The names of a run's pictures: none without a summary. FileFormatError if there is one and it cannot be read."""
    if not _has_summary(folder):
        return []
    found = read_json(folder / SUMMARY).get("pictures")
    return list(found) if isinstance(found, dict) else []


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; FileFormatError if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: cannot be read as a run's summary ({error})") from None
    if not isinstance(found, dict):
        raise FileFormatError(f"{path}: holds {type(found).__name__}, expected the fields of a run's summary")
    return found


def read_summary(folder: Path) -> Summary:
    """The summary in a run's folder; FileFormatError if there is none or it cannot be read."""
    path = folder / SUMMARY
    try:
        return Summary.from_json(read_json(path))
    except (
        TypeError,
        ValueError,
        AttributeError,
        KeyError,
    ) as error:  # fields that hold something else than a run writes
        raise FileFormatError(f"{path}: cannot be read as a run's summary ({error})") from None
