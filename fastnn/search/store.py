"""What a sweep keeps: the rows of its trials, and the states from which they go on, which are models."""

import contextlib
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
from fastnn.search.packing import digest
from fastnn.search.table import Owner, read_table, value_of

STATES = "models"


class Store:
    """A folder with the table sweep.csv and the states of the trials that may go on, or may be the best.

    owner : of the table
    names : of the settings
    """

    def __init__(
        self, folder: Path, owner: Owner, names: Sequence[str], *, has_table: bool = True, fresh: bool = False
    ):
        self.folder, self.owner, self.names, self.has_table = folder, owner, tuple(names), has_table
        earlier = [] if fresh or not has_table else read_table(folder / TABLE, owner)
        self._own = {self._key(row): row for row in earlier if owner.owns(row)}
        self._others = [row for row in earlier if not owner.owns(row)]
        for path in (folder / STATES).glob("*"):
            if name_of_temporary(path.name):  # a kill left it
                path.unlink(missing_ok=True)
        if has_table and not (folder / TABLE).exists():
            write_rows(folder / TABLE, [])

    def find(self, settings: Mapping[str, Any]) -> Row | None:
        """The row of these settings that an earlier call wrote, without them; None if there is none."""
        row = self._own.get(self._key(settings))
        known = {} if row is None else {name: text for name, text in row.items() if text != ""}
        found = {name: value_of(name, text) for name, text in known.items() if name not in self._given}
        return found or None

    @property
    def _given(self) -> tuple[str, ...]:
        """The columns that are no outcome of a trial."""
        return (*self.names, *self.owner.columns)

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
            own = (dict(self.owner.columns) | row for row in rows)
            write_rows(self.folder / TABLE, [*self._others, *kept, *own])

    def state(self, name: str) -> bytes | None:
        """The state that a trial has left; None: it begins anew."""
        path = self.path(name)
        return path.read_bytes() if path.exists() else None

    def keep(self, name: str, state: bytes) -> None:
        """Write the state of a trial, whole or not at all."""
        (self.folder / STATES).mkdir(exist_ok=True)
        write_whole(self.path(name), [state])

    def retain(self, names: Iterable[str]) -> None:
        """Remove the states of all other trials of this sweep."""
        kept = {self.path(name) for name in names}
        for path in (self.folder / STATES).glob(f"{self._prefix}*.h5"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """The file of a trial's state."""
        return self.folder / STATES / f"{self._prefix}{name}.h5"

    @property
    def _prefix(self) -> str:
        return f"{digest(dict(self.owner.columns))}-"


@contextlib.contextmanager
def store_in(out: Path | None, owner: Owner, names: Sequence[str], *, fresh: bool) -> Iterator[Store]:
    """The store of a folder that no other command uses meanwhile; without one, of a temporary folder."""
    if out is None:
        folder = Path(tempfile.mkdtemp(prefix="fastnn-sweep-"))
        store = Store(folder, owner, names, has_table=False)
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)  # with the last result that has the store
        yield store
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held(out))
            store = Store(out, owner, names, fresh=fresh)
        except (DataError, FileFormatError) as error:
            words = str(error).replace("--out", "out=").replace("--fresh", "fresh=True")
            raise type(error)(words) from None
        yield store
