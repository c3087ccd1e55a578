"""Trains one set of settings: what every run of a recipe, of a comparison and of a sweep has in common."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastnn.data import Dataset, Split
from fastnn.experiment.recipe import Recipe, plain
from fastnn.experiment.results import Trained
from fastnn.sequential import Sequential, load_checkpoint
from fastnn.training import storage
from fastnn.training.callbacks import Callback, Checkpoint, EarlyStopping
from fastnn.training.history import History

# Checkpoints of epochs that are over in no time would take longer than training: they may cost this share of it.
CHECKPOINT_SHARE = 0.1


class SparingCheckpoint(Checkpoint):
    """A Checkpoint that leaves out epochs while writing costs more than a tenth of the time; the first is kept."""

    def __init__(self, path: str | Path, *, resume: bool = False):
        super().__init__(path, resume=resume)
        self._rest_until = 0.0

    def on_epoch_end(self, run):
        begin = time.monotonic()
        if begin < self._rest_until:
            return
        super().on_epoch_end(run)
        end = time.monotonic()
        self._rest_until = end + (end - begin) / CHECKPOINT_SHARE


class TestFigures(Callback):
    """Adds test_loss and test_accuracy to each epoch, for systems whose report shows them by epoch."""

    __test__ = False  # not a test, whatever its name begins with

    def __init__(self, test: Split | None):
        self.test = test

    def on_epoch_end(self, run):
        if self.test is not None:
            figures = run.model.evaluate(self.test.x, self.test.y)
            run.logs |= {f"test_{name}": value for name, value in figures.items()}


def fewer_samples(data: Dataset, count: int) -> Dataset:
    """The data with `count` of the training samples, the same each time; 0, or more than there are: all of them."""
    if not count or count >= len(data.train):
        return data
    return Dataset(data.train.drawn(count), data.val, data.test, data.meta)


def stopping_of(recipe: Recipe, settings: Any) -> EarlyStopping | None:
    """What keeps the best weights, and stops a training for settings that have `patience` or `max_gap`."""
    keep = getattr(settings, "keep", recipe.keep)
    if keep in ("", "last"):
        return None
    patience = getattr(settings, "patience", settings.epochs)
    gap = getattr(settings, "max_gap", 0.0) or None
    return EarlyStopping(keep, patience, restore_best=True, max_gap=gap)


def train_one(
    recipe: Recipe,
    label: str,
    settings: Any,
    data: Dataset,
    *,
    callbacks: Iterable[Callback] = (),
    checkpoint: SparingCheckpoint | None = None,
) -> Trained:
    """Train `settings` on prepared data. Raises what `fit` raises: NonFiniteError for a run that diverged."""
    data = fewer_samples(data, settings.samples)
    model, optimizer = recipe.build(settings, data)
    stopping = stopping_of(recipe, settings)
    watchers = [callback for callback in (stopping, TestFigures(data.test)) if callback is not None]
    history = model.fit(
        **recipe.fit_arguments(settings, data.train),
        optimizer=optimizer,
        epochs=settings.epochs,
        validation_data=(data.val.x, data.val.y) if data.val else None,
        callbacks=[*watchers, *([checkpoint] if checkpoint else []), *callbacks],
        verbose=False,
    )
    best = stopping.best_epoch if stopping else len(history)
    return _trained(label, settings, model, history, data, best)


def _trained(label: str, settings: Any, model: Sequential, history: History, data: Dataset, best: int) -> Trained:
    steps = {name: np.asarray(values) for name, values in history.steps.items()}
    reason = history.stop_reason or ""
    return Trained(label, settings, model, history.epochs, steps, metrics_of(model, data), best, reason)


def metrics_of(model: Sequential, data: Dataset) -> dict[str, float]:
    """Loss and accuracy of each part of the data: train_loss, train_accuracy, val_loss, ..."""
    return {
        f"{part}_{name}": value
        for part, split in data.splits().items()
        for name, value in model.evaluate(split.x, split.y).items()
    }


def save_trained(path: Path, trained: Trained) -> None:
    """Keep a training that has ended, so that a command that is resumed need not repeat it."""
    assert trained.model is not None
    kept = {name: getattr(trained, name) for name in ("epochs", "steps", "metrics", "best_epoch", "stop_reason")}
    storage.save(path, trained.model.saved(kept | {"settings": json.dumps(plain(trained.settings))}))


def load_trained(path: Path, label: str, settings: Any) -> Trained | None:
    """What `save_trained` wrote; None if nothing did, or for other settings. FileFormatError if the file is damaged."""
    if not path.exists():
        return None
    model, kept = load_checkpoint(path)
    if json.loads(kept.pop("settings", "null")) != plain(settings):
        return None
    return Trained(label, settings, model, **kept)
