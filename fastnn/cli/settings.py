"""Command-line options from a recipe's settings: one flag a field."""

from dataclasses import fields
from typing import Any

import click

from fastnn.common.text import setting_text
from fastnn.experiment.recipe import Recipe

LONGEST = 30  # letters of choices that stand beside their flag


def options_of(settings: Any) -> list[click.Option]:
    """An option for each field. It has no default: None means that the user did not give it."""
    return [_option(item.name, getattr(settings, item.name), item.metadata) for item in fields(settings)]


def _option(name: str, default: Any, metadata: Any) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(default, bool):
        off = f"--no-{flag[2:]}"
        option = click.Option([f"{flag}/{metadata['off'] or off}", name], default=None, help=metadata["help"])
        option.secondary_opts = list(dict.fromkeys([*option.secondary_opts, off]))  # pages write this one
        return option
    choices = metadata["choices"]
    text = metadata["help"] if default == "" else f"{metadata['help']}  [default: {setting_text(default)}]"
    is_long = len("|".join(choices)) > LONGEST  # beside the flag they would be wider than a terminal
    text += f"  [{', '.join(choices)}]" if is_long else ""
    kind = click.Choice(choices) if choices else type(default)
    return click.Option([flag, name], type=kind, help=text, metavar="NAME" if is_long else None)


def compare_help(recipe: Recipe) -> str:
    """Help for --compare: its choices and its default."""
    known = "; ".join(f"{comparison.name} ({comparison.question})" for comparison in recipe.all_comparisons().values())
    length = f", {recipe.compare_epochs} epochs each unless --compare-epochs says" if recipe.compare_epochs else ""
    default = ", ".join(recipe.compare) or "none"
    return f"runs beside the chosen one{length}: none, all, or names with commas: {known}  [default: {default}]"


def texts_of(grid: tuple[str, ...]) -> dict[str, list[str]]:
    """The values of each --grid such as "lr=0.05,0.15", as texts. ValueError for anything else."""
    found: dict[str, list[str]] = {}
    for text in grid:
        name, sign, values = text.partition("=")
        texts = [value.strip() for value in values.split(";" if ";" in values else ",")]
        name = name.strip().replace("-", "_")
        if not sign or not all(texts):
            raise ValueError(f"--grid is {text!r}, expected setting=value,value such as lr=0.05,0.15")
        if name in found:
            raise ValueError(f"--grid has {name} twice; give all its values at once")
        found[name] = texts
    return found


def setting_from_text(settings: Any, name: str, text: str) -> Any:
    """The value of the setting called `name` that `text` spells; ValueError if there is no such setting or value."""
    key = name.replace("-", "_")
    known = {item.name: getattr(settings, item.name) for item in fields(settings)}
    if key not in known:
        from fastnn.common.names import near

        raise ValueError(f"--grid has {name!r}, which is no setting; {near(key, known)}")
    kind = type(known[key])
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError):
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise ValueError(f"--grid {name} has {text!r}, expected {wanted}") from None
