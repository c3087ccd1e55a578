"""Trains one set of settings, for a run of a command and for a trial of a sweep."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from fastnn.common.errors import FileFormatError
from fastnn.common.hdf5 import hdf5_errors
from fastnn.data import Dataset, Split
from fastnn.data.source import Source, source_of
from fastnn.experiment.recipe import Recipe, first_held_out
from fastnn.experiment.results import RunResult
from fastnn.loading import load_checkpoint
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.training.callbacks import Callback, Checkpoint, EarlyStopping
from fastnn.training.history import History
from fastnn.training.models import storage
from fastnn.training.passes.evaluation import figures_of

# Writing a checkpoint may take longer than a short epoch. Checkpoints may take this fraction of the time.
CHECKPOINT_FRACTION = 0.1

# Fields of a RunResult that are saved with the model of a training that has ended.
SAVED = {"epochs": list, "steps": dict, "before": dict, "metrics": dict, "best_epoch": int, "stop_reason": str}


class ThrottledCheckpoint(Checkpoint):
    """A Checkpoint that skips epochs where writing would take more than a tenth of the time; never the first one."""

    def __init__(self, path: str | Path, *, resume: bool = False):
        super().__init__(path, resume=resume)
        self._not_before = 0.0

    def on_epoch_end(self, run):
        begin = time.monotonic()
        if begin < self._not_before:
            return
        super().on_epoch_end(run)
        end = time.monotonic()
        self._not_before = end + (end - begin) / CHECKPOINT_FRACTION


class AfterEachEpoch(Callback):
    """Adds the loss and metrics of further splits to each epoch, evaluated after it: test_loss, test_accuracy, …

    train_until : the training set is evaluated up to this epoch; 0: after each
    """

    def __init__(self, data: Dataset, splits: Iterable[str], train_until: int = 0):
        self.splits = {name: split for name, split in data.splits().items() if name in splits}
        self.train_until = train_until
        self._sources: dict[str, Source] = {}  # checked once: looking for NaN in 600 MB takes as long as 100 steps

    def on_epoch_end(self, run):
        for prefix, split in self.splits.items():
            if prefix == "train" and run.epoch > self.train_until > 0:
                continue
            if prefix not in self._sources:
                self._sources[prefix] = source_of(run.model.expected, split.x, split.y)
            metrics = run.model.evaluate_source(self._sources[prefix])
            run.logs |= {f"{prefix}_{name}": value for name, value in metrics.items()}


def fewer_samples(data: Dataset, count: int) -> Dataset:
    """The data with `count` of the training samples, always the same ones; all of them if `count` is 0 or not less."""
    if not count or count >= len(data.train):
        return data
    return Dataset(data.train.drawn(count), data.val, data.test, data.meta)


def stopping_of(recipe: Recipe, settings: Any) -> EarlyStopping | None:
    """The callback that keeps the best weights, and ends a training whose settings have `patience` or `max_gap`."""
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
    checkpoint: ThrottledCheckpoint | None = None,
    built: tuple[Model, Optimizer] | None = None,
) -> RunResult:
    """Train a model on prepared data.

    built : the model and optimizer that the recipe's `build` made for these settings; None: it is called here.
    Raises what `build` and `fit` raise: NonFiniteError for a training that diverged.
    """
    data = fewer_samples(data, settings.samples)
    model, optimizer = built or recipe.build(settings, data)
    stopping = stopping_of(recipe, settings)
    measured = first_held_out(fewer_samples(data, recipe.measured_on(data)), recipe.judged)
    given = recipe.fit_arguments(settings, data.train)
    before = {} if recipe.measured else metrics_of(model, measured, by_class=given.get("class_weight"))
    evaluating = AfterEachEpoch(measured, recipe.after_epoch, recipe.train_until)
    watching = [callback for callback in (stopping, evaluating, checkpoint) if callback is not None]
    history = fit(recipe, model, optimizer, settings, data, given, [*watching, *callbacks])
    kept = stopping.best_epoch if stopping else len(history)
    recipe.trained(model, data)
    known = _of_epoch(history, kept, recipe, data, measured)
    return RunResult(
        label,
        settings,
        model,
        epochs=history.epochs,
        steps={name: np.asarray(values) for name, values in history.steps.items()},
        before=before,
        metrics=metrics_of(model, measured, known),
        best_epoch=kept,
        stop_reason=history.stop_reason or "",
    )


def _validation(data: Dataset, count: int, by_class: Mapping[int, float] | None) -> tuple[Any, ...] | None:
    """x and y that a training is validated on after each epoch: `count` samples; all of them if it is 0.

    by_class : weights of the classes in training, {label: weight}: the samples are weighed by them, too, so that the
               loss by which the best epoch is found is the one that is trained on
    """
    if data.val is None:
        return None
    val = data.val.drawn(count) if 0 < count < len(data.val) else data.val
    return (val.x, val.y) if by_class is None else (val.x, val.y, _weights(val, by_class))


def _weights(split: Split, by_class: Mapping[int, float]) -> np.ndarray:
    """The weight of each sample (N,) by its class; 1 for a class that has none."""
    return np.array([by_class.get(label, 1.0) for label in split.y])


def fit(
    recipe: Recipe,
    model: Model,
    optimizer: Optimizer,
    settings: Any,
    data: Dataset,
    given: Mapping[str, Any],
    callbacks: list[Callback],
) -> History:
    """The training itself. given : what the recipe's `fit_arguments` gives"""
    return model.fit(
        **given,
        optimizer=optimizer,
        epochs=settings.epochs,
        validation_data=_validation(data, recipe.measured, given.get("class_weight")),
        callbacks=callbacks,
        verbose=False,
    )


