"""`fastnn generate`: a text that a language model writes."""

from pathlib import Path

import click

from fastnn.cli.sections import examples
from fastnn.common.text import printable

MOST_WORDS = 1_000_000  # a command that writes more would say nothing for hours
EXAMPLES = examples(
    "fastnn generate runs/book --words 100 --seed 3",
    'fastnn generate runs/book "the old man" --top-p 0.9',
    'fastnn generate runs/book "the old man" --temperature 0',
)


@click.command(epilog=EXAMPLES, short_help="A text that a language model writes.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.argument("first", metavar="[WORDS]...", nargs=-1)
@click.option("--words", type=click.IntRange(1, MOST_WORDS), default=50, show_default=True, help="how many are written")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="below 1: likelier words, 0: always the likeliest; above 1: rarer words",
)
@click.option("--top-k", type=click.IntRange(min=1), help="only the k likeliest words")
@click.option(
    "--top-p",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=1.0,
    show_default=True,
    help="only the likeliest words that together have this probability",
)
@click.option("--seed", type=int, default=0, show_default=True, help="another seed, another text")
def generate(
    run_or_model: Path,
    first: tuple[str, ...],
    words: int,
    temperature: float,
    top_k: int | None,
    top_p: float,
    seed: int,
) -> None:
    """A text that begins with WORDS, by a run's folder or a saved model.

    Each further word is drawn with the probability that the model gives it. Without WORDS, the text begins as sentences
    do, if the model knows that. The same command writes the same text.
    """
    from fastnn.experiment.run_folder import model_path
    from fastnn.language.model import LanguageModel

    model = LanguageModel.load(model_path(run_or_model))
    for note in model.told_unknown(" ".join(first)):
        click.echo(note, err=True)
    text = model.generate(" ".join(first), words, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    for line in text.expandtabs().splitlines():
        click.echo(printable(line))
