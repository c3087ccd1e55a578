"""What the course reports published, by the system's id: `published.json`, which names the reports."""

import json
from importlib.resources import files

from fastnn.experiment.published import Published

_FILE = files("fastnn.recipes.shared") / "published.json"
_FOUND = json.loads(_FILE.read_text(encoding="utf-8"))

PUBLISHED = {system: Published.from_json(found) for system, found in _FOUND.items()}
