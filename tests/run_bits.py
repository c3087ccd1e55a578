"""What a command leaves, without the times in it: two folders of the same run are equal only if every bit is."""

import csv
import json

import h5py


def arrays_of(path):
    """Of a model file: the bytes of each array that `load` reads."""
    with h5py.File(path) as file:
        return {name: array[()].tobytes() for group in ("parameters", "buffers") for name, array in file[group].items()}


def rows_of(path):
    """The rows of a table, without the columns that are times, or the threads, which change no figure."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {name: value for name, value in row.items() if not name.startswith(("seconds", "samples_per", "threads"))}
            for row in csv.DictReader(file)
        ]


def run_bits(folder):
    """Of a run's folder: the model's arrays, the figures, the history, the names of its files."""
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    rows = [(row["run"], row["metrics"]) for row in summary["runs"]]
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return arrays_of(folder / "model.h5"), summary["metrics"], rows, names, rows_of(folder / "history.csv")
