"""The folder of a run: a finished one is replaced only by a finished one.

A run writes into the folder NAME.unfinished beside it, which is renamed to NAME when the run has succeeded. After an
interruption NAME.unfinished stays and can be resumed.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastnn.common.errors import DataError, FileFormatError, NonFiniteError
from fastnn.common.files import atomic_path
from fastnn.experiment.summary import Summary
from fastnn.loading import load_checkpoint

SUMMARY, CHECKPOINT, MODEL = "summary.json", "checkpoint.h5", "model.h5"
TRAININGS_FOLDER = "parts"  # holds the trainings that have ended, until all of the command have
MAY_CHANGE = ("epochs",)  # settings that a resumed run may change


class RunFolder:
    """`final` is where the run will be, `working` where it is while it runs.

    path    the folder that the user named; a symbolic link stays, the folder that it points to is the run's
    resume  go on with the unfinished run in it
    fresh   start again, whatever unfinished run is in it

    Nothing is written before `open`. Raises DataError if both resume and fresh are given or they do not fit what is
    there, FileFormatError if the folder has no name or is not a run's.
    """

    def __init__(self, path: Path, *, resume: bool = False, fresh: bool = False):
        self.resume = resume
        self.final = Path(path)
        if self.final.is_symlink():
            self.final = Path(os.path.realpath(self.final))
        if self.final.name in ("", "..") or self.final.is_symlink():  # still a link: a loop of links
            raise FileFormatError(f"--out is {str(path)!r}, expected a folder's name for the run, such as runs/mine")
        self.working = self.final.with_name(self.final.name + ".unfinished")
        self._check(fresh)

    def _check(self, fresh: bool) -> None:
        if self.resume and fresh:
            raise DataError("--resume goes on with a run and --fresh starts again: expected one of them")
        for folder in (self.final, self.working):
            _refuse_foreign(folder)
        if self.is_begun and not (self.resume or fresh):
            raise DataError(f"{self.working} holds an unfinished run: add --resume to go on, or --fresh to start again")
        if self.resume and not self.is_begun:
            raise DataError(f"{self.working} holds no unfinished run to resume; leave --resume out to start one")

    @property
    def checkpoint(self) -> Path:
        """The file from which the current training can be resumed."""
        return self.working / CHECKPOINT

    def training_file(self, number: int) -> Path:
        """The file of training `number` of the command; it is there once that training has ended."""
        return self.working / TRAININGS_FOLDER / f"{number:03d}.h5"

    def _training_files(self) -> list[Path]:
        return sorted(self.working.glob(f"{TRAININGS_FOLDER}/*.h5"))

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to resume: a checkpoint, or a training that has ended."""
        return self.checkpoint.exists() or bool(self._training_files())

    def open(self, settings: dict[str, Any]) -> None:
        """Make the working folder; to resume, check that it was started with the same settings.

        DataError for other settings, FileFormatError for a damaged file or a folder that cannot be written.
        """
        if self.resume:
            self._check_same(settings)
        else:
            self._make()

    @contextlib.contextmanager
    def or_nothing(self) -> Iterator[None]:
        """In the block, an error before there is anything to resume removes the folders that the block made.

        Divergence and interruptions leave them: the summary says how the run ended.
        """
        made = [folder for folder in (self.working, *self.working.parents) if not folder.exists()]
        try:
            yield
        except NonFiniteError:
            raise
        except Exception:
            if self.working in made and not self.is_begun:
                shutil.rmtree(self.working, ignore_errors=True)
                with contextlib.suppress(OSError):  # a folder that holds anything else stays, and so do its parents
                    for folder in made[1:]:
                        folder.rmdir()
            raise

    def _make(self) -> None:
        try:
            shutil.rmtree(self.working, ignore_errors=True)
            (self.working / TRAININGS_FOLDER).mkdir(parents=True)
            with atomic_path(self.working / SUMMARY):
                pass
        except (OSError, FileFormatError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FileFormatError(f"cannot write into {self.working.parent}: {reason}; choose another --out") from None

    def _check_same(self, settings: dict[str, Any]) -> None:
        before = read_summary(self.working).config
        if not before or not isinstance(before, dict):
            raise FileFormatError(f"{self.working / SUMMARY} holds no settings of a run; --fresh starts again")
        changed = [name for name in settings if name not in MAY_CHANGE and settings[name] != before.get(name)]
        if changed:
            was = ", ".join(f"{name}={before.get(name)}" for name in changed)
            raise DataError(f"{self.working} was started with {was}; resume it with the same settings")
        for path in (self.checkpoint, *self._training_files()):
            try:
                if path.exists():
                    load_checkpoint(path)
            except FileFormatError as error:
                raise FileFormatError(f"{error}; --fresh starts again") from error

    def write_summary(self, summary: Summary) -> None:
        """Replace the working folder's summary.json."""
        with atomic_path(self.working / SUMMARY) as temporary:
            text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")

    def finish(self) -> None:
        """Rename the working folder to the final one, and remove what only a resumed run would need."""
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.working / TRAININGS_FOLDER, ignore_errors=True)
        if self.final.exists():
            aside = self.final.with_name(f"{self.final.name}.{secrets.token_hex(4)}.replaced")
            self.final.rename(aside)
            self.working.rename(self.final)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            self.working.rename(self.final)


def _refuse_foreign(folder: Path) -> None:
    """FileFormatError if `folder` holds anything that no run wrote: a run replaces nothing else."""
    if folder.exists() and not folder.is_dir():
        raise FileFormatError(f"{folder} is a file, expected a folder for the run; choose another --out")
    if folder.exists() and any(folder.iterdir()) and not _has_summary(folder):
        raise FileFormatError(f"{folder} is a folder that no run made (no {SUMMARY} of ours); choose another --out")


def _has_summary(folder: Path) -> bool:
    """Whether a run wrote the folder's summary. A run that ended as it began leaves it empty, and no other file."""
    if [path.name for path in folder.iterdir()] == [SUMMARY] and not (folder / SUMMARY).stat().st_size:
        return True
    try:
        return "schema" in _read_json(folder / SUMMARY)
    except FileFormatError:
        return False


def _read_json(path: Path) -> dict[str, Any]:
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
        return Summary.from_json(_read_json(path))
    except (TypeError, AttributeError) as error:  # fields that hold something else than a run writes
        raise FileFormatError(f"{path}: cannot be read as a run's summary ({error})") from None


def model_path(path: Path) -> Path:
    """The model file in a run's folder, or `path` itself if it is a file; FileFormatError if there is none."""
    candidate = path / MODEL if path.is_dir() else path
    if not candidate.is_file():
        hint = f"; {path}.unfinished holds a run that has not ended" if Path(f"{path}.unfinished").exists() else ""
        raise FileFormatError(f"{candidate}: no such file; expected a run's folder or a saved model{hint}")
    return candidate
