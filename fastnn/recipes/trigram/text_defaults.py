"""The language model of a user's own text: a network and settings for a book, and what is compared beside it.

`docs/language-models.md` has the measurements by which they were chosen.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from fastnn.data import Dataset, is_text
from fastnn.experiment.comparison import Best, Comparison
from fastnn.experiment.published import Published
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import in_words
from fastnn.language.network import (
    DROPOUT,
    FEWEST_ROWS,
    FEWEST_STEPS,
    GRAMS,
    INPUT_DROPOUT,
    LENGTH,
    RATE,
    RECURRENT_DROPOUT,
    RECURRENT_RATE,
    ROWS_A_STEP,
)
from fastnn.recipes.trigram.answers import told_gaps, told_speed
from fastnn.recipes.trigram.text import OF_TEXT, VOCABULARY, judged_of, measured_of

QUICK_WORDS = 60_000  # of the training data, under --quick

BOOK = {
    "net": "gru",
    "length": LENGTH,
    "order": GRAMS,
    "epochs": 6,
    "sizes": "96x256",
    "softmax_words": 512,
    "optimizer": "adam",
    "lr": RECURRENT_RATE,
    "schedule": "cosine",
    "batch_size": ROWS_A_STEP,
    "patience": 2,
    "initializer": "xavier",
    "dropout": RECURRENT_DROPOUT,
    "input_dropout": INPUT_DROPOUT,
}
WINDOW = {"net": "window", "order": 6, "epochs": 4, "activation": "silu", "blocks": 1}
WINDOW |= {"lr": RATE, "batch_size": 250, "dropout": DROPOUT}
OF_WINDOW = ("order", "blocks", "activation", "combine", "batch_norm")  # who gives one of these means such a net
# Flags that say nothing of such a net. Beside a recurrent net, --order is that of the n-grams that are counted.
NOT_OF = {"gru": OF_WINDOW[1:], "window": ("length",)}
# Characters and bytes are few, so all of them are in the softmax; one says less than a word, so samples are longer.
SIGNS = {"order": 8, "sizes": "32x512", "softmax_words": 0}
SIGNS_OF_ROWS = {"length": 2 * LENGTH}
RATES = {"sgd": 0.15, "adam": RATE, "adamw": RATE, "rmsprop": 0.001, "adagrad": 0.05}
RECURRENT_RATES = RATES | {"adam": RECURRENT_RATE, "adamw": RECURRENT_RATE}


class Short(NamedTuple):
    """A short text has few steps an epoch: it gets smaller batches and more epochs, until it has about `steps`."""

    steps: int
    smallest_batch: int
    least: int = FEWEST_STEPS  # of an epoch
    most_epochs: int = 40


SHORT = {"window": Short(2_000, 10), "gru": Short(1_200, FEWEST_ROWS)}


TOLD = f"""A text of your own (--data book.txt) has other defaults than those below, which are the course's:
{in_words(BOOK)}; of characters or bytes (--tokens) {in_words(SIGNS | SIGNS_OF_ROWS)}.
The net of a window (--net window, or a flag that only such a net has) has {in_words(WINDOW)}.
A short text gets smaller batches and more epochs. The run prints which it has.
"""

COMPARISONS = (
    Comparison(
        "sizes",
        "How large must embedding and hidden layer be?",
        {size: {"sizes": size, "embedding": ""} for size in ("32x64", "64x128", "96x256")},
        told=told_gaps,
    ),
    Comparison(
        "regularisation",
        "Does dropout help?",
        {
            "none": {"dropout": 0.0, "input_dropout": 0.0},
            "hidden units": {"input_dropout": 0.0},
            "hidden units and embeddings": {},
        },
        told=told_gaps,
    ),
    Comparison(
        "softmax",
        "How many words must the softmax of a training step have?",
        {"64": {"softmax_words": 64}, "512": {"softmax_words": 512}, "all": {"softmax_words": 0}},
        told=told_speed,
    ),
)


BLOCKS = Comparison(
    "blocks",
    "Do residual blocks help?",
    {"none": {"blocks": 0}, "one": {"blocks": 1}, "two": {"blocks": 2}},
    told=told_gaps,
)


def _comparisons(net: str, rates: dict[str, float]) -> tuple[Comparison, ...]:
    """Those of this kind of net."""
    optimizers = Comparison(
        "optimizers",
        "Which optimizer learns fastest?",
        {name: {"optimizer": name, "lr": rates[name]} for name in ("adam", "adagrad", "sgd")},
        told=told_speed,
    )
    return (*COMPARISONS, optimizers, *([BLOCKS] if net == "window" else []))


def suited(recipe: Recipe, path: Path | tuple[Path, ...] | None, changes: dict[str, Any]) -> Recipe:
    """The recipe with the settings of a book, if the data are a text; unchanged for the report's and generated data."""
    if path is None or not (isinstance(path, tuple) or is_text(path)):  # several files are texts
        return recipe
    net = changes.get("net", "window" if changes.keys() & set(OF_WINDOW) else "gru")
    _refuse_flags(net, changes)
    usual = _usual(net, changes.get("tokens"))
    rates = RATES if net == "window" else RECURRENT_RATES
    settings = replace(recipe.settings, vocabulary=VOCABULARY, **usual)
    of_data = replace(settings, net=net, length=max(changes.get("length", settings.length), 1))
    words = of_data.length if net == "gru" else 1  # of a sample
    return replace(
        recipe,
        title="neural language model of a text: the next word from those before it",
        settings=settings,
        adapted=adapted,
        unused=unused_of_text,
        shown=tuple(name for name in usual if net == "gru" or name != "length"),
        quick={"epochs": 2, "samples": max(QUICK_WORDS // words, 1)},
        published=Published(),
        comparisons=_comparisons(net, rates),
        compare=(),
        rates=rates,
        best=Best({}, "a text has them in any case"),
        measured=measured_of(of_data),
        judged=judged_of(of_data),
        after_epoch=(),
    )


def _usual(net: str, tokens: str | None) -> dict[str, Any]:
    """The settings of such a net for such tokens."""
    usual = BOOK | (WINDOW if net == "window" else {})
    if tokens in ("characters", "bytes"):
        usual |= SIGNS | (SIGNS_OF_ROWS if net == "gru" else {})
    return usual


def unused_of_text(settings: Any) -> tuple[str, ...]:
    """The settings that say nothing of a training on a text."""
    return (*NOT_OF[settings.net], *_of_sgd(settings))


def unused_of_samples(settings: Any) -> tuple[str, ...]:
    """The settings that say nothing of a training on the course's file or on generated data."""
    return (*OF_TEXT, *_of_sgd(settings))


def _of_sgd(settings: Any) -> tuple[str, ...]:
    return () if settings.optimizer == "sgd" else ("momentum",)


def _refuse_flags(net: str, given: dict[str, Any]) -> None:
    """ValueError for a flag that says nothing of this kind of net."""
    for name in NOT_OF.get(net, ()):
        if name in given:
            flag, other = f"--{name.replace('_', '-')}", "gru" if net == "window" else "window"
            raise ValueError(f"{flag} is of --net {other}, not of --net {net}")


def adapted(settings: Any, data: Dataset, given: set[str]) -> Any:
    """Settings for a text of this length."""
    samples, short = min(settings.samples or len(data.train), len(data.train)), SHORT[settings.net]
    batch = settings.batch_size
    if "batch_size" not in given:
        batch = max(short.smallest_batch, min(batch, samples // short.least))
    epochs = settings.epochs
    if "epochs" not in given:
        epochs = max(epochs, min(short.most_epochs, short.steps * batch // max(samples, 1)))
    return replace(settings, batch_size=batch, epochs=epochs)
