"""`fastnn sweep`: trains a system over a grid of settings, with a live table, a CSV file and a picture."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from fastnn.cli.settings import options_of, setting_from_text
from fastnn.cli.sweep_file import command_of_file
from fastnn.cli.sweep_options import axes_of, sweep_options
from fastnn.cli.sweep_output import draw, refuse_without_result, table_of
from fastnn.cli.systems import SystemsGroup, limited
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.sweep import Grid, Sweep
from fastnn.recipes import ALL
from fastnn.recipes.worker import SystemJob
from fastnn.search.arguments import place_of
from fastnn.search.folder import PICTURE, TABLE, held
from fastnn.search.pools import Pool
from fastnn.search.running import train_all
from fastnn.search.space import Axis
from fastnn.search.trials import Trial, line_of


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
        axes = axes_of_system(recipe, grid, is_drawn=bool(random))
        place = place_of(jobs, threads, scheduler)
        out = out or Path("sweeps") / recipe.id
        sweep_and_report(Grid(recipe, axes, base, quick, random or 0), data, out, place, threads, fresh)

    data_path = click.Path(path_type=Path)
    data = click.Option(["--data"], type=data_path, help="the data's file or folder  [default: generated]")
    quick = click.Option(["--quick"], is_flag=True, help="less data and fewer epochs")
    parameters = [*sweep_options(recipe.id, data, quick), *options_of(recipe.settings)]
    return click.Command(recipe.id, callback=command, params=parameters, help=recipe.title, short_help=recipe.title)


def axes_of_system(recipe: Recipe, grid: tuple[str, ...], *, is_drawn: bool = False) -> dict[str, Axis]:
    """Axes from texts such as "lr=0.05,0.15", or "lr=0.01..0.5". ValueError for a text that describes none."""
    settings = recipe.settings
    axes = axes_of(
        grid,
        partial(setting_from_text, settings),
        lambda name, _: not isinstance(getattr(settings, name, ""), str),
        is_drawn=is_drawn,
    )
    for name in axes:
        if name in recipe.read_by:
            what = f"--grid has {name}, by which the data are read once for all trials"
            raise ValueError(f"{what}: give --{name} instead")
    return axes


def sweep_and_report(
    grid: Grid,
    path: Path | None,
    out: Path,
    place: AbstractContextManager[Pool],
    thread_count: int | None,
    fresh: bool,
) -> None:
    """Run the sweep; the table goes to stdout, sweep.csv and the picture into the folder `out`.

    place        : where trials run
    thread_count : of all trials together; None: all threads

    Raises DataError, or NonFiniteError for divergence, if no trial succeeded.
    """
    grid = replace(grid, recipe=grid.recipe.suited(grid.recipe, path, grid.base))
    first = grid.trials()[0]  # a value out of range is an error before data are loaded or folders made
    with limited(thread_count):
        data, announced = grid.recipe.find(path, grid.quick, first)
        with held(out):
            work = Sweep(grid, data, out, fresh=fresh)
            trials = work.trials
            done = sum(trial.status != "" for trial in trials.all)
            click.echo(f"{grid.recipe.id}: {announced}; {len(trials.all):,} trials, {done:,} of them done", err=True)
            job = SystemJob(grid.recipe.id, path and path.resolve(), grid.quick, work.source, first, data)
            with place as pool, _progress(work) as on_end:
                train_all(trials, work.plan, pool, job, on_end)
            _print_and_draw(work)
    refuse_without_result([trial.row for trial in trials.all])


def _print_and_draw(work: Sweep) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(table_of(work, console.width))
    draw(work)
    click.echo(f"wrote {work.folder / TABLE} and {work.folder / PICTURE}")


@contextmanager
def _progress(work: Sweep) -> Iterator[Callable[[Trial], None]]:
    """Yields a function to call after each trial: it updates a table on stderr; without a terminal it prints a line."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda trial: click.echo(line_of(work.trials, trial, work.grid.axes), err=True)
        return
    with Live(table_of(work, console.width), console=console, auto_refresh=False, transient=True) as live:
        yield lambda _: live.update(table_of(work, console.width), refresh=True)


for _recipe in ALL.values():
    sweep.add_command(_sweep_command(_recipe))
