"""`fastnn train`: says what it works on, shows progress, and ends with the figures beside the report's."""

import contextlib
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from fastnn.callbacks.progress import ProgressBar, loss_text
from fastnn.data import Dataset
from fastnn.recipes.base import Recipe
from fastnn.recipes.runner import Outcome, run
from fastnn.threads import threads

PARTS = {"train": "training", "val": "validation", "test": "test"}


def train_and_report(
    recipe: Recipe,
    changes: dict[str, Any],
    data_path: Path | None,
    out: Path,
    thread_count: int | None,
    quick: bool,
    resume: bool,
    fresh: bool,
) -> None:
    """Run the recipe under the user's settings and print the outcome to stdout."""
    settings = recipe.with_settings(changes, quick)
    with threads(thread_count) if thread_count else contextlib.nullcontext():
        data = recipe.load(data_path, quick)
        click.echo(_announcement(recipe, data), err=True)
        outcome = run(recipe, settings, data, out, resume=resume, fresh=fresh, callbacks=[ProgressBar()])
    console = Console(highlight=False)
    console.print(_figures(outcome.summary, recipe))
    for line in _entropies(outcome.summary, data):
        console.print(line, soft_wrap=True)
    title, lines = outcome.closing
    console.print(f"\n[bold]{title}[/bold]")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print(f"\n{_ending(outcome)}", soft_wrap=True, markup=False)


def _announcement(recipe: Recipe, data: Dataset) -> str:
    source = "generated data (no --data given)" if data.meta["source"] == "generated" else str(data.meta["source"])
    sizes = ", ".join(f"{len(split):,} {PARTS[part]}" for part, split in data.splits().items())
    return f"{recipe.id}: {source}, {sizes} samples"


def _figures(summary: dict[str, Any], recipe: Recipe) -> Table:
    """Loss and accuracy of each part, beside what the report published."""
    title = f"{recipe.id}, best epoch {summary['best_epoch']} of {summary['epochs_run']}"
    table = Table(title=title, title_justify="left", caption="the report's figures are of its own data")
    for column in ("", "cross-entropy", "accuracy", "report's accuracy"):
        table.add_column(column, justify="left" if not column else "right")
    for part, label in PARTS.items():
        published = recipe.seed_figures.get(f"{part}_accuracy")
        loss, accuracy = (summary["metrics"][f"{part}_{name}"] for name in ("loss", "accuracy"))
        published_text = f"{100 * published:.2f} %" if published else ""
        table.add_row(label, loss_text(loss), f"{100 * accuracy:.2f} %", published_text)
    return table


def _entropies(summary: dict[str, Any], data: Dataset) -> list[str]:
    """What is known of the data's own uncertainty, beside the model's; nothing for data from a file."""
    true = summary["true_entropy"]
    if true is None:
        return []
    gap = summary["metrics"]["test_loss"] - true
    lines = [
        f"This data is generated, not the report's. Its true entropy: {true:.4f} nats; the model is {gap:.4f} above."
    ]
    if (bigram := data.meta.get("bigram_entropy")) is not None:
        lines.append(f"The best bigram model would reach {bigram:.4f}.")
    return lines


def _ending(outcome: Outcome) -> str:
    summary = outcome.summary
    why = f"stopped: {summary['stop_reason']}; " if summary["stop_reason"] else ""
    speed = f"{summary['seconds_per_epoch']:.2f} s an epoch, {summary['samples_per_second']:,.0f} samples/s"
    return (
        f"{why}{speed}, {summary['threads']} threads, {summary['peak_rss_mb']:.0f} MB at most\nwrote {outcome.folder}/"
    )
