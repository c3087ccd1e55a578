"""`fastnn sweep`: a system over a grid of settings, with a live table, a CSV file and a picture."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from fastnn.cli.settings import options_of, setting_from_text
from fastnn.common.text import metric_text, percent
from fastnn.engine.threads import threads
from fastnn.experiment import executors as cells
from fastnn.experiment.executors import Place, Row
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.sweep import METRICS, TABLE, Grid, Sweep
from fastnn.recipes import RECIPES, worker

PICTURE = "sweep.png"
COLUMN = 12  # signs of a column, about


@click.group(subcommand_metavar="SYSTEM --grid NAME=VALUE,VALUE [OPTIONS]")
def sweep() -> None:
    """Train a system at every point of a grid of settings; what is there already is not trained again.

    The folder gets sweep.csv, a line a point, and sweep.png: lines for one axis, a map for two.
    """


def _sweep_command(recipe: Recipe) -> click.Command:
    def command(grid, data, out, jobs, scheduler, threads, quick, fresh, **given):
        base = {name: value for name, value in given.items() if value is not None}
        axes = axes_of(recipe, grid)
        if scheduler and (jobs > 1 or threads):
            raise ValueError(
                "--scheduler leaves jobs and threads to the cluster's workers: expected no --jobs, --threads"
            )
        choose = functools.partial(_place, jobs, scheduler)
        out = out or Path("sweeps") / recipe.id
        sweep_and_report(Grid(recipe, axes, base, quick), data, out, choose, threads, fresh)

    help_of_grid = "setting=value,value,...; again for a further axis; values that hold commas are parted by ;"
    parameters: list[click.Parameter] = [
        click.Option(["--grid"], multiple=True, required=True, help=help_of_grid),
        click.Option(
            ["--data"], type=click.Path(path_type=Path), help="the data's file or folder  [default: generated]"
        ),
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the folder  [default: sweeps/{recipe.id}]"),
        click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="processes at once  [default: 1]"),
        click.Option(["--scheduler"], help="address of a Dask scheduler whose workers train instead: tcp://host:8786"),
        click.Option(["--threads"], type=click.IntRange(min=1), help="threads of all together  [default: all]"),
        click.Option(["--quick"], is_flag=True, help="less data and fewer epochs"),
        click.Option(["--fresh"], is_flag=True, help="forget what the folder's sweep.csv holds"),
        *options_of(recipe.settings),
    ]
    return click.Command(recipe.id, callback=command, params=parameters, help=recipe.title, short_help=recipe.title)


def _place(jobs: int, scheduler: str | None, thread_count: int) -> Place:
    if scheduler:
        return functools.partial(cells.on_cluster, train=worker.train, address=scheduler)
    share = max(1, thread_count // jobs)
    if jobs == 1:
        return functools.partial(cells.in_turn, share=share)
    return functools.partial(cells.in_processes, train=worker.train, jobs=jobs, share=share)


def axes_of(recipe: Recipe, grid: tuple[str, ...]) -> dict[str, list[Any]]:
    """Axes from texts such as "lr=0.05,0.15"; ValueError for a text that is none."""
    axes: dict[str, list[Any]] = {}
    for text in grid:
        name, sign, values = text.partition("=")
        parts = [part.strip() for part in values.split(";" if ";" in values else ",")]
        name = name.strip().replace("-", "_")
        if not sign or not all(parts):
            raise ValueError(f"--grid is {text!r}, expected setting=value,value such as lr=0.05,0.15")
        if name in axes:
            raise ValueError(f"--grid has {name} twice; give all its values at once")
        axes[name] = list(dict.fromkeys(setting_from_text(recipe.settings, name, part) for part in parts))
    return axes


def sweep_and_report(
    grid: Grid, path: Path | None, out: Path, choose: Callable[[int], Place], thread_count: int | None, fresh: bool
) -> None:
    """Run the sweep where `choose(threads)` says; table to stdout, picture into the folder.

    Exit status 2 or 3 if no cell at all succeeded.
    """
    import numba

    grid.cells()  # a value out of range shows before data are loaded or folders made
    with threads(thread_count) if thread_count else contextlib.nullcontext(), np.errstate(over="ignore"):
        data, announced = grid.recipe.find(path, grid.quick)
        work = Sweep(grid, out, data, path, fresh=fresh)
        count = len(work.cells)
        click.echo(f"{grid.recipe.id}: {announced}; {count} cells, {count - len(work.waiting)} of them done", err=True)
        with _live(work) as tell:
            work.run(choose(numba.get_num_threads()), tell)
    from rich.console import Console

    console = Console(highlight=False)
    console.print(table_of(work, console.width))
    draw(work)
    click.echo(f"wrote {out / TABLE} and {out / PICTURE}")
    _fail_if_nothing_succeeded(work)


@contextlib.contextmanager
def _live(work: Sweep) -> Iterator[Any]:
    """A table on stderr that is kept up to date; where nobody watches, a line a cell."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda number: click.echo(_line(work, number), err=True)
        return
    with Live(table_of(work, console.width), console=console, auto_refresh=False, transient=True) as live:
        yield lambda number: live.update(table_of(work, console.width), refresh=True)


