"""What a command left in the folder of a run, as tests compare it."""

import csv
import json
import os
from pathlib import Path


def summary_of(folder):
    return json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))


def history(folder):
    with open(os.path.join(folder, "history.csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
