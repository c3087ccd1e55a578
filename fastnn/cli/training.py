"""`fastnn train`: says what it works on, shows progress, and ends with the figures beside the report's."""

import contextlib
import dataclasses
import functools
import shlex
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from fastnn.common.text import SPLITS, loss_text, percent
from fastnn.data import Dataset
from fastnn.engine.threads import threads
from fastnn.experiment.lineup import Entry
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import Trained
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.runner import Order, Outcome, run
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.progress import ProgressBar


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asked for: one field a flag; `changes` holds the settings that were given."""

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

    def order(self) -> Order:
        """The work to do, data loaded. ValueError, DataError and FileFormatError for what does not make sense."""
        recipe = self.recipe
        if self.compare_epochs:
            recipe = dataclasses.replace(recipe, compare_epochs=self.compare_epochs)
        settings = recipe.with_settings(self.changes, self.quick, self.best)
        ours = recipe.best.changes if self.best and recipe.best else {}
        comparisons = recipe.chosen_comparisons(self.compare, {*self.changes, *ours})
        data, announced = recipe.find(self.data, self.quick)
        limit = settings.epochs if "epochs" in self.changes else None
        command = shlex.join(["fastnn", *sys.argv[1:]]) if sys.argv[1:2] == ["train"] else ""
        return Order(recipe, settings, data, announced, comparisons, limit, self.quick, self.best, command)


class QuietBar(ProgressBar):
    """The bar without a line an epoch: for the runs of comparisons, of which there are many."""

    def on_epoch_end(self, run):
        pass


def train_and_report(request: Request) -> None:
    """Run the recipe under the user's settings and print the outcome to stdout."""
    folder = RunFolder(request.out)
    folder.check(resume=request.resume, fresh=request.fresh)  # before minutes may pass with data
    limited = threads(request.threads) if request.threads else contextlib.nullcontext()
    with limited, folder.or_nothing(), np.errstate(over="ignore"):  # what overflows ends in one line, not in warnings
        order = request.order()
        announce = functools.cache(lambda: click.echo(_announcement(order), err=True))

        def watch(number: int, count: int, entry: Entry) -> list[Callback]:
            announce()  # not before: an error is the only line
            return _watch(number, count, entry)

        outcome = run(order, request.out, resume=request.resume, fresh=request.fresh, watch=watch, tell=_tell)
    _print(outcome, order)


def _announcement(order: Order) -> str:
    data = order.data
    sizes = ", ".join(f"{len(split):,} {SPLITS[part]}" for part, split in data.splits().items())
    return f"{order.recipe.id}: {order.announced}, {sizes} samples"


def _watch(number: int, count: int, entry: Entry) -> list[Callback]:
    if count > 1:
        click.echo(f"run {number} of {count}: {entry.label}", err=True)
    return [ProgressBar() if entry.candidate else QuietBar()]


def _tell(number: int, count: int, trained: Trained) -> None:
    if count == 1:
        return
    figures = ", ".join(
        f"{SPLITS[part]} {percent(trained.metrics[f'{part}_accuracy'])}"
        for part in SPLITS
        if f"{part}_accuracy" in trained.metrics
    )
    click.echo(f"run {number} of {count}: {trained.failed or f'accuracy {figures}'}", err=True)


def _print(outcome: Outcome, order: Order) -> None:
    console, summary = Console(highlight=False), outcome.summary
    console.print(_figures(summary, order.recipe))
    for table in _comparisons(summary, order):
        console.print(table)
    if summary["data"] == "generated":
        console.print("This data is generated, not the report's.", soft_wrap=True)
    for line in _entropies(summary, order.data):
        console.print(line, soft_wrap=True)
    for title, lines in outcome.closing:
        console.print(f"\n[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print(f"\n{_ending(outcome)}", soft_wrap=True, markup=False)


def _figures(summary: dict[str, Any], recipe: Recipe) -> Table:
    """Loss and accuracy of each part, beside what the report published."""
    title = f"{recipe.id}, best epoch {summary['best_epoch']} of {summary['epochs_run']}"
    if recipe.keep == "":
        title = f"{recipe.id} after epoch {summary['epochs_run']}"
    table = Table(title=title, title_justify="left", caption="the report's figures are of its own data")
    for column in ("", "loss", "accuracy", "report's accuracy"):
        table.add_column(column, justify="left" if not column else "right")
    for part, label in SPLITS.items():
        if f"{part}_loss" in summary["metrics"]:
            published = recipe.seed_figures.get(f"{part}_accuracy")
            loss, accuracy = (summary["metrics"][f"{part}_{name}"] for name in ("loss", "accuracy"))
            published_text = percent(published) if published else ""
            table.add_row(label, loss_text(loss), percent(accuracy), published_text)
    return table


def _comparisons(summary: dict[str, Any], order: Order) -> list[Table]:
    """A table for each comparison: accuracies of each run; mean and deviation where runs differ by chance."""
    tables = []
    for comparison in [*order.lineup().groups]:
        question, name = comparison[0].question, comparison[0].name
        rows = [row for row in summary["runs"] if row["comparison"] == name]
        parts = [part for part in SPLITS if any(f"{part}_accuracy" in row["metrics"] for row in rows)]
        table = Table(title=question, title_justify="left")
        for column in ("run", *(SPLITS[part] for part in parts)):
            table.add_column(column, justify="left" if column == "run" else "right")
        for row in rows:
            figures = [row["metrics"].get(f"{part}_accuracy") for part in parts]
            table.add_row(row["label"], *("failed" if figure is None else percent(figure) for figure in figures))
        if spread := summary["spreads"].get(name):
            table.add_row("mean ± deviation", *(_spread(spread[f"{part}_accuracy"]) for part in parts))
        tables.append(table)
    return tables


def _spread(figures: list[float]) -> str:
    return f"{100 * figures[0]:.2f} ± {percent(figures[1])}"


def _entropies(summary: dict[str, Any], data: Dataset) -> list[str]:
    """What is known of the data's own uncertainty, beside the model's; nothing where it is not known."""
    true = summary["true_entropy"]
    if true is None:
        return []
    gap = summary["metrics"]["test_loss"] - true
    lines = [f"Its true entropy: {true:.4f} nats; the model is {gap:.4f} above."]
    if (bigram := data.meta.get("bigram_entropy")) is not None:
        lines.append(f"The best bigram model would reach {bigram:.4f}.")
    return lines


def _ending(outcome: Outcome) -> str:
    summary = outcome.summary
    why = f"stopped: {summary['stop_reason']}; " if summary["stop_reason"] else ""
    speed = f"{summary['seconds_per_epoch']:.3g} s an epoch, {summary['samples_per_second']:,.0f} samples/s"
    return (
        f"{why}{speed}, {summary['threads']} threads, {summary['peak_rss_mb']:.0f} MB at most\nwrote {outcome.folder}/"
    )
