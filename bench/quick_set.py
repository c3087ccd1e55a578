"""Every system with --quick, as a user runs it: `python -m bench.quick_set [FOLDER]`.

Each system has a process of its own; all use one cache of kernels. Prints how long each took and checks that all files
of a training are there. Exit status 1 if one is missing.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fastnn.recipes import RECIPES

FILES = ("summary.json", "model.h5", "history.csv", "report.html")


def missing(folder: Path) -> list[str]:
    """The files and the status of a finished run that `folder` lacks."""
    absent = [name for name in FILES if not (folder / name).is_file()]
    if "summary.json" in absent:
        return absent
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    if summary["status"] != "finished":
        absent.append(f"status {summary['status']}, not finished")
    return absent + [name for name in summary["pictures"] or ["pictures"] if not (folder / name).is_file()]


def quick(system: str, out: Path) -> bool:
    """Train a system and print one line; returns whether all files of a training are there."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "fastnn", "train", system, "--quick", "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    wrong = [f"exit {ended.returncode}: {ended.stderr[-500:]}"] if ended.returncode else missing(out)
    print(f"{system:15} {seconds:6.1f} s  {'; '.join(wrong) or 'ok'}", flush=True)
    return not wrong


def main(folder: str | None = None) -> int:
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(folder or temporary)
        fine = [quick(system, out / system) for system in RECIPES]
    print(f"{len(fine)} systems {time.perf_counter() - begin:6.1f} s  {sum(fine)} of them ok")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
