"""What lies between a user's data and the inputs of a network, as plain data: a model keeps it in its file.

    model.preprocessing = fn.Pixels((28, 28), divide=255, flat=True)
    model.predict(pictures)  # (N, 28, 28) uint8, as they are in their file

A recipe prepares its data once, before it trains, by the same description.
"""

from collections.abc import Mapping
from typing import Any

from fastnn.data.preprocessing.base import Preprocessing, checked
from fastnn.data.preprocessing.pixels import Pixels
from fastnn.data.preprocessing.table import Table
from fastnn.data.preprocessing.words import Words

__all__ = ["KINDS", "Pixels", "Preprocessing", "Table", "Words", "checked", "from_config"]

KINDS: tuple[type[Pixels | Table | Words], ...] = (Pixels, Table, Words)


def from_config(config: Mapping[str, Any], arrays: Mapping[str, Any]) -> Preprocessing:
    """The description that `config` and `arrays` were made of. ValueError or TypeError for others."""
    fields = dict(config)
    known = {kind.kind: kind for kind in KINDS}
    name = fields.pop("kind")
    if name not in known:
        raise ValueError(f"unknown preprocessing {name!r:.60}, expected {' or '.join(known)}")
    made = known[name](**fields, **arrays)
    if made.arrays().keys() != arrays.keys() or made.config() != dict(config):
        raise ValueError("its preprocessing is none that fastnn describes")
    return made
