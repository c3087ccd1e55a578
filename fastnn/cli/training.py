"""`fastnn train`: names the data, shows progress, and prints the figures beside those of the report."""

import dataclasses
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from fastnn.cli.output import wrapped
from fastnn.cli.systems import limited
from fastnn.common.errors import FastnnError
from fastnn.common.text import SPLITS, bytes_text, figure_text, metric_name, plural, seconds_text, speed_text
from fastnn.experiment import answers
from fastnn.experiment.answers import Answer, for_people, texts
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.followers import follow
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.report import NAME as PAGE
from fastnn.experiment.results import RunResult
from fastnn.experiment.run_folder import RunFolder
from fastnn.experiment.run_list import RunSpec
from fastnn.experiment.runner import Observer, Report, run
from fastnn.experiment.settings import in_words
from fastnn.experiment.summary import Ending, Summary
from fastnn.ranks.group import started
from fastnn.training.callbacks import Callback
from fastnn.training.callbacks.progress import ProgressBar

LARGE = 10_000_000  # bytes of files that take a second or more to read


@dataclasses.dataclass(frozen=True)
class Request:
    """The user's flags: one field each; `changes` holds the settings that were given."""

    recipe: Recipe
    changes: dict[str, Any]
    data: Path | tuple[Path, ...] | None
    out: Path
    threads: int | None = None
    quick: bool = False
    best: bool = False
    compare: str | None = None
    compare_epochs: int | None = None
    resume: bool = False
    fresh: bool = False
    as_json: bool = False
    quiet: bool = False
    distributed: bool = False
    sync_every: int | None = None

    def experiment(self) -> Experiment:
        """The work to do, with its data loaded. ValueError, DataError or FileFormatError for flags or data at fault."""
        recipe = self.recipe.suited(self.recipe, self.data, self.changes)
        if self.compare_epochs:
            recipe = dataclasses.replace(recipe, compare_epochs=self.compare_epochs)
        settings = recipe.with_settings(self.changes, self.quick, self.best)
        ours = recipe.best.changes if self.best and recipe.best else {}
        comparisons = recipe.chosen_comparisons(self.compare, {*self.changes, *ours}, self.quick)
        data, announced = recipe.find(self.data, self.quick, settings)
        settings = recipe.adapted(settings, data, {*self.changes, *ours})
        limit = settings.epochs if "epochs" in self.changes else None
        command = shlex.join(["fastnn", *sys.argv[1:]]) if sys.argv[1:2] == ["train"] else ""
        return Experiment(recipe, settings, data, announced, comparisons, limit, self.quick, self.best, command)


class QuietBar(ProgressBar):
    """A progress bar without a line an epoch, for the runs of comparisons."""

    def on_epoch_end(self, run):
        pass


OUTCOMES = ("accuracy", "r2", "loss")  # a finished run is told by the first of these that it has


class Terminal(Observer):
    """Shows progress on stderr."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self._has_announced = False

    def run_begins(self, number: int, count: int, run: RunSpec) -> list[Callback]:
        if not self._has_announced:  # not before the first training begins: an error before that is the only line
            for line in _announcement(self.experiment).splitlines():
                click.echo(wrapped(line, stream=sys.stderr), err=True)
            self._has_announced = True
        if count > 1:
            click.echo(f"run {number} of {count}: {run.label}", err=True)
        return [ProgressBar() if run.candidate else QuietBar()]

    def run_ended(self, number: int, count: int, result: RunResult) -> None:
        if count == 1:
            return
        click.echo(f"run {number} of {count}: {result.failed or _outcome(result.metrics)}", err=True)


def _outcome(metrics: Mapping[str, float]) -> str:
    """The accuracy on each split; R² of a regression, or else the loss."""
    known = {one: {split: f"{split}_{one}" for split in SPLITS if f"{split}_{one}" in metrics} for one in OUTCOMES}
    name = next((one for one in OUTCOMES if known[one]), OUTCOMES[0])
    figures = [f"{SPLITS[split]} {figure_text(own, metrics[own])}" for split, own in known[name].items()]
    return f"{metric_name(name)} {', '.join(figures)}"


def train_and_report(request: Request) -> None:
    """Train what the user asked for and print the figures to stdout; of several ranks, rank 0 prints them."""
    if not request.distributed:
        if request.sync_every:
            raise ValueError("--sync-every is for --distributed: give both")
        _train_and_report(request)
        return
    with started("--distributed", request.sync_every or 1, _told) as group:
        if group.rank == 0:
            _train_and_report(request)
            return
        try:
            with limited(request.threads):
                follow(request.experiment())
        except BaseException as error:
            if error is not group.agreed:
                raise  # what all ranks end by, rank 0 tells


def _told(error: BaseException) -> int:
    """Print an error of one rank as a line; the exit status."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return 143 if isinstance(error, SystemExit) else 130
    click.echo(f"fastnn: {' '.join(str(error).split())}", err=True)
    return 2 if isinstance(error, FastnnError | ValueError | TypeError | OSError | MemoryError) else 1


