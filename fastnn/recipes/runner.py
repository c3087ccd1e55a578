"""Runs a recipe from data to a folder: the flow that all systems share."""

import dataclasses
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba
import numpy as np

from fastnn import plots
from fastnn.callbacks import Callback, Checkpoint, CSVLogger, EarlyStopping
from fastnn.data import Dataset
from fastnn.history import History
from fastnn.model import Sequential
from fastnn.recipes.base import Recipe
from fastnn.recipes.folder import MODEL, RunFolder, read_summary

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run leaves for a person to read: its summary, the closing lines and where it is."""

    summary: dict[str, Any]
    closing: tuple[str, list[str]]
    folder: Path


def run(
    recipe: Recipe,
    settings: Any,
    data: Dataset,
    out: Path,
    *,
    resume: bool = False,
    fresh: bool = False,
    callbacks: Iterable[Callback] = (),
) -> Outcome:
    """Train `recipe` on `data` and leave model, history, pictures and summary in `out`."""
    model, optimizer = recipe.build(settings, data)
    folder = RunFolder(out)
    config = dataclasses.asdict(settings) | {"data": data.meta["source"]}
    folder.open(config, resume=resume, fresh=fresh)
    summary = _opening(recipe, config, data)
    folder.write_summary(summary)
    stopping = EarlyStopping(patience=settings.patience, restore_best=True)
    keeping = [Checkpoint(folder.checkpoint, resume=resume), CSVLogger(folder.working / "history.csv")]
    try:
        history = _fit(model, optimizer, settings, data, [stopping, *keeping, *callbacks])
    except BaseException as error:
        folder.write_summary(summary | {"status": "diverged" if isinstance(error, ArithmeticError) else "interrupted"})
        raise
    summary |= _ending(model, history, data, stopping.best_epoch)
    model.save(folder.working / MODEL)
    plots.learning_curves(history, folder.working / "curves.png", recipe.id, data.meta)
    folder.write_summary(summary | {"peak_rss_mb": peak_memory_mb()})
    closing = recipe.closing(model, data, settings)
    folder.finish()
    return Outcome(read_summary(folder.final), closing, folder.final)


def _fit(model: Sequential, optimizer: Any, settings: Any, data: Dataset, callbacks: list[Callback]) -> History:
    return model.fit(
        data.train.x,
        data.train.y,
        optimizer=optimizer,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(data.val.x, data.val.y) if data.val else None,
        callbacks=callbacks,
        verbose=False,
    )


def _opening(recipe: Recipe, config: dict[str, Any], data: Dataset) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "id": recipe.id,
        "status": "running",
        "data": data.meta["source"],
        "samples": {part: len(split) for part, split in data.splits().items()},
        "config": config,
        "threads": numba.get_num_threads(),
        "dtype": config["dtype"],
        "versions": versions(),
        "seed_figures": recipe.seed_figures,
        "true_entropy": data.meta.get("true_entropy"),
    }


def _ending(model: Sequential, history: History, data: Dataset, best_epoch: int) -> dict[str, Any]:
    metrics: dict[str, float] = {}
    for part, split in data.splits().items():
        metrics |= {f"{part}_{name}": value for name, value in model.evaluate(split.x, split.y).items()}
    seconds = [epoch["seconds"] for epoch in history.epochs]
    return {
        "status": "finished",
        "metrics": metrics,
        "best_epoch": best_epoch,
        "epochs_run": len(history),
        "stop_reason": history.stop_reason,
        "seconds_per_epoch": float(np.median(seconds)),
        "samples_per_second": len(data.train) / float(np.median(seconds)),
        "runs": [],
    }


def peak_memory_mb() -> float:
    """The largest resident size of this process so far, in megabytes (10⁶ bytes); 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def versions() -> dict[str, str]:
    """Versions of everything that results or speed depend on."""
    from fastnn import __version__

    python = platform.python_version()
    return {"fastnn": __version__, "python": python, "numba": numba.__version__, "numpy": np.__version__}
