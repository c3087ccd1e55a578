"""Called by the worker processes of a sweep: trains a trial by its recipe's id, on data that the process loads."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastnn.common.errors import DataError
from fastnn.data import Dataset
from fastnn.experiment.executors import TrialRow, train_trial
from fastnn.experiment.recipe import Recipe
from fastnn.recipes import ALL

ReadBy = tuple[tuple[str, Any], ...]  # the settings by which a recipe reads its data
Stamp = tuple[int, ...]  # of the data's files


def train(recipe_id: str, path: Path | None, quick: bool, source: str, settings: Any) -> TrialRow:
    """Train a trial and return its row; the data are loaded once a process.

    DataError if no path is given and the data found here are not those of `source`; else errors of loading.
    """
    recipe = _suited(recipe_id, path)
    read_by = tuple((name, getattr(settings, name)) for name in recipe.read_by)
    data = _prepared(recipe_id, path, quick, settings.dtype, read_by, _stamp(path))
    if path is None and (found := str(data.meta["source"])) != source:
        raise DataError(f"the worker's data are {found}, expected {source}: give --data, a path that all workers have")
    return train_trial(recipe, settings, data, source)


def _suited(recipe_id: str, path: Path | None) -> Recipe:
    recipe = ALL[recipe_id]
    return recipe.suited(recipe, path, {})  # every setting is given with the trial


def _stamp(path: Path | None) -> Stamp:
    """Numbers that change with the data's files: a worker outlives a sweep, and the files may be written anew."""
    files = [path, *sorted(path.glob("*"))] if path and path.is_dir() else [path] if path and path.exists() else []
    return tuple(number for file in files for number in (file.stat().st_mtime_ns, file.stat().st_size))


@functools.lru_cache(maxsize=2)  # one for each dtype
def _prepared(recipe_id: str, path: Path | None, quick: bool, dtype: str, read_by: ReadBy, stamp: Stamp) -> Dataset:
    recipe = _suited(recipe_id, path)
    settings = replace(recipe.settings, **dict(read_by))
    return recipe.prepare(_loaded(recipe_id, path, quick, read_by, stamp), dtype, settings)


@functools.lru_cache(maxsize=1)
def _loaded(recipe_id: str, path: Path | None, quick: bool, read_by: ReadBy, stamp: Stamp) -> Dataset:
    recipe = _suited(recipe_id, path)
    return recipe.find(path, quick, replace(recipe.settings, **dict(read_by)))[0]
