"""`fastnn train`: names the data, shows progress, and prints the figures beside those of the report."""

import contextlib
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fastnn.common.text import SPLITS, metric_text, percent
from fastnn.data import Dataset
from fastnn.engine.threads import threads
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import RunResult
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.run_list import RunSpec
from fastnn.experiment.runner import Experiment, Observer, Report, run
from fastnn.experiment.summary import ComparedRun, Ending, Spread, Summary
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.progress import ProgressBar


@dataclasses.dataclass(frozen=True)
class Request:
    """The user's flags: one field each; `changes` holds the settings that were given."""

    recipe: Recipe
    changes: dict[str, Any]
    data: Path | None
    out: Path
    threads: int | None = None
    quick: bool = False
    best: bool = False
    compare: str | None = None
    compare_epochs: int | None = None
    resume: bool = False
    fresh: bool = False

    def experiment(self) -> Experiment:
        """The work to do, with its data loaded. ValueError, DataError or FileFormatError for flags or data at fault."""
        recipe = self.recipe
        if self.compare_epochs:
            recipe = dataclasses.replace(recipe, compare_epochs=self.compare_epochs)
        settings = recipe.with_settings(self.changes, self.quick, self.best)
        ours = recipe.best.changes if self.best and recipe.best else {}
        comparisons = recipe.chosen_comparisons(self.compare, {*self.changes, *ours})
        data, announced = recipe.find(self.data, self.quick)
        limit = settings.epochs if "epochs" in self.changes else None
        command = shlex.join(["fastnn", *sys.argv[1:]]) if sys.argv[1:2] == ["train"] else ""
        return Experiment(recipe, settings, data, announced, comparisons, limit, self.quick, self.best, command)


class QuietBar(ProgressBar):
    """A progress bar without a line an epoch, for the runs of comparisons."""

    def on_epoch_end(self, run):
        pass


class Terminal(Observer):
    """Shows progress on stderr."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self._has_announced = False

    def run_begins(self, number: int, count: int, run: RunSpec) -> list[Callback]:
        if not self._has_announced:  # not before the first training begins: an error before that is the only line
            click.echo(_announcement(self.experiment), err=True)
            self._has_announced = True
        if count > 1:
            click.echo(f"run {number} of {count}: {run.label}", err=True)
        return [ProgressBar() if run.candidate else QuietBar()]

    def run_ended(self, number: int, count: int, result: RunResult) -> None:
        if count == 1:
            return
        figures = ", ".join(
            f"{SPLITS[split]} {percent(result.metrics[f'{split}_accuracy'])}"
            for split in SPLITS
            if f"{split}_accuracy" in result.metrics
        )
        click.echo(f"run {number} of {count}: {result.failed or f'accuracy {figures}'}", err=True)


def train_and_report(request: Request) -> None:
    """Train what the user asked for and print the figures to stdout."""
    folder = RunFolder(request.out, resume=request.resume, fresh=request.fresh)  # loading data may take minutes
    limited = threads(request.threads) if request.threads else contextlib.nullcontext()
    with limited, np.errstate(over="ignore"):  # an overflow becomes one line of error, not warnings
        experiment = request.experiment()
        report = run(experiment, folder, Terminal(experiment))
    _print(report, experiment)


def _announcement(experiment: Experiment) -> str:
    sizes = ", ".join(f"{len(split):,} {SPLITS[name]}" for name, split in experiment.data.splits().items())
    return f"{experiment.recipe.id}: {experiment.announced}, {sizes} samples"


def _print(report: Report, experiment: Experiment) -> None:
    console, summary, ending = Console(highlight=False), report.summary, report.summary.ending
    assert ending is not None, "a report is of a finished run"
    _print_table(console, _title(ending, experiment.recipe), _figures(ending, experiment.recipe))
    for name, runs in ending.comparisons().items():
        _print_table(console, runs[0].question, _comparison(runs, ending.spreads.get(name, {})))
    if summary.is_generated:
        console.print("These data are generated, not those of the course report.", soft_wrap=True)
    for line in _entropies(summary.true_entropy, ending, experiment.data):
        console.print(line, soft_wrap=True)
    for title, lines in report.closing:
        console.print(f"\n[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", soft_wrap=True, markup=False)
    where = f"wrote {report.folder}/" if report.is_new else f"{report.folder}/ had it; --fresh trains it again"
    console.print(f"\n{_cost(summary, ending)}\n{where}", soft_wrap=True, markup=False)


def _print_table(console: Console, title: str, table: Table) -> None:
    """The title as a line of its own: in the table it would break at the table's width."""
    console.print(f"\n[bold]{escape(title)}[/bold]", soft_wrap=True)
    console.print(table)


def _title(ending: Ending, recipe: Recipe) -> str:
    if recipe.keep == "":
        return f"{recipe.id} after epoch {ending.epochs_run}, evaluated with its final weights"
    return f"{recipe.id}, best epoch {ending.best_epoch} of {ending.epochs_run}"


def _figures(ending: Ending, recipe: Recipe) -> Table:
    """Loss and metrics on each split, beside the published accuracies if there are any."""
    compared = any(name.endswith("accuracy") for name in recipe.seed_figures)
    names = list(dict.fromkeys(name.partition("_")[2] for name in ending.metrics))
    table = Table(caption="published figures are of the course report's own data" if compared else None)
    for column in ("", *names, *(["published accuracy"] if compared else [])):
        table.add_column(column.replace("_", " "), justify="left" if not column else "right")
    for split, label in SPLITS.items():
        if f"{split}_loss" in ending.metrics:
            figures = [metric_text(name, ending.metrics[f"{split}_{name}"]) for name in names]
            published = recipe.seed_figures.get(f"{split}_accuracy")
            table.add_row(label, *figures, *([percent(published) if published else ""] if compared else []))
    return table


def _comparison(runs: list[ComparedRun], spread: dict[str, Spread]) -> Table:
    """Accuracies of each run of a comparison; mean and deviation where the runs differ by chance only."""
    names = [f"{split}_accuracy" for split in SPLITS]
    names = [name for name in names if any(name in row.metrics for row in runs)]
    table = Table()
    for column in ("run", *(SPLITS[name.partition("_")[0]] for name in names)):
        table.add_column(column, justify="left" if column == "run" else "right")
    for row in runs:
        figures = [row.metrics.get(name) for name in names]
        table.add_row(row.label, *("failed" if figure is None else percent(figure) for figure in figures))
    if spread:
        table.add_row("mean ± deviation", *(_spread_text(spread[name]) for name in names))
    return table


def _spread_text(spread: Spread) -> str:
    return f"{100 * spread.mean:.2f} ± {percent(spread.deviation)}"


def _entropies(true: float | None, ending: Ending, data: Dataset) -> list[str]:
    """The model's test loss beside the entropy of the data; [] where that is not known."""
    if true is None:
        return []
    gap = ending.metrics["test_loss"] - true
    lines = [f"Its true entropy: {true:.4f} nats; the model is {gap:.4f} above."]
    if (bigram := data.meta.get("bigram_entropy")) is not None:
        lines.append(f"The best bigram model would reach {bigram:.4f}.")
    return lines


def _cost(summary: Summary, ending: Ending) -> str:
    """Why the training ended early, if it did; time, threads and memory."""
    why = f"stopped: {ending.stop_reason}; " if ending.stop_reason else ""
    speed = f"{ending.seconds_per_epoch:.3g} s an epoch, {ending.samples_per_second:,.0f} samples/s"
    return f"{why}{speed}, {summary.threads} threads, {ending.peak_rss_mb:.0f} MB at most"
