"""What a sweep keeps: the rows of its trials, and the states from which they go on, which are models."""

import contextlib
import csv
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import DataError, FileFormatError
from fastnn.common.files import name_of_temporary, write_whole
from fastnn.search.folder import TABLE, held
from fastnn.search.job import Row

STATES = "models"
OF = "of"  # the column that says of which function, data and arguments a trial is
TEXTS = (OF, "status", "reason")


class Store:
    """A folder with the table sweep.csv and the states of the trials that may go on, or may be the best.

    of    : says of which function, data and arguments trials are: rows of others are kept, and not looked at
    names : of the settings
    """

    def __init__(self, folder: Path, of: str, names: Sequence[str], *, has_table: bool = True, fresh: bool = False):
        self.folder, self.of, self.names, self.has_table = folder, of, tuple(names), has_table
        earlier = [] if fresh or not has_table else _read(folder / TABLE)
        self._own = {self._key(row): row for row in earlier if row[OF] == of}
        self.others = [row for row in earlier if row[OF] != of]
        (folder / STATES).mkdir(exist_ok=True)
        for path in (folder / STATES).iterdir():
            if name_of_temporary(path.name):  # a kill left it
                path.unlink(missing_ok=True)
        if has_table and not (folder / TABLE).exists():
            write_rows(folder / TABLE, [])

    def find(self, settings: Mapping[str, Any]) -> Row | None:
        """The row of these settings that an earlier call wrote, without them; None if there is none."""
        row = self._own.get(self._key(settings))
        known = {} if row is None else {name: text for name, text in row.items() if text != ""}
        found = {name: _value(name, text) for name, text in known.items() if name not in (*self.names, OF)}
        return found or None

    def settings_found(self) -> list[dict[str, str]]:
        """The settings of all rows that an earlier call wrote, each once, as texts, without the seeds."""
        names = [name for name in self.names if name != "seed"]
        found = {tuple(row.get(name, "") for name in names): None for row in self._own.values()}
        return [dict(zip(names, texts, strict=True)) for texts in found]

    def _key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row.get(name, "")) for name in self.names)

    def write(self, rows: Iterable[Row]) -> None:
        """Write the table: rows that an earlier call wrote of other settings stay."""
        if self.has_table:
            rows = list(rows)
            keys = {self._key(row) for row in rows}
            kept = [row for key, row in self._own.items() if key not in keys]
            write_rows(self.folder / TABLE, [*self.others, *kept, *({OF: self.of} | row for row in rows)])

    def state(self, name: str) -> bytes | None:
        """The state that a trial has left; None: it begins anew."""
        path = self.path(name)
        return path.read_bytes() if path.exists() else None

    def keep(self, name: str, state: bytes) -> None:
        """Write the state of a trial, whole or not at all."""
        write_whole(self.path(name), [state])

    def retain(self, names: Iterable[str]) -> None:
        """Remove the states of all other trials of this sweep."""
        kept = {self.path(name) for name in names}
        for path in (self.folder / STATES).glob(f"{self.of}-*.h5"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """The file of a trial's state."""
        return self.folder / STATES / f"{self.of}-{name}.h5"


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of an earlier call, as texts. FileFormatError for a table of anything else."""
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{path}: cannot be read as a sweep's table ({error})") from None
    if any(not {OF, "status"} <= {*row} or None in row or None in row.values() for row in rows):
        raise FileFormatError(f"{path}: is no table of fn.sweep; choose another out=")
    return rows


def _value(name: str, text: str) -> Any:
    """A figure of the table as a number; texts as they are."""
    if name in TEXTS:
        return text
    with contextlib.suppress(ValueError):
        return int(text)
    with contextlib.suppress(ValueError):
        return float(text)
    return text


@contextlib.contextmanager
def store_in(out: Path | None, of: str, names: Sequence[str], *, fresh: bool) -> Iterator[Store]:
    """The store of a folder that no other command uses meanwhile; without one, of a temporary folder."""
    if out is None:
        folder = Path(tempfile.mkdtemp(prefix="fastnn-sweep-"))
        store = Store(folder, of, names, has_table=False)
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)  # with the last result that has the store
        yield store
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held(out))
        except (DataError, FileFormatError) as error:
            raise type(error)(str(error).replace("--out", "out=")) from None
        yield Store(out, of, names, fresh=fresh)
