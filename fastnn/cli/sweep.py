"""`fastnn sweep`: trains a system over a grid of settings, with a live table, a CSV file and a picture."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from fastnn.cli.settings import options_of, setting_from_text, texts_of
from fastnn.cli.sweep_file import command_of_file
from fastnn.cli.sweep_output import draw, judged_metric, table_of
from fastnn.cli.systems import SystemsGroup
from fastnn.common.text import metric_text
from fastnn.engine.threads import threads
from fastnn.experiment import executors
from fastnn.experiment.executors import Executor
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.sweep import Grid, Sweep
from fastnn.recipes import ALL, worker
from fastnn.search.folder import PICTURE, TABLE, held
from fastnn.search.space import Axis, Between


class _Systems(SystemsGroup):
    """The systems, and any file of Python that builds a model."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command_of_file(cmd_name) if ".py" in cmd_name else super().get_command(ctx, cmd_name)


@click.group(
    cls=_Systems,
    subcommand_metavar="SYSTEM|FILE.py --grid NAME=VALUE,VALUE [OPTIONS]",
    short_help="Train with every combination of settings.",
)
def sweep() -> None:
    """Train a system, or a model of your own, with every combination of settings; a trial that is in the table is not
    trained again. `fastnn sweep FILE.py --help` says what the file holds.

    The folder gets sweep.csv, a line a trial, and sweep.png: lines for one setting, a map for two, dots with --random.
    """


def _sweep_command(recipe: Recipe) -> click.Command:
    def command(grid, random, data, out, jobs, scheduler, threads, quick, fresh, **given):
        base = {name: value for name, value in given.items() if value is not None}
        axes = axes_of(recipe, grid, is_random=bool(random))
        if scheduler and (jobs > 1 or threads):
            raise ValueError(
                "--scheduler leaves jobs and threads to the cluster's workers: expected no --jobs, --threads"
            )
        executor_for = functools.partial(_executor, jobs, scheduler)
        out = out or Path("sweeps") / recipe.id
        sweep_and_report(Grid(recipe, axes, base, quick, random or 0), data, out, executor_for, threads, fresh)

    parameters = [*_sweep_options(recipe), *options_of(recipe.settings)]
    return click.Command(recipe.id, callback=command, params=parameters, help=recipe.title, short_help=recipe.title)


def _sweep_options(recipe: Recipe) -> list[click.Parameter]:
    """The options that are not settings."""
    help_of_grid = "setting=value,value,...; again for a further axis; separate values that hold commas by ;"
    help_of_random = "trials to draw from the grid instead of all; then a setting may have a range, too: lr=0.01..0.5"
    return [
        click.Option(["--grid"], multiple=True, required=True, help=help_of_grid),
        click.Option(["--random"], type=click.IntRange(min=1), help=help_of_random),
        click.Option(
            ["--data"], type=click.Path(path_type=Path), help="the data's file or folder  [default: generated]"
        ),
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the folder  [default: sweeps/{recipe.id}]"),
        click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="processes at once  [default: 1]"),
        click.Option(["--scheduler"], help="address of a Dask scheduler whose workers train instead: tcp://host:8786"),
        click.Option(["--threads"], type=click.IntRange(min=1), help="threads of all together  [default: all]"),
        click.Option(["--quick"], is_flag=True, help="less data and fewer epochs"),
        click.Option(["--fresh"], is_flag=True, help="forget what the folder's sweep.csv holds"),
    ]


