"""`fastnn evaluate`: loss and metrics of a trained model on other data."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastnn.cli.numerals import numerals_given, with_numerals
from fastnn.cli.output import FORMS, csv_lines, dumped, finite
from fastnn.cli.sections import examples
from fastnn.common.text import SPLITS, aligned, metric_name, metric_text, with_minus

if TYPE_CHECKING:
    from fastnn.recipes.evaluation import Figures


EXAMPLES = examples(
    "fastnn evaluate runs/mnist-cnn --data mnist-test.npz", "fastnn evaluate runs/people --data other.csv --format json"
)


@click.command(epilog=EXAMPLES, short_help="Loss and metrics of a trained model on other data.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="the data's file or folder, as of train")
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
@with_numerals
def evaluate(run_or_model: Path, data: Path, form: str, decimal: str | None, thousands: str | None) -> None:
    """Loss and metrics on other data, by a run's folder or a saved model.

    The data have a format that `fastnn train SYSTEM --data` takes. Each split that they have is evaluated as a whole.
    """
    from fastnn.experiment.run_folder import model_path
    from fastnn.loading import load, with_vocabulary
    from fastnn.recipes.evaluation import figures_on

    numerals = numerals_given(decimal, thousands)
    figures = figures_on(with_vocabulary(load(model_path(run_or_model))), data, numerals)
    written = {"text": _lines, "json": _json, "csv": _csv}[form]
    for line in written(figures):
        click.echo(line)


def _lines(figures: "Mapping[str, Figures]") -> Iterator[str]:
    names = next(iter(figures.values())).metrics
    table = [["", "samples", *map(metric_name, names)]]
    for key, (samples, metrics) in figures.items():
        table.append(
            [SPLITS[key], f"{samples:,}", *(with_minus(metric_text(name, value)) for name, value in metrics.items())]
        )
    return aligned(table, texts=1)


def _json(figures: "Mapping[str, Figures]") -> Iterator[str]:
    yield dumped(
        {
            key: {"samples": n} | {name: finite(value) for name, value in metrics.items()}
            for key, (n, metrics) in figures.items()
        }
    )


def _csv(figures: "Mapping[str, Figures]") -> Iterator[str]:
    names = next(iter(figures.values())).metrics
    rows = ([key, samples, *metrics.values()] for key, (samples, metrics) in figures.items())
    return csv_lines([["split", "samples", *names], *rows])