def _train_and_report(request: Request) -> None:
    folder = RunFolder(request.out, resume=request.resume, fresh=request.fresh)  # loading data may take minutes
    if not request.quiet:
        _tell_of_reading(request.data)
    with limited(request.threads):
        experiment = request.experiment()
        report = run(experiment, folder, Observer() if request.quiet else Terminal(experiment))
    if request.as_json:
        click.echo(json.dumps(report.summary.to_json(), ensure_ascii=False))
    elif request.quiet:
        click.echo(report.folder / PAGE)
    else:
        _print(report)


def _tell_of_reading(data: Path | tuple[Path, ...] | None) -> None:
    """A line on stderr before large files are read, which takes a while."""
    files = [path for path in (data if isinstance(data, tuple) else (data,)) if path is not None and path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if size >= LARGE:
        click.echo(f"reading {', '.join(path.name for path in files)}, {bytes_text(size)} ...", err=True)


def _announcement(experiment: Experiment) -> str:
    sizes = {name: f"{len(split):,}" for name, split in experiment.data.splits().items()}
    if 0 < experiment.settings.samples < len(experiment.data.train):
        sizes["train"] = f"{experiment.settings.samples:,} of {sizes['train']}"
    told = ", ".join(f"{size} {SPLITS[name]}" for name, size in sizes.items())
    line = f"{experiment.recipe.id}: {experiment.announced}, {told} samples"
    shown = {name: getattr(experiment.settings, name) for name in experiment.recipe.shown}
    return f"{line}\nsettings: {in_words(shown)}" if shown else line


def _print(report: Report) -> None:
    console, summary, ending = Console(highlight=False), report.summary, report.summary.ending
    assert ending is not None, "a report is of a finished run"
    for found in ending.answers:
        _print_answer(console, for_people(found))
    if summary.is_generated:
        console.print("\nThese data are generated, not those of the course report.", soft_wrap=True)
    where = f"wrote {report.folder}/" if report.is_new else f"{report.folder}/ had it; --fresh trains it again"
    console.print(f"\n{_cost(summary, ending)}\n{where}", soft_wrap=True, markup=False)
    page = report.folder / PAGE
    linked = Text(str(page), style=Style(link=page.resolve().as_uri()))  # a link where the terminal knows links
    console.print(Text.assemble("open ", linked, " in a browser: all this with its pictures"), soft_wrap=True)


LABEL = 18  # characters of a row's label that are kept on one line where a table is as wide as the terminal
NARROW = 8  # characters that a label needs at least, for figures to stay on one line


def _print_answer(console: Console, answer: Answer) -> None:
    """The question, its tables but for those of details, what they say, and what the report says.

    Nothing of an answer that has only details and pictures: the page shows them.
    """
    tables = [table for table in answer.tables if not table.is_detail and any(row.here for row in table.rows)]
    if not (tables or answer.lines or answer.report):
        return
    # The title is a line of its own: in the table it would break at the table's width.
    console.print(f"\n[bold]{escape(answer.question)}[/bold]")
    for table in tables:
        console.print(_table(table, console.width))
    for line in answer.lines:
        console.print(line, markup=False)
    if answer.report:
        console.print(f"The report: {answer.report}", markup=False)


def _table(table: answers.Table, width: int) -> Table:
    """A table of at most `width` characters: labels and headings break into lines, figures do not."""
    header, rows = texts(table, only_made=True)
    shown = Table(title=escape(table.title) or None, title_justify="left", title_style="")
    label, *figures = (max((len(row[number]) for row in rows), default=0) for number in range(len(header)))
    room = width - 1 - sum(figures) - 3 * len(header)  # for the label; a column has two spaces and a line
    fits = room >= NARROW
    is_short = label <= min(LABEL, room)  # such a label stays on one line
    shown.add_column(header[0], overflow="fold", no_wrap=is_short, max_width=room if fits else None)
    for name, least in zip(header[1:], figures, strict=True):
        shown.add_column(name, justify="right", overflow="fold", min_width=least if fits else None)
    for row in rows:
        shown.add_row(*map(escape, row))
    return shown


def _cost(summary: Summary, ending: Ending) -> str:
    """Why the training ended early, if it did; time, threads and memory."""
    is_told = any(str(ending.stop_reason) in line for answer in ending.answers for line in answer["lines"])
    why = f"stopped: {ending.stop_reason}; " if ending.stop_reason and not is_told else ""
    speed = speed_text(ending.samples_per_second or 0, ending.tokens_of_samples)
    taken = f"{seconds_text(ending.seconds_per_epoch or 0)} an epoch, {speed}"
    threads = f", {plural(summary.threads, 'thread')}" if summary.threads else ""
    return f"{why}{taken}{threads}, peak memory {ending.peak_rss_mb:,.0f} MB"
