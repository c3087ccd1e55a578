"""The folder of a sweep: its table, its picture, its models; one command at a time uses it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from fastnn.common.errors import FileFormatError
from fastnn.common.files import name_of_temporary
from fastnn.common.process_lock import sole_use

TABLE, PICTURE, LOCK = "sweep.csv", "sweep.png", ".sweep.lock"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder is there in the block, and no other command uses it.

    DataError if another one does; FileFormatError where it cannot be made, or holds anything that no sweep wrote.
    """
    _refuse_foreign(folder)
    with sole_use(folder / LOCK, str(folder)):
        for path in folder.iterdir():
            if _is_leftover(path.name):
                path.unlink(missing_ok=True)
        yield


def _refuse_foreign(folder: Path) -> None:
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if TABLE not in names and any(name != LOCK and not _is_leftover(name) for name in names):
        raise FileFormatError(f"{folder} is a folder that no sweep made (it has no {TABLE}); choose another --out")


def _is_leftover(name: str) -> bool:
    """Whether a kill left the file as a sweep wrote its table or picture."""
    return name_of_temporary(name) in (TABLE, PICTURE)
