"""The flags of commands that read a table for a trained model: how its numbers are written."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fastnn.data.formats.numerals import Numerals


def with_numerals(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --decimal and --thousands to a command, as `decimal` and `thousands`, None where they are not given."""
    # Written out: importing the readers of tables would slow --help.
    thousands = click.Choice(["none", "comma", "point", "space", "apostrophe"])
    command = click.option("--thousands", type=thousands, help="the sign between thousands in such a table")(command)
    return click.option(
        "--decimal",
        type=click.Choice(["point", "comma"]),
        help="the sign before decimals in a table  [default: both signs as in the table of the training]",
    )(command)


def numerals_given(decimal: str | None, thousands: str | None) -> "Numerals | None":
    """What the flags say; None where neither is given. ValueError for one sign with two meanings."""
    from fastnn.data.formats.numerals import Numerals

    return Numerals(decimal or "point", thousands or "none") if decimal or thousands else None