def _line(work: Sweep, number: int) -> str:
    row, done = work.rows[number], len(work.cells) - len(work.waiting)
    assert row is not None
    values = ", ".join(f"{name}={getattr(work.cells[number], name)}" for name in work.grid.axes)
    outcome = percent(float(row[measure(work)])) if row["status"] == "finished" else row["reason"]
    return f"cell {done} of {len(work.cells)}: {values}: {outcome}"


def measure(work: Sweep) -> str:
    """The figure that cells are judged by: validation accuracy, or where there is none test or training accuracy."""
    splits = work.data.splits()
    return next(f"{part}_accuracy" for part in ("val", "test", "train") if part in splits)


def table_of(work: Sweep, width: int) -> Any:
    """A row a cell: its values on the axes, its metrics, or why it has none; where width is short, no losses."""
    from rich.table import Table

    shown = [name for name in METRICS if name.partition("_")[0] in work.data.splits()]
    if COLUMN * (len(shown) + len(work.grid.axes)) > width:
        shown = [name for name in shown if name.endswith("accuracy")]
    table = Table(title=f"sweep of {work.grid.recipe.id}", title_justify="left")
    for name in (*work.grid.axes, *shown):
        table.add_column(
            name.replace("_", " "), justify="right" if name in shown else "left", no_wrap=name not in shown
        )
    table.add_column("")
    for settings, row in zip(work.cells, work.rows, strict=True):
        values = [str(getattr(settings, name)) for name in work.grid.axes]
        table.add_row(*values, *(_cell_text(row, name) for name in shown), _state(row))
    return table


def _state(row: Row | None) -> str:
    if row is None:
        return "waiting"
    return "" if row["status"] == "finished" else row["reason"]


def _cell_text(row: Row | None, name: str) -> str:
    if row is None or row.get(name) in (None, ""):
        return ""
    return metric_text(name, float(row[name]))


def draw(work: Sweep) -> None:
    """The picture: lines along one axis of numbers, else a map; along further axes the best cell counts."""
    from fastnn import plots

    axes = work.grid.axes
    name, title = measure(work), f"sweep of {work.grid.recipe.id}: {measure(work).replace('_', ' ')}, %"
    note = "generated data" if work.source == "generated" else None
    values = 100 * np.array([_value(row, name) for row in work.rows]).reshape([len(axis) for axis in axes.values()])
    first, *_ = axes
    if others := list(axes)[2:]:
        title += f", the best over {' and '.join(others).replace('_', ' ')}"
    if len(axes) == 1 and all(isinstance(value, int | float) for value in axes[first]):
        figure = _lines(work, first, title, note)
    else:
        values = values[None] if values.ndim == 1 else np.fmax.reduce(values.reshape(*values.shape[:2], -1), axis=2)
        labels = [[str(value) for value in axis] for axis in axes.values()][:2]
        rows, columns = ([""], labels[0]) if len(labels) == 1 else labels
        names = ["", *axes] if len(axes) == 1 else list(axes)
        figure = plots.heat_map(values, rows, columns, title, xlabel=names[1], ylabel=names[0], form=".2f", note=note)
    plots.save(figure, work.folder / PICTURE)


def _lines(work: Sweep, axis: str, title: str, note: str | None) -> Any:
    from fastnn import plots

    x = np.array(work.grid.axes[axis], float)
    order = np.argsort(x)
    lines = {part: [100 * _value(work.rows[i], f"{part}_accuracy") for i in order] for part in work.data.splits()}
    spread = x.min() > 0 and x.max() > 20 * x.min()
    return plots.lines_over(
        x[order].tolist(), lines, axis.replace("_", " "), "accuracy, %", title, log_x=spread, note=note
    )


def _value(row: Row | None, name: str) -> float:
    return float(row[name]) if row is not None and row.get(name) not in (None, "") else float("nan")


def _fail_if_nothing_succeeded(work: Sweep) -> None:
    from fastnn.common.errors import DataError, NonFiniteError

    rows = [row for row in work.rows if row is not None]
    if any(row["status"] == "finished" for row in rows):
        return
    reason = f"no cell of the sweep succeeded; the first: {rows[0]['reason']}"
    raise NonFiniteError(reason) if "finite" in reason or "loss became" in reason else DataError(reason)


for _recipe in RECIPES.values():
    sweep.add_command(_sweep_command(_recipe))
