"""What the course reports published, by the system's id: `published.json`, which names the reports."""

import json
from importlib.resources import files

from fastnn.experiment.published import Published

PUBLISHED = {
    system: Published.from_json(found)
    for system, found in json.loads((files("fastnn.recipes") / "published.json").read_text(encoding="utf-8")).items()
}