def _of_epoch(history: History, epoch: int, recipe: Recipe, data: Dataset, measured: Dataset) -> dict[str, float]:
    """The figures that the history has of the kept weights, on the splits that a training is measured on.

    None where the recipe completes the model after its last epoch.
    """
    if recipe.trained is not Recipe.trained:
        return {}
    found = next((entry for entry in history.epochs if entry["epoch"] == epoch), {})
    validated = not recipe.measured and measured.val is data.val
    return {name: value for name, value in found.items() if validated or not name.startswith("val_")}


def metrics_of(
    model: Model,
    data: Dataset,
    known: Mapping[str, float] = MappingProxyType({}),
    by_class: Mapping[int, float] | None = None,
) -> dict[str, float]:
    """Loss and metrics on each split: train_loss, train_accuracy, val_loss, ...

    known    : figures of these splits; one of which all are known is not evaluated again
    by_class : weights of the classes in training, by which training and validation samples count here, too; None: all
               samples count alike
    """
    found: dict[str, float] = {}
    for prefix, split in data.splits().items():
        names = [f"{prefix}_{name}" for name in figures_of(model.network.outputs)]
        if not all(name in known for name in names):
            weights = None if by_class is None or prefix == "test" else _weights(split, by_class)
            figures = model.evaluate(split.x, split.y, sample_weight=weights)
            found |= {f"{prefix}_{name}": value for name, value in figures.items()}
        else:
            found |= {name: known[name] for name in names}
    return found


def save_run(path: Path, run: RunResult) -> None:
    """Save a training that has ended, so that a resumed command need not repeat it."""
    assert run.model is not None
    saved = {name: getattr(run, name) for name in SAVED}
    storage.save(path, run.model.saved(saved | {"settings": json.dumps(asdict(run.settings))}))


def load_run(path: Path, label: str, settings: Any) -> RunResult | None:
    """The training that `save_run` wrote; None if there is no file, or one of other settings.

    FileFormatError if the file is damaged.
    """
    if not path.exists():
        return None
    model, saved = load_checkpoint(path)
    with hdf5_errors(f"{path}: cannot be read as a training that has ended", passing=FileFormatError):
        if json.loads(saved.pop("settings", "null")) != asdict(settings):
            return None
        _check_saved(saved)
        return RunResult(label, settings, model, **saved)


def _check_saved(saved: dict[str, Any]) -> None:
    """TypeError or KeyError unless these are fields that `save_run` wrote."""
    for name, value in saved.items():
        if type(value) is not SAVED[name]:
            raise TypeError(f"{name} is {value!r:.60}, expected {SAVED[name].__name__}")
    figures = [figure for epoch in saved["epochs"] for figure in _numbers(epoch)]
    figures += _numbers(saved["metrics"]) + _numbers(saved.get("before", {}))
    steps = saved["steps"].values()
    if not all(isinstance(values, np.ndarray) and values.dtype == float and values.ndim == 1 for values in steps):
        raise TypeError("its history by step is no arrays of numbers")
    if not all(isinstance(figure, (int, float, np.ndarray)) for figure in figures):
        raise TypeError("its history or its metrics hold what is no number")


def _numbers(figures: Any) -> list[Any]:
    if not isinstance(figures, dict):
        raise TypeError(f"an epoch of its history is {figures!r:.60}, expected figures by name")
    return list(figures.values())
