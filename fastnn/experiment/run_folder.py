"""The folder of a run: a finished one is replaced only by a finished one.

A run writes into the folder NAME.unfinished beside it, which is renamed to NAME when the run has succeeded. After an
interruption NAME.unfinished stays and can be resumed. One command at a time uses a folder.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastnn.common.errors import DataError, FileFormatError, NonFiniteError
from fastnn.common.files import atomic_path
from fastnn.common.process_lock import refuse_in_use, sole_use, writing_into
from fastnn.experiment.run_files import (
    EARLIER_CHECKPOINT,
    MODEL,
    SUMMARY,
    TRAININGS_FOLDER,
    read_summary,
    refuse_foreign,
    refuse_strangers,
    remove,
    remove_results,
)
from fastnn.experiment.run_swap import is_whole, put_in_place, recover
from fastnn.experiment.summary import Summary
from fastnn.loading import load_checkpoint

UNFINISHED = ".unfinished"
MAY_CHANGE = ("epochs",)  # settings that a resumed run may change


class RunFolder:
    """`final` is where the run will be, `working` where it is while it runs.

    path    the folder that the user named; a symbolic link stays, the folder that it points to is the run's
    resume  go on with the unfinished run in it, if there is one
    fresh   start again, whatever unfinished run is in it

    Nothing is written before `held`. Raises DataError if both resume and fresh are given, if neither is and there is an
    unfinished run, or if another command uses the folder; FileFormatError if the folder has no name, is not a run's,
    or holds what no run wrote.
    """

    def __init__(self, path: Path, *, resume: bool = False, fresh: bool = False):
        self.resume, self.fresh = resume, fresh
        self.final = Path(path)
        if self.final.is_symlink():
            self.final = Path(os.path.realpath(self.final))
        if self.final.name in ("", "..") or self.final.is_symlink():  # still a link: a loop of links
            raise FileFormatError(f"--out is {str(path)!r}, expected a folder's name for the run, such as runs/mine")
        if self.final.name.endswith(UNFINISHED):
            expected = f"expected the run's own name, {self.final.name.removesuffix(UNFINISHED)!r}"
            raise FileFormatError(f"--out is {str(path)!r}, the name of an unfinished run's folder; {expected}")
        self.working = self.final.with_name(self.final.name + UNFINISHED)
        self._lock = self.final.with_name(f".{self.final.name}.lock")
        if resume and fresh:
            raise DataError("--resume goes on with a run and --fresh starts again: expected one of them")
        refuse_in_use(self._lock, str(self.final))
        self._check()

    def _check(self) -> None:
        """Refuse a folder that a run may not replace, or that the flags do not fit."""
        refuse_strangers(self.final)
        if self.working.is_symlink():
            raise FileFormatError(f"{self.working} is a link, expected a folder; remove it, or choose another --out")
        refuse_foreign(self.working)
        if is_whole(self.working):  # its command was killed as it ended: `held` ends it
            return
        if self._is_begun and not (self.resume or self.fresh):
            raise DataError(f"{self.working} holds an unfinished run: add --resume to go on, or --fresh to start again")
        if not self.goes_on:
            refuse_strangers(self.working)

    @property
    def _is_begun(self) -> bool:
        """Whether there is anything to resume: a checkpoint, or a training that has ended."""
        return bool(self._saved())

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on with an unfinished one."""
        return self.resume and self._is_begun

    def training_file(self, number: int) -> Path:
        """The file of training `number` of the command; it is there once that training has ended."""
        return self.working / TRAININGS_FOLDER / f"{number:03d}.h5"

    def checkpoint(self, number: int) -> Path:
        """The file from which training `number` can be resumed: no other training may, so each has its own."""
        return self.working / TRAININGS_FOLDER / f"{number:03d}.checkpoint.h5"

    def _saved(self) -> list[Path]:
        """The files of both kinds. A temporary file that a kill left begins with a dot and is none."""
        earlier = self.working / EARLIER_CHECKPOINT
        return [*([earlier] if earlier.exists() else []), *sorted(self.working.glob(f"{TRAININGS_FOLDER}/[0-9]*.h5"))]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """In the block no other command uses the folder, and what a killed one had begun to put in place is in place.

        An error in the block removes the folders that were made and hold nothing. DataError if another command uses
        it, FileFormatError if nothing can be written there.
        """
        made = [folder for folder in self.working.parents if not folder.exists()]
        try:
            with sole_use(self._lock, str(self.final)):
                recover(self.working, self.final)
                self._check()  # again: another command may have run while this one loaded its data
                yield
        except Exception:
            with contextlib.suppress(OSError):  # a folder that holds anything stays, and so do its parents
                for folder in made:
                    folder.rmdir()
            raise

    @contextlib.contextmanager
    def opened(self, settings: dict[str, Any]) -> Iterator[None]:
        """The working folder is there in the block; to resume, it must have been started with the same settings.

        DataError for other settings, FileFormatError for a damaged file or a folder that cannot be written. An error
        before there is anything to resume removes the working folder if the block made it. Divergence and
        interruptions leave it: the summary says how the run ended.
        """
        was_there = self.working.exists()
        try:
            self._begin(settings)
            yield
        except NonFiniteError:
            raise
        except Exception:
            if not (was_there or self._is_begun or is_whole(self.working)):
                with contextlib.suppress(OSError, FileFormatError):  # what was wrong first is told
                    remove(self.working)
            raise

    def _begin(self, settings: dict[str, Any]) -> None:
        if self.goes_on:
            self._check_same(settings)
        with writing_into(self.working.parent):
            if not self.goes_on:
                remove(self.working)
            (self.working / TRAININGS_FOLDER).mkdir(parents=True, exist_ok=True)
            remove_results(self.working)
            self._adopt_earlier_checkpoint()

    def _adopt_earlier_checkpoint(self) -> None:
        """The checkpoint of a run that an earlier fastnn began is of the first training that had not ended."""
        earlier, number = self.working / EARLIER_CHECKPOINT, 0
        while self.training_file(number).exists():
            number += 1
        if earlier.exists() and not self.checkpoint(number).exists():
            earlier.replace(self.checkpoint(number))

    def _check_same(self, settings: dict[str, Any]) -> None:
        before = read_summary(self.working).config
        if not before or not isinstance(before, dict):
            raise FileFormatError(f"{self.working / SUMMARY} holds no settings of a run; --fresh starts again")
        changed = [name for name in settings if name not in MAY_CHANGE and settings[name] != before.get(name)]
        if changed:
            was = ", ".join(f"{name}={before.get(name)}" for name in changed)
            what = f"{self.working} was started with {was}"
            raise DataError(f"{what}; resume it with the same settings, or give --fresh to start again")
        for path in self._saved():
            try:
                load_checkpoint(path)
            except FileFormatError as error:
                raise FileFormatError(f"{error}; --fresh starts again") from error

    def write_summary(self, summary: Summary) -> None:
        """Replace the working folder's summary.json."""
        with atomic_path(self.working / SUMMARY) as temporary:
            text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")

    def finish(self) -> None:
        """Rename the working folder, whose summary says that the run has finished, to the final one."""
        put_in_place(self.working, self.final)


def model_path(path: Path) -> Path:
    """The model file in a run's folder, or `path` itself if it is a file; FileFormatError if there is none."""
    candidate = path / MODEL if path.is_dir() else path
    if not candidate.is_file():
        has_not_ended = Path(f"{path}{UNFINISHED}").exists()
        hint = f"; {path}{UNFINISHED} holds a run that has not ended" if has_not_ended else ""
        raise FileFormatError(f"{candidate}: no such file; expected a run's folder or a saved model{hint}")
    return candidate
