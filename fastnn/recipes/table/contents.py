"""What is told of a user's table before anything is trained: its size, its target, its columns."""

import numpy as np

from fastnn.common.text import plural
from fastnn.data.preprocessing import Table as Preprocessed
from fastnn.experiment.answers import Answer, Table
from fastnn.experiment.results import ExperimentResult
from fastnn.recipes.table.rows import by_column

FEW = 10  # rows of a class, of which training, validation and test have a few each, or none


def data_answer(result: ExperimentResult) -> Answer:
    """How many rows and columns there are, what was left out and why, and a table of the columns."""
    meta, loaded = result.data.meta, result.loaded
    rows = sum(len(split) for split in loaded.splits().values())
    table: Preprocessed = meta["preprocessing"]
    kinds = f"{len(table.numbers)} of numbers, {len(table.categories)} of categories"
    lines = [f"{plural(rows, 'row')}; {plural(len(meta['columns']), 'column')} to predict from: {kinds}."]
    lines.append(f"What is predicted: {meta['target']}, {_kind_of_target(result)}.")
    if meta["rows_left_out"]:
        lines.append(f"Left out: {plural(meta['rows_left_out'], 'row')} without {meta['target']}.")
    lines += _few_rows(result)
    lines += [f"Left out: column {name} ({why})." for name, why in meta["dropped"].items()]
    lines += [f"To look at: column {name} ({hint})." for name, hint in meta["hints"].items()]
    tables = [Table(by_column(table, loaded.train.x), "by column, in the training rows", is_detail=True)]
    return Answer("data", "What is in the table?", tables, lines)


def _few_rows(result: ExperimentResult) -> list[str]:
    """A line of the classes that few rows have."""
    classes = result.data.meta.get("classes")
    if classes is None:
        return []
    y = np.concatenate([split.y for split in result.loaded.splits().values()]).astype(np.int64)
    counts = np.bincount(y, minlength=len(classes))
    few = [f"{name} ({count:,})" for name, count in zip(classes, counts, strict=True) if count < FEW]
    if not few:
        return []
    listed = ", ".join(few[:6]) + (", …" if few[6:] else "")
    return [f"Classes of fewer than {FEW} rows: {listed}. What is said of them is chance."]


def _kind_of_target(result: ExperimentResult) -> str:
    meta = result.data.meta
    if "classes" not in meta:
        return "a number (regression; --task classification says otherwise)"
    names = ", ".join(meta["classes"][:6]) + (", …" if len(meta["classes"]) > 6 else "")
    return f"one of {len(meta['classes'])} classes: {names} (classification; --task regression says otherwise)"
