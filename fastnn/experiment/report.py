"""The page of a run: one HTML file with its pictures inside, which opens from disk, without scripts or network.

What it says is put together here; how it looks is in the template beside it, `report.html`.
"""

import base64
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastnn.common.errors import FileFormatError
from fastnn.common.files import atomic_path
from fastnn.common.text import SPLITS, plural, seconds_text, setting_text, with_minus
from fastnn.experiment.answers import for_people, texts
from fastnn.experiment.settings import Settings
from fastnn.experiment.summary import Ending, Summary

NAME = "report.html"
LINKED = ("model.h5", "history.csv", "summary.json")  # the run's files beside the page
PNG = b"\x89PNG\r\n\x1a\n"
SEVERAL_PANELS = 850  # pixels: wider pictures have panels side by side, whose text a telephone makes too small


def write(folder: str | Path, summary: Summary, zeros: Mapping[str, str] = Settings.zeros) -> Path:
    """Write folder/report.html and return its path. The file is there whole or not at all.

    zeros : what is said of a setting that is 0, as of `Settings`

    The pictures that the summary's answers name are read from `folder`. Every text is escaped: words of a vocabulary or
    a file's name may hold any character. FileFormatError if a picture is missing or no PNG, or the file cannot be
    written.
    """
    from jinja2 import Environment  # costs more to import than most commands take

    folder, ending = Path(folder), summary.ending or Ending()
    template = (files("fastnn.experiment") / NAME).read_text(encoding="utf-8")
    text = (
        Environment(autoescape=True)
        .from_string(template)
        .render(
            summary=summary,
            sentence=_sentence(summary),
            answers=[_answer(folder, found) for found in ending.answers],
            network=ending.network,
            settings=[
                (name.replace("_", " "), _setting(name, value, zeros)) for name, value in summary.settings.items()
            ],
            command=command(summary),
            files=LINKED if ending.answers else (),
            machine=_machine(summary, ending),
        )
    )
    path = folder / NAME
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", errors="replace")  # a path may hold bytes that are no text
    return path


def _setting(name: str, value: Any, zeros: Mapping[str, str]) -> str:
    """The value of a setting as a page shows it."""
    if value == 0 and name in zeros:
        return zeros[name]
    if isinstance(value, int) and not isinstance(value, bool) and name != "seed":
        return f"{value:,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value == "" else setting_text(value)


def _answer(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """An answer as the template takes it: tables as texts, pictures as base64."""
    answer = for_people(found)
    tables = []
    for table in answer.tables:
        header, rows = texts(table)
        tables.append({"title": table.title, "is_detail": table.is_detail, "header": header, "rows": rows})
    pictures = [_picture(folder / name, with_minus(caption)) for name, caption in found["pictures"].items()]
    own = {"name": answer.name, "question": answer.question, "lines": answer.lines, "report": answer.report}
    return own | {"tables": tables, "pictures": pictures}


def _picture(path: Path, caption: str) -> dict[str, Any]:
    """A PNG file in base64, and whether it is wide; FileFormatError if it is missing or no PNG."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read for the page ({error.strerror})") from None
    if not content.startswith(PNG):
        raise FileFormatError(f"{path}: not a PNG file, cannot be put into the page")
    width = int.from_bytes(content[16:20], "big")  # of the first chunk, IHDR
    return {"caption": caption, "data": base64.b64encode(content).decode("ascii"), "is_wide": width > SEVERAL_PANELS}


def _sentence(summary: Summary) -> str:
    """What was trained, on which data, how it ended, when, and how long it took."""
    samples = ", ".join(f"{count:,} {SPLITS.get(split, split)}" for split, count in summary.samples.items())
    source = "generated data" if summary.is_generated else f"the data of {summary.data}"
    parts = [f"Trained on {source}{f' ({samples} samples)' if samples else ''}. Status: {summary.status}"]
    if ending := summary.ending:
        if any(run.label == ending.chosen for run in ending.runs):
            parts.append(f"chosen run: {ending.chosen}")
        if ending.epochs_run:
            parts.append(plural(ending.epochs_run, "epoch"))
        if ending.best_epoch:
            parts.append(f"weights of epoch {ending.best_epoch:,}")
        if ending.stop_reason:
            parts.append(f"stopped: {ending.stop_reason}")
        if ending.finished_at:
            parts.append(f"ended {ending.finished_at.replace('T', ' ').removesuffix('+00:00')} UTC")
    return "; ".join(parts) + "."


def _machine(summary: Summary, ending: Ending) -> list[tuple[str, Any]]:
    """Versions, and (label, text) of what decides the speed, and of the speed."""
    tokens, speed, took = ending.tokens_of_samples, ending.samples_per_second, ending.seconds_per_epoch
    known = [
        ("arithmetic", summary.dtype, "{}"),
        ("threads", summary.threads, "{}"),
        ("an epoch of the chosen run", took and seconds_text(took), "{}"),
        ("tokens a second" if tokens else "samples a second", speed and speed * (tokens or 1), "{:,.0f}"),
        ("all trainings and pictures", ending.seconds, "{:,.1f} s"),
        ("peak memory", ending.peak_rss_mb, "{:,.0f} MB"),
    ]
    found = [(label, form.format(value)) for label, value, form in known if value is not None]
    return [*summary.versions.items(), *found]


def command(summary: Summary) -> str:
    """The command line of this run; if it was not kept, one that is put together from the settings."""
    if summary.command:
        return summary.command
    config = {name: value for name, value in summary.settings.items() if value is not None}
    source = config.pop("data", summary.data)
    words = ["fastnn", "train", summary.id]
    if source not in (None, "generated"):
        words += ["--data", str(source)]
    for name, value in config.items():
        flag = name.replace("_", "-")
        words += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return shlex.join(words)
