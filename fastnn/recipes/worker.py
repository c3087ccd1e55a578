"""Called by the worker processes of a sweep: trains a trial by its recipe's id, on data that the process loads."""

import functools
from pathlib import Path
from typing import Any

from fastnn.common.errors import DataError
from fastnn.data import Dataset
from fastnn.experiment.executors import TrialRow, train_trial
from fastnn.experiment.settings import changed
from fastnn.recipes import RECIPES

OfData = tuple[tuple[str, Any], ...]  # the settings that decide which data these are, by name


def train(recipe_id: str, path: Path | None, quick: bool, source: str, settings: Any) -> TrialRow:
    """Train a trial and return its row; the data are loaded once a process.

    DataError if no path is given and the data found here are not those of `source`; else errors of loading.
    """
    recipe = RECIPES[recipe_id]
    of_data = tuple((name, getattr(settings, name)) for name in recipe.of_data)
    data = _prepared(recipe_id, path, quick, settings.dtype, of_data, _stamp(path))
    if path is None and (found := str(data.meta["source"])) != source:
        raise DataError(f"the worker's data are {found}, expected {source}: give --data, a path that all workers have")
    return train_trial(recipe, settings, data, source)


def _stamp(path: Path | None) -> tuple[int, ...]:
    """Numbers that change with the data's files: a worker outlives a sweep, and the files may be written anew."""
    files = [path, *sorted(path.glob("*"))] if path and path.is_dir() else [path] if path and path.exists() else []
    return tuple(number for file in files for number in (file.stat().st_mtime_ns, file.stat().st_size))


@functools.lru_cache(maxsize=2)  # one for each dtype
def _prepared(
    recipe_id: str, path: Path | None, quick: bool, dtype: str, of_data: OfData, stamp: tuple[int, ...]
) -> Dataset:
    recipe = RECIPES[recipe_id]
    return recipe.prepare(_loaded(recipe_id, path, quick, of_data, stamp), dtype)


@functools.lru_cache(maxsize=1)
def _loaded(recipe_id: str, path: Path | None, quick: bool, of_data: OfData, stamp: tuple[int, ...]) -> Dataset:
    recipe = RECIPES[recipe_id]
    return recipe.find(path, quick, changed(recipe.settings, **dict(of_data)))[0]
