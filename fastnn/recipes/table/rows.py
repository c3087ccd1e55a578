"""Rows of a report's tables: the columns of a user's table, and the rows of it that are predicted worst."""

from typing import Any

import numpy as np

from fastnn.common.text import number_text, percent
from fastnn.data.preprocessing import Table
from fastnn.data.preprocessing.table import NumberColumn
from fastnn.experiment.answers import Row, Value
from fastnn.experiment.results import ExperimentResult

WORST = 20
FEW_COLUMNS = 6  # whose values stand beside a wrong prediction
LONGEST = 30  # letters of a value


def by_column(table: Table, x: np.ndarray) -> list[Row]:
    """Of each column its kind, its values and how many cells are missing, in the training rows x (N, C)."""
    rows = []
    for place, column in enumerate(table.columns):
        gaps = float(np.mean([value is None for value in x[:, place]]))
        rows.append(Row(str(column.name), _described(column) | {"missing": percent(gaps, 1) if gaps else "none"}))
    return rows


def _described(column: Any) -> dict[str, Value]:
    if isinstance(column, NumberColumn):
        return {"kind": "numbers", "values": f"{number_text(column.mean)} ± {number_text(column.std)}"}
    ordered = sorted(zip(column.counts, map(str, column.values), strict=False), reverse=True)
    names = ", ".join(_short(name) for _, name in ordered[:3])
    rest = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return {"kind": "categories", "values": f"{names}{rest}"}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def worst_rows(result: ExperimentResult, predicted: np.ndarray) -> list[Row]:
    """The test rows that are predicted worst: the surest wrong classes, or the numbers furthest off."""
    meta, split, loaded = result.data.meta, result.data.test, result.loaded.test
    assert split is not None, "a table is always divided"
    assert loaded is not None, "as it was read"
    classes = meta.get("classes")
    if classes:
        wrong = np.flatnonzero(predicted.argmax(axis=1) != split.y)
        badness = predicted[wrong].max(axis=1) if len(wrong) else np.zeros(0)
    else:
        wrong, badness = np.arange(len(split)), np.abs(predicted[:, 0] - split.y)
    rows = []
    for i in wrong[np.argsort(-badness, kind="stable")[:WORST]]:
        shown = {name: _cell(loaded.x[i, place]) for place, name in enumerate(meta["columns"][:FEW_COLUMNS])}
        rows.append(Row(f"line {meta['lines']['test'][i]}", _judged(meta, split.y[i], predicted[i]) | shown))
    return rows


def _judged(meta: dict[str, Any], y: Any, predicted: np.ndarray) -> dict[str, Value]:
    if classes := meta.get("classes"):
        best = int(predicted.argmax())
        return {"true": classes[y], "predicted": f"{classes[best]} ({percent(float(predicted[best]), 1)})"}
    truth, guessed = (meta["mean"] + meta["std"] * float(one) for one in (y, predicted[0]))
    return {"true": number_text(truth), "predicted": number_text(guessed)}


def _cell(value: Any) -> str:
    if value is None:
        return "missing"
    return _short(value) if isinstance(value, str) else number_text(value)
