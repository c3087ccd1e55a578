"""Runs a recipe from data to a folder, in the same way for all systems."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import NonFiniteError
from fastnn.data import Dataset
from fastnn.experiment import report
from fastnn.experiment.answering import answers_of
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.followers import announce
from fastnn.experiment.pictures import save_pictures
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.run_files import HISTORY, MODEL, read_summary
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.run_list import RunList, RunSpec
from fastnn.experiment.run_swap import is_whole
from fastnn.experiment.summaries import ending, opening
from fastnn.experiment.summary import Summary
from fastnn.experiment.train_one import ThrottledCheckpoint, load_run, save_run, train_one
from fastnn.models import Model
from fastnn.nn.optimizers import Optimizer
from fastnn.ranks.group import alone
from fastnn.training.callbacks import Callback


class Observer:
    """Its methods are called as each training begins and ends, to show progress. This one shows nothing.

    number : of the training, from 1. count : of all trainings.
    """

    def run_begins(self, number: int, count: int, run: RunSpec) -> list[Callback]:
        """Callbacks for `fit`. Not called for a training that had ended before an interruption."""
        return []

    def run_ended(self, number: int, count: int, result: RunResult) -> None:
        """Called after each training, also one that had ended before an interruption."""


@dataclass(frozen=True)
class Report:
    """A finished experiment for the user.

    summary  what the folder's summary.json holds
    folder   where its files are
    is_new   whether it was made now; False: `--resume` found it finished
    """

    summary: Summary
    folder: Path
    is_new: bool = True


def run(experiment: Experiment, folder: RunFolder, observer: Observer | None = None) -> Report:
    """Make the trainings of `experiment` and write model, history, pictures, report and summary into `folder`.

    A run that the folder holds finished is not made again where the folder is to be resumed. Raises what `build` and
    `fit` raise for the chosen run, and what `RunFolder.held` and `opened` raise. A run of a comparison that diverges is
    recorded as failed.
    """
    data = experiment.recipe.prepare(experiment.data, experiment.settings.dtype, experiment.settings)
    training = _Training(experiment, experiment.runs(), data, folder, observer or Observer())
    training.build_candidates()  # an error in the user's settings shows before any file is written
    with folder.held():
        if found := _finished_before(experiment, training.planned, folder):
            announce(None)
            return Report(found, folder.final, is_new=False)
        with folder.opened(experiment.config()):
            return _make(training, opening(experiment, training.data_of(candidate=True)), folder)


def _finished_before(experiment: Experiment, planned: RunList, folder: RunFolder) -> Summary | None:
    """The summary of these very trainings, if the folder holds them finished and `--resume` was given."""
    if not folder.resume or folder.goes_on or not is_whole(folder.final):
        return None
    found = read_summary(folder.final)
    was = found.ending.runs if found.ending else []
    trained = {run.run: run.config for run in was}
    wanted = {planned.runs[index].label: index for _, members in planned.groups for index in members.values()}
    is_same = trained == {label: asdict(planned.runs[index].settings) for label, index in wanted.items()}
    was_given = found.config, found.quick, found.best is not None
    is_same = is_same and was_given == (experiment.config(), experiment.quick, experiment.best)
    return found if is_same else None


def _make(training: "_Training", summary: Summary, folder: RunFolder) -> Report:
    folder.write_summary(summary)
    began = time.monotonic()
    try:
        training.run()
    except BaseException as error:
        status = "diverged" if isinstance(error, ArithmeticError) else "interrupted"
        folder.write_summary(replace(summary, status=status))
        raise
    announce(None)
    with alone():
        return _finish(training.recipe, training.result(), summary, folder, began)


class _Training:
    """The trainings of an experiment, one after the other; `results` holds those that have ended."""

    def __init__(self, experiment: Experiment, planned: RunList, data: Dataset, folder: RunFolder, observer: Observer):
        self.is_as_reported = experiment.is_as_reported
        self.recipe, self.planned, self.loaded, self.data = experiment.recipe, planned, experiment.data, data
        self.folder, self.observer = folder, observer
        self.results: list[RunResult] = []
        self._built: dict[str, tuple[Model, Optimizer]] = {}

    def build_candidates(self) -> None:
        for spec in self.planned.runs:
            if spec.candidate:
                self._built[spec.label] = self.recipe.build(spec.settings, self.data)

    def data_of(self, candidate: bool) -> Dataset:
        """What a training is given of the data: see `Recipe.tests_last`."""
        if not self.recipe.tests_last:
            return self.data
        return self.data.joined() if candidate else replace(self.data, test=None)

    def run(self) -> None:
        """Make those trainings that had not ended before an interruption; after each, history.csv has its epochs."""
        count = len(self.planned.runs)
        for index, spec in enumerate(self.planned.runs):
            path = self.folder.training_file(index)
            result = load_run(path, spec.label, spec.settings)
            if result is None:
                shown = self.observer.run_begins(index + 1, count, spec)
                result = self._train(index, spec, shown)
                if not result.failed:  # a resumed command repeats what failed
                    save_run(path, result)
            self.folder.checkpoint(index).unlink(missing_ok=True)
            self.results.append(result)
            self._write_history(several=count > 1)
            self.observer.run_ended(index + 1, count, result)

    def _train(self, index: int, spec: RunSpec, shown: list[Callback]) -> RunResult:
        callbacks = [*self.recipe.callbacks(spec.settings, self.folder.working, spec.candidate), *shown]
        # What lies there is of this training: a run that does not go on with another one has emptied the folder.
        checkpoint = ThrottledCheckpoint(self.folder.checkpoint(index), resume=True)
        built = self._built.pop(spec.label, None)
        announce(index)
        try:
            given: dict[str, Any] = {"callbacks": callbacks, "checkpoint": checkpoint, "built": built}
            return train_one(self.recipe, spec.label, spec.settings, self.data_of(spec.candidate), **given)
        except NonFiniteError as error:
            if spec.candidate:
                raise
            return RunResult(spec.label, spec.settings, failed=str(error))

    def _write_history(self, several: bool) -> None:
        """One line an epoch; with several trainings the first column, `run`, holds the training's label."""
        rows = [({"run": run.label} if several else {}) | epoch for run in self.results for epoch in run.epochs]
        write_rows(self.folder.working / HISTORY, rows)

    def result(self) -> ExperimentResult:
        groups = [
            (comparison, {label: self.results[index] for label, index in members.items()})
            for comparison, members in self.planned.groups
        ]
        candidates = [run for run, spec in zip(self.results, self.planned.runs, strict=True) if spec.candidate]
        chosen = min(candidates, key=_validation_loss)
        recipe, folder = self.recipe, self.folder.working
        given = recipe.id, recipe.keep, self.loaded, self.data, self.results, groups, chosen, folder
        return ExperimentResult(*given, recipe.published, self.is_as_reported)


def _validation_loss(run: RunResult) -> float:
    return run.metrics.get("val_loss", run.metrics["train_loss"])


def _finish(recipe: Recipe, result: ExperimentResult, summary: Summary, folder: RunFolder, began: float) -> Report:
    """Write the files of a finished run, and rename its folder to the final name.

    The summary says "finished" when all other files are there, and before that which pictures are the run's.
    """
    answers = answers_of(result, recipe.answers(result))
    summary = replace(summary, ending=ending(result, answers, time.monotonic() - began))
    folder.write_summary(summary)
    save_pictures(folder.working, [picture for answer in answers for picture in answer.pictures])
    recipe.usable(result.usable_model(), result.data).save(folder.working / MODEL)
    summary = replace(summary, status="finished")
    report.write(folder.working, summary, recipe.settings.zeros)
    folder.write_summary(summary)
    folder.finish()
    return Report(summary, folder.final)
