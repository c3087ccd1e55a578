"""The folder of a run: a finished one is replaced only by a finished one.

Training writes into a sibling, NAME.unfinished, which takes the place of NAME in one rename when the
run has succeeded. What an interruption leaves there can be resumed.
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
from fastnn.sequential import load_checkpoint

SUMMARY, CHECKPOINT, MODEL = "summary.json", "checkpoint.h5", "model.h5"
PARTS = "parts"  # holds the trainings of a command that have ended, until all have
FREE = ("epochs",)  # what may change when a run is resumed


class RunFolder:
    """`final` is where the run will be, `working` where it is while it runs.

    A symbolic link stays a link: the folder that it points to is the run's. FileFormatError for a path without a name.
    """

    def __init__(self, path: Path):
        self.final = Path(path)
        if self.final.is_symlink():
            self.final = Path(os.path.realpath(self.final))
        if self.final.name in ("", "..") or self.final.is_symlink():  # still a link: a loop of links
            raise FileFormatError(f"--out is {str(path)!r}, expected a folder's name for the run, such as runs/mine")
        self.working = self.final.with_name(self.final.name + ".unfinished")

    @property
    def checkpoint(self) -> Path:
        return self.working / CHECKPOINT

    def part(self, number: int) -> Path:
        """Where the training numbered `number` is kept when it has ended, until all have."""
        return self.working / PARTS / f"{number:03d}.h5"

    @property
    def is_begun(self) -> bool:
        """Whether there is something to go on with: a checkpoint, or a training that has ended."""
        return self.checkpoint.exists() or any(self.working.glob(f"{PARTS}/*.h5"))

    def open(self, settings: dict[str, Any], *, resume: bool, fresh: bool) -> None:
        """Make the working folder, or, to resume, find it with equal settings. Errors as of `check`."""
        self.check(resume=resume, fresh=fresh)
        if resume:
            self._check_same(settings)
        else:
            self._make()

    def check(self, *, resume: bool, fresh: bool) -> None:
        """DataError if the flags do not fit what is there, FileFormatError if the folder cannot be used."""
        if resume and fresh:
            raise DataError("--resume goes on with a run and --fresh starts again: expected one of them")
        for folder in (self.final, self.working):
            _refuse_foreign(folder)
        if self.is_begun and not (resume or fresh):
            raise DataError(f"{self.working} holds an unfinished run: add --resume to go on, or --fresh to start again")
        if resume and not self.is_begun:
            raise DataError(f"{self.working} holds no unfinished run to resume; leave --resume out to start one")

    @contextlib.contextmanager
    def or_nothing(self) -> Iterator[None]:
        """Within the block, an error before there is anything to resume leaves no folder that was not there before.

        Divergence and interruptions do: the summary tells of them.
        """
        made = [folder for folder in (self.working, *self.working.parents) if not folder.exists()]
        try:
            yield
        except NonFiniteError:
            raise
        except Exception:
            if self.working in made and not self.is_begun:
                shutil.rmtree(self.working, ignore_errors=True)
                with contextlib.suppress(OSError):  # The first that something else was put into stays, and those above.
                    for folder in made[1:]:
                        folder.rmdir()
            raise

    def _make(self) -> None:
        try:
            shutil.rmtree(self.working, ignore_errors=True)
            (self.working / PARTS).mkdir(parents=True)
            with atomic_path(self.working / SUMMARY):
                pass
        except (OSError, FileFormatError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FileFormatError(f"cannot write into {self.working.parent}: {reason}; choose another --out") from None

    def _check_same(self, settings: dict[str, Any]) -> None:
        before = read_summary(self.working).get("config")
        if not isinstance(before, dict):
            raise FileFormatError(f"{self.working / SUMMARY} holds no settings of a run; --fresh starts again")
        changed = [name for name in settings if name not in FREE and settings[name] != before.get(name)]
        if changed:
            was = ", ".join(f"{name}={before.get(name)}" for name in changed)
            raise DataError(f"{self.working} was started with {was}; resume it with the same settings")
        for path in (self.checkpoint, *sorted(self.working.glob(f"{PARTS}/*.h5"))):
            try:
                if path.exists():
                    load_checkpoint(path)
            except FileFormatError as error:
                raise FileFormatError(f"{error}; --fresh starts again") from error

    def write_summary(self, summary: dict[str, Any]) -> None:
        with atomic_path(self.working / SUMMARY) as temporary:
            temporary.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def finish(self) -> None:
        """Put the working folder in the place of the final one."""
        self.checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self.working / PARTS, ignore_errors=True)
        if self.final.exists():
            aside = self.final.with_name(f"{self.final.name}.{secrets.token_hex(4)}.replaced")
            self.final.rename(aside)
            self.working.rename(self.final)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            self.working.rename(self.final)


def _refuse_foreign(folder: Path) -> None:
    """FileFormatError if `folder` exists and is not a run's: nothing of anybody else's is ever replaced."""
    if folder.exists() and not folder.is_dir():
        raise FileFormatError(f"{folder} is a file, expected a folder for the run; choose another --out")
    if folder.exists() and any(folder.iterdir()) and not _has_summary(folder):
        raise FileFormatError(f"{folder} is a folder that no run made (no {SUMMARY} of ours); choose another --out")


def _has_summary(folder: Path) -> bool:
    """Whether a run wrote the folder's summary; one that was stopped as it began left it empty, and nothing else."""
    if [path.name for path in folder.iterdir()] == [SUMMARY] and not (folder / SUMMARY).stat().st_size:
        return True
    try:
        return "schema" in read_summary(folder)
    except FileFormatError:
        return False


def read_summary(folder: Path) -> dict[str, Any]:
    """A run's summary; FileFormatError if there is none or it cannot be read."""
    path = folder / SUMMARY
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: cannot be read as a run's summary ({error})") from None
    if not isinstance(summary, dict):
        raise FileFormatError(f"{path}: holds {type(summary).__name__}, expected the fields of a run's summary")
    return summary


def model_path(path: Path) -> Path:
    """The model file of a run's folder, or `path` itself if it is a file; FileFormatError if there is none."""
    candidate = path / MODEL if path.is_dir() else path
    if not candidate.is_file():
        hint = f"; {path}.unfinished holds a run that has not ended" if Path(f"{path}.unfinished").exists() else ""
        raise FileFormatError(f"{candidate}: no such file; expected a run's folder or a saved model{hint}")
    return candidate
