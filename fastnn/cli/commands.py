"""The commands and what they print."""

from pathlib import Path
from typing import Any

import click

from fastnn import __version__
from fastnn.cli.settings import options_of
from fastnn.recipes import RECIPES
from fastnn.recipes.base import Recipe

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=HELP)
@click.version_option(__version__, message="%(prog)s %(version)s")
def fastnn() -> None:
    """Small neural networks, fast on a multicore CPU."""


@fastnn.command("list")
def list_systems() -> None:
    """The systems, one line each."""
    for recipe in RECIPES.values():
        click.echo(f"{recipe.id:<12} {recipe.title}")


@fastnn.group(subcommand_metavar="SYSTEM [OPTIONS]")
def train() -> None:
    """Train a system and leave model, history, pictures and summary in a folder.

    `fastnn train SYSTEM --help` shows the system's own hyper-parameters.
    """


def _train_command(recipe: Recipe) -> click.Command:
    def command(data, out, threads, quick, resume, fresh, **given):
        from fastnn.cli.training import train_and_report

        changes = {name: value for name, value in given.items() if value is not None}
        train_and_report(recipe, changes, data, out or Path("runs") / recipe.id, threads, quick, resume, fresh)

    parameters: list[click.Parameter] = [
        click.Option(["--data"], type=click.Path(path_type=Path), help="the data's file; without it data is generated"),
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the run's folder  [default: runs/{recipe.id}]"),
        click.Option(["--threads"], type=click.IntRange(min=1), help="threads to use  [default: all]"),
        click.Option(["--quick"], is_flag=True, help="less data and fewer epochs: the same files within half a minute"),
        click.Option(["--resume"], is_flag=True, help="go on with the unfinished run in the folder"),
        click.Option(["--fresh"], is_flag=True, help="start again, whatever unfinished run is in the folder"),
        *options_of(recipe.settings),
    ]
    return click.Command(recipe.id, callback=command, params=parameters, help=recipe.title, short_help=recipe.title)


for _recipe in RECIPES.values():
    train.add_command(_train_command(_recipe))


@fastnn.command()
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.argument("words")
def predict(run_or_model: Path, words: str) -> None:
    """The ten most likely next words after WORDS, say "how are you", with probabilities."""
    from fastnn.language import top_words, word_ids
    from fastnn.recipes.folder import model_path
    from fastnn.storage import load

    model = load(model_path(run_or_model))
    for word, probability in top_words(model, word_ids(model, words))[0]:
        click.echo(f"{word:<12} {100 * probability:6.2f} %")


@fastnn.group()
def data() -> None:
    """Data sets: what there is, and generated stand-ins."""


@data.command("list")
def list_data() -> None:
    """The data sets, one line each."""
    for name, (text, _) in _generators().items():
        click.echo(f"{name:<12} generated   {text}")


@data.command("make")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="the file  [default: NAME.h5]")
def make_data(name: str, out: Path | None) -> None:
    """Write the generated data set NAME to a file of the layout that --data takes."""
    from fastnn.naming import look_up

    _, write = look_up("data set", name, _generators())
    click.echo(write(out or Path(f"{name}.h5")))


def _generators() -> dict[str, tuple[str, Any]]:
    from fastnn.data import load_trigram, save_trigram_hdf5

    def write_trigram(path: Path) -> str:
        corpus = load_trigram()
        save_trigram_hdf5(path, corpus)
        sizes = " + ".join(f"{len(split):,}" for split in corpus.splits().values())
        return f"wrote {path}: {sizes} four-grams over {len(corpus.meta['words'])} words"

    return {"trigram": ("four-grams over 250 words from a known source, HDF5", write_trigram)}


@fastnn.command()
def doctor() -> None:
    """Threads, vector width, cache and versions of this machine, and what may be slow and why."""
    from fastnn.cli.doctor import report

    for line in report():
        click.echo(line)
