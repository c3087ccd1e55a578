"""What `fastnn sweep` asks for, of a system or of a file of the user's: its options, and the axes of --grid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fastnn.cli.settings import texts_of
from fastnn.search.space import Axis, Between

WHOLE = click.IntRange(min=1)


def sweep_options(folder: str, *own: click.Option) -> list[click.Parameter]:
    """The options of every sweep, which by default has the folder sweeps/FOLDER, with its own ones among them."""
    help_of_grid = "setting=value,value,...; again for a further axis; separate values that hold commas by ;"
    help_of_random = "settings to draw from the grid instead of all; then one may have a range, too: lr=0.01..0.5"
    return [
        click.Option(["--grid"], multiple=True, required=True, help=help_of_grid),
        click.Option(["--random"], type=WHOLE, help=help_of_random),
        *own,
        click.Option(["--out"], type=click.Path(path_type=Path), help=f"the folder  [default: sweeps/{folder}]"),
        click.Option(["--jobs"], type=WHOLE, default=1, help="processes at once  [default: 1]"),
        click.Option(["--scheduler"], help="address of a Dask scheduler whose workers train instead: tcp://host:8786"),
        click.Option(["--threads"], type=WHOLE, help="threads of all together  [default: all]"),
        click.Option(["--fresh"], is_flag=True, help="forget what the folder's sweep.csv holds"),
    ]


def axes_of(
    grid: tuple[str, ...], value: Callable[[str, str], Any], has_range: Callable[[str, str], bool], *, is_drawn: bool
) -> dict[str, Axis]:
    """Axes from texts such as "lr=0.05,0.15", and where they are drawn from "lr=0.01..0.5".

    value     : (setting, text) -> the value that the text spells
    has_range : (setting, text with two dots) -> whether that is a range

    ValueError for a text that describes none.
    """
    axes: dict[str, Axis] = {}
    for name, texts in texts_of(grid).items():
        if len(texts) == 1 and ".." in texts[0] and has_range(name, texts[0]):
            if not is_drawn:
                raise ValueError(f"--grid {name} is the range {texts[0]}, expected --random and how many to draw")
            axes[name] = Between(*(value(name, end) for end in texts[0].split("..", 1)))
        else:
            values = [value(name, text) for text in texts]
            axes[name] = list({(type(one), one): one for one in values}.values())
    return axes
