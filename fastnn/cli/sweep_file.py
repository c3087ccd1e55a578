"""`fastnn sweep my_model.py`: trials of the model that a function of a user's file builds."""

import ast
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from fastnn.cli.sweep_options import WHOLE, axes_of, sweep_options
from fastnn.cli.sweep_output import refuse_without_result
from fastnn.common.names import near
from fastnn.search.folder import PICTURE, TABLE
from fastnn.search.result import SweepResult
from fastnn.search.space import Axis

HELP = """Train the model that a function of your file builds, with every combination of settings.

The file has a function of settings that returns a model, or (model, optimizer), and a function `data` without
arguments that returns (x, y) or an fn.Dataset. FILE.py means FILE.py:build. All of fn.sweep's page holds here too.
"""


def command_of_file(target: str) -> click.Command:
    """The command for FILE.py or FILE.py:FUNCTION."""
    return click.Command(target, callback=lambda **given: _sweep(target, **given), params=_options(), help=HELP)


def _options() -> list[click.Parameter]:
    own = [
        click.Option(["--optuna"], type=WHOLE, help="settings to ask an Optuna study for, which may prune trials"),
        click.Option(["--halving"], is_flag=True, help="after a part of the epochs only the best third goes on"),
        click.Option(["--seeds"], type=WHOLE, default=1, help="trainings of each, by the function's argument seed"),
        click.Option(["--monitor"], default="val_loss", show_default=True, help="the figure that judges trials"),
        click.Option(["--epochs"], type=WHOLE, default=10, show_default=True, help="of each trial"),
        click.Option(["--batch-size"], type=WHOLE, default=32, show_default=True, help="samples of a step"),
        click.Option(["--validation-split"], type=float, help="the fraction of (x, y) to judge on  [default: 0.2]"),
    ]
    return sweep_options("FILE", *own)


def _sweep(
    target: str,
    grid: tuple[str, ...],
    random: int | None,
    optuna: int | None,
    validation_split: float | None,
    out: Path | None,
    **given: Any,
) -> None:
    from fastnn.search.sweep import sweep

    if random and optuna:
        raise ValueError("--random and --optuna both say how many settings to try; give one of the two")
    path, build, data = functions_of(target)
    judged = getattr(data(), "val", None) is not None or not given["monitor"].startswith("val_")
    split = validation_split if validation_split is not None else 0.0 if judged else 0.2
    folder = out or Path("sweeps") / path.stem
    drawn: dict[str, Any] = {"trials": optuna or random, "sampler": "optuna" if optuna else None}
    axes = axes_of_texts(grid, is_drawn=bool(random or optuna))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "sweep: ", UserWarning)  # the table says it
        result = sweep(build, axes, data, out=folder, validation_split=split, verbose=True, **drawn, **given)
    _report(result, folder)


def _report(result: SweepResult, folder: Path) -> None:
    """Table and picture. DataError if no trial finished."""
    from fastnn import plots

    click.echo(str(result).partition("\n")[2])
    refuse_without_result(result.rows)
    plots.save(result.plot(), folder / PICTURE)
    click.echo(f"wrote {folder / TABLE} and {folder / PICTURE}")


def functions_of(target: str) -> tuple[Path, Any, Any]:
    """The file, its function that builds, and its function `data`. ValueError where one is missing."""
    name, _, function = target.partition(".py")
    path, wanted = Path(f"{name}.py"), function.removeprefix(":") or "build"
    if not path.is_file():
        raise ValueError(f"{path} is no file, expected FILE.py or FILE.py:FUNCTION")
    found = _namespace(path)
    for one in (wanted, "data"):
        if not callable(found.get(one)):
            known = [name for name, value in found.items() if callable(value) and not name.startswith("_")]
            raise ValueError(f"{path} has no function {one!r}; {near(one, known)}")
    return path, found[wanted], found["data"]


def _namespace(path: Path) -> dict[str, Any]:
    """The names of a script that was run, but not as `__main__`. Its functions go to other processes by value."""
    sys.path.insert(0, str(path.parent.resolve()))
    found = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), found)
    return found


def axes_of_texts(grid: tuple[str, ...], *, is_drawn: bool) -> dict[str, Axis]:
    """Axes from texts such as "lr=0.05,0.15", and where they are drawn from "lr=0.01..0.5". ValueError for others."""
    return axes_of(grid, lambda _, text: _value(text), lambda _, text: _is_range(text), is_drawn=is_drawn)


def _is_range(text: str) -> bool:
    return all(isinstance(_value(end), int | float) for end in text.split("..", 1))


def _value(text: str) -> Any:
    """A number, True, False, None or a tuple that a text spells, else the text."""
    try:
        value = ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float | tuple | None) else text
