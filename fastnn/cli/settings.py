"""Command-line options from a recipe's settings: one flag a field."""

from dataclasses import fields
from typing import Any

import click


def options_of(settings: Any) -> list[click.Option]:
    """An option for each field, without a default of its own: None means that the user did not say."""
    return [_option(item.name, getattr(settings, item.name), item.metadata) for item in fields(settings)]


def _option(name: str, default: Any, metadata: Any) -> click.Option:
    kind = click.Choice(metadata["choices"]) if metadata["choices"] else type(default)
    text = f"{metadata['help']}  [default: {default}]"
    return click.Option([f"--{name.replace('_', '-')}", name], type=kind, help=text)