def _executor(jobs: int, scheduler: str | None, thread_count: int) -> Executor:
    if scheduler:
        return functools.partial(executors.on_cluster, train=worker.train, address=scheduler)
    if jobs == 1:
        return functools.partial(executors.in_this_process, thread_count=thread_count)
    threads_each = max(1, thread_count // jobs)
    return functools.partial(executors.in_processes, train=worker.train, jobs=jobs, threads_each=threads_each)


def axes_of(recipe: Recipe, grid: tuple[str, ...], is_random: bool = False) -> dict[str, Axis]:
    """Axes from texts such as "lr=0.05,0.15": setting -> values; with `is_random` also "lr=0.01..0.5".

    ValueError for a text that describes none.
    """
    axes: dict[str, Axis] = {}
    for name, texts in texts_of(grid).items():
        if name in recipe.read_by:
            raise ValueError(
                f"--grid has {name}, by which the data are read once for all trials: give --{name} instead"
            )
        axes[name] = (
            _range(recipe, name, texts[0], is_random)
            if len(texts) == 1 and ".." in texts[0] and not isinstance(getattr(recipe.settings, name, ""), str)
            else list(dict.fromkeys(setting_from_text(recipe.settings, name, value) for value in texts))
        )
    return axes


def _range(recipe: Recipe, name: str, text: str, is_random: bool) -> Between:
    """The range that a text such as 0.01..0.5 spells. ValueError for another text, or where nothing is drawn."""
    ends = [setting_from_text(recipe.settings, name, end) for end in text.split("..", 1)]
    if not is_random:
        raise ValueError(f"--grid {name} is the range {text}, expected --random and the number of trials to draw")
    return Between(*ends)


def sweep_and_report(
    grid: Grid,
    path: Path | None,
    out: Path,
    executor_for: Callable[[int], Executor],
    thread_count: int | None,
    fresh: bool,
) -> None:
    """Run the sweep; the table goes to stdout, sweep.csv and the picture into the folder `out`.

    executor_for : number of threads -> what trains the trials
    thread_count : of all trials together; None: all threads

    Raises DataError, or NonFiniteError for divergence, if no trial succeeded.
    """
    import numba

    grid = replace(grid, recipe=grid.recipe.suited(grid.recipe, path, grid.base))
    trials = grid.trials()  # a value out of range is an error before data are loaded or folders made
    with threads(thread_count) if thread_count else contextlib.nullcontext(), np.errstate(over="ignore"):
        data, announced = grid.recipe.find(path, grid.quick, trials[0])
        with held(out):
            work = Sweep(grid, out, data, path, fresh=fresh)
            _train(work, announced, executor_for(numba.get_num_threads()))
            _print_and_draw(work)
    _fail_if_nothing_succeeded(work)


def _train(work: Sweep, announced: str, executor: Executor) -> None:
    count = len(work.trials)
    done = count - len(work.waiting)
    click.echo(f"{work.grid.recipe.id}: {announced}; {count} trials, {done} of them done", err=True)
    with _progress(work) as on_trial_end:
        work.run(executor, on_trial_end)


def _print_and_draw(work: Sweep) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(table_of(work, console.width))
    draw(work)
    click.echo(f"wrote {work.folder / TABLE} and {work.folder / PICTURE}")


@contextlib.contextmanager
def _progress(work: Sweep) -> Iterator[Callable[[int], None]]:
    """Yields a function to call after each trial: it updates a table on stderr; without a terminal it prints a line."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda number: click.echo(_line(work, number), err=True)
        return
    with Live(table_of(work, console.width), console=console, auto_refresh=False, transient=True) as live:
        yield lambda number: live.update(table_of(work, console.width), refresh=True)


def _line(work: Sweep, number: int) -> str:
    row, done = work.rows[number], len(work.trials) - len(work.waiting)
    assert row is not None
    values = ", ".join(f"{name}={getattr(work.trials[number], name)}" for name in work.grid.axes)
    name = judged_metric(work)
    outcome = metric_text(name, float(row[name])) if row["status"] == "finished" else row["reason"]
    return f"trial {done} of {len(work.trials)}: {values}: {outcome}"


def _fail_if_nothing_succeeded(work: Sweep) -> None:
    from fastnn.common.errors import DataError, NonFiniteError

    rows = [row for row in work.rows if row is not None]
    if any(row["status"] == "finished" for row in rows):
        return
    reason = f"no trial of the sweep succeeded; the first: {rows[0]['reason']}"
    raise NonFiniteError(reason) if "finite" in reason or "loss became" in reason else DataError(reason)


for _recipe in ALL.values():
    sweep.add_command(_sweep_command(_recipe))
