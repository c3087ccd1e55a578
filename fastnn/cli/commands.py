"""The commands and what they print."""

import click

from fastnn import __version__
from fastnn.cli.data import data
from fastnn.cli.evaluate import evaluate
from fastnn.cli.generate import generate
from fastnn.cli.output import wrapped
from fastnn.cli.predict import predict
from fastnn.cli.score import score
from fastnn.cli.sections import COMPLETION, SectionedGroup, examples
from fastnn.cli.sweep import sweep
from fastnn.cli.train import train
from fastnn.cli.word_vectors import export, neighbours
from fastnn.recipes import RECIPES, TABLE

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
SECTIONS = {
    "Train": ["train", "sweep", "list", "data"],
    "Use a trained model": ["predict", "evaluate"],
    "Use a language model": ["generate", "score", "neighbours", "export"],
    "This machine": ["doctor"],
}
EXAMPLES = examples(
    "fastnn train moons --quick                      a system, in seconds",
    "fastnn data make people                         a table to try it on",
    "fastnn train table people.csv --target income   on your own table",
    "fastnn predict runs/people people.csv -o predicted.csv",
)


@click.group(cls=SectionedGroup, context_settings=HELP, sections=SECTIONS, epilog=f"{EXAMPLES}\n\n{COMPLETION}")
@click.version_option(__version__, message="%(prog)s %(version)s")
def fastnn() -> None:
    """Small neural networks, fast on a multicore CPU."""


@fastnn.command("list", short_help="The systems that train knows, one line each.")
def list_systems() -> None:
    """The systems, one line each."""
    width = max(map(len, RECIPES))
    for recipe in RECIPES.values():
        click.echo(wrapped(f"{recipe.id:<{width}}  {recipe.title}", width + 2))
    click.echo(wrapped(f"{TABLE.id:<{width}}  {TABLE.title}", width + 2))


for command in (train, predict, evaluate, generate, score, neighbours, export, data, sweep):
    fastnn.add_command(command)


@fastnn.command(short_help="Threads, vector width, cache, versions, and what may be slow.")
def doctor() -> None:
    """Threads, vector width, cache and versions of this machine, and what may be slow and why."""
    from fastnn.cli.doctor import report

    for line in report():
        click.echo(line)
