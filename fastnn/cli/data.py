"""`fastnn data`: lists the data sets, downloads originals, and writes generated stand-ins."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from fastnn.cli.output import wrapped
from fastnn.common.stderr import is_terminal
from fastnn.data.remote import Progress


@click.group(short_help="Data sets: a list, downloads, generated stand-ins.")
def data() -> None:
    """Data sets: a list, downloads with checksums, and generated stand-ins."""


@data.command("list")
def list_data() -> None:
    """The data sets: name, where it is, description."""
    from fastnn.data.catalogue import DATA_SETS, state

    for name, known in DATA_SETS.items():
        stand_in = f" (generated: {known.generated})" if known.generated else ""
        click.echo(wrapped(f"{name:<14} {state(name):<34} {known.title}{stand_in}", indent=15))


@data.command("fetch", short_help="Download a data set, once, checked by SHA-256.")
@click.argument("name")
def fetch_data(name: str) -> None:
    """Download the data set NAME, once, checked by SHA-256; a download that broke off is resumed.

    `fastnn data list` shows the names. The files go to FASTNN_DATA_DIR, or to the user's cache folder.
    FASTNN_OFFLINE=1 forbids the network.
    """
    from fastnn.data.catalogue import DATA_SETS
    from fastnn.data.download import fetch
    from fastnn.data.remote import REMOTE

    if name in DATA_SETS and name not in REMOTE:
        raise ValueError(
            f"the original of {name!r} cannot be fetched; `fastnn data make {name}` writes a generated one"
        )
    with _bar() as progress:
        folder = fetch(name, progress)
    click.echo(f"{name}: {len(REMOTE[name].files)} files, {REMOTE[name].size / 1e6:.1f} MB in {folder}")


@contextlib.contextmanager
def _bar() -> Iterator[Progress | None]:
    """Updates a progress bar on stderr with a row for each file; None where stderr is no terminal."""
    if not is_terminal():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        rows = {}

        def show(file: str, done: int, size: int) -> None:
            if file not in rows:
                rows[file] = bars.add_task(file, total=size)
            bars.update(rows[file], completed=done)

        yield show


@data.command("make", short_help="Write a generated data set, as --data takes it.")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="file or folder  [default: NAME and the usual ending]")
def make_data(name: str, out: Path | None) -> None:
    """Write the generated data set NAME in the original's format, which --data takes.

    `fastnn data list` shows the names.
    """
    from fastnn.data.catalogue import make

    click.echo(make(name, out))
