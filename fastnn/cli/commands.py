"""The commands and what they print."""

from pathlib import Path

import click

from fastnn import __version__
from fastnn.cli.data import data
from fastnn.cli.evaluate import evaluate
from fastnn.cli.predict import predict
from fastnn.cli.settings import compare_help, options_of
from fastnn.cli.sweep import sweep
from fastnn.experiment.recipe import Recipe
from fastnn.recipes import RECIPES

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=HELP)
@click.version_option(__version__, message="%(prog)s %(version)s")
def fastnn() -> None:
    """Small neural networks, fast on a multicore CPU."""


@fastnn.command("list")
def list_systems() -> None:
    """The systems, one line each."""
    width = max(map(len, RECIPES))
    for recipe in RECIPES.values():
        click.echo(f"{recipe.id:<{width}}  {recipe.title}")


@fastnn.group(subcommand_metavar="SYSTEM [OPTIONS]")
def train() -> None:
    """Train a system and leave model, history, pictures and summary in a folder.

    `fastnn train SYSTEM --help` shows the system's own hyper-parameters and comparisons.
    """


def _train_command(recipe: Recipe) -> click.Command:
    def command(data, out, threads, quick, best, compare, compare_epochs, resume, fresh, **given):
        from fastnn.cli.training import Request, train_and_report

        changes = {name: value for name, value in given.items() if value is not None}
        target = out or Path("runs") / recipe.id
        request = Request(recipe, changes, data, target, threads, quick, best, compare, compare_epochs, resume, fresh)
        train_and_report(request)

    return click.Command(
        recipe.id,
        callback=command,
        params=[*_train_options(recipe), *options_of(recipe.settings)],
        help=recipe.title,
        short_help=recipe.title,
    )


def _train_options(recipe: Recipe) -> list[click.Parameter]:
    """The options that are not settings."""
    best = recipe.best.found if recipe.best else "there are none for this system"
    return [
        click.Option(
            ["--data"], type=click.Path(path_type=Path), help="the data's file or folder  [default: generated]"
        ),
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the run's folder  [default: runs/{recipe.id}]"),
        click.Option(["--threads"], type=click.IntRange(min=1), help="threads to use  [default: all]"),
        click.Option(["--quick"], is_flag=True, help="less of everything: the same files within half a minute"),
        click.Option(["--best"], is_flag=True, help=f"settings of our own in place of the report's: {best}"),
        click.Option(["--compare"], help=compare_help(recipe)),
        click.Option(["--compare-epochs"], type=click.IntRange(min=1), help="epochs of each run of a comparison"),
        click.Option(["--resume"], is_flag=True, help="go on with the run in the folder, if there is one"),
        click.Option(["--fresh"], is_flag=True, help="start again, whatever unfinished run is in the folder"),
    ]


for _recipe in RECIPES.values():
    train.add_command(_train_command(_recipe))


fastnn.add_command(predict)
fastnn.add_command(evaluate)
fastnn.add_command(data)
fastnn.add_command(sweep)


@fastnn.command()
def doctor() -> None:
    """Threads, vector width, cache and versions of this machine, and what may be slow and why."""
    from fastnn.cli.doctor import report

    for line in report():
        click.echo(line)
