"""The language model of a user's own text: a network and settings for a book, and what is compared beside it.

`docs/language-models.md` has the measurements by which they were chosen.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from fastnn.data import Dataset, is_text
from fastnn.experiment.comparison import Best, Comparison
from fastnn.experiment.published import Published
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.settings import in_words
from fastnn.recipes.trigram_answers import told_gaps, told_speed
from fastnn.recipes.trigram_text import MEASURED

# Characters and bytes are few, so all of them are in the softmax; one says less than a word, so samples are longer.
BOOK = {
    "order": 6,
    "epochs": 4,
    "sizes": "96x256",
    "activation": "silu",
    "blocks": 1,
    "softmax_words": 512,
    "optimizer": "adam",
    "lr": 0.002,
    "schedule": "cosine",
    "batch_size": 250,
    "patience": 2,
    "initializer": "xavier",
    "dropout": 0.3,
    "input_dropout": 0.2,
}
SIGNS = {"order": 8, "sizes": "32x512", "softmax_words": 0}
RATES = {"sgd": 0.15, "adam": 0.002, "adamw": 0.002, "rmsprop": 0.001, "adagrad": 0.05}

# A short text has few steps an epoch: it gets smaller batches and more epochs, until it has about this many steps.
STEPS, FEWEST_STEPS, SMALLEST_BATCH, MOST_EPOCHS = 2_000, 40, 10, 40


TOLD = f"""A text of your own (--data book.txt) has other defaults than those below, which are the course's:
{in_words(BOOK)}; of characters or bytes (--tokens) {in_words(SIGNS)}.
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
        "optimizers",
        "Which optimizer learns fastest?",
        {name: {"optimizer": name, "lr": RATES[name]} for name in ("adam", "adagrad", "sgd")},
        told=told_speed,
    ),
    Comparison(
        "blocks",
        "Do residual blocks help?",
        {"none": {"blocks": 0}, "one": {"blocks": 1}, "two": {"blocks": 2}},
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


def suited(recipe: Recipe, path: Path | tuple[Path, ...] | None, changes: dict[str, Any]) -> Recipe:
    """The recipe with the settings of a book, if the data are a text; unchanged for the report's and generated data."""
    if path is None or not (isinstance(path, tuple) or is_text(path)):  # several files are texts
        return recipe
    signs = SIGNS if changes.get("tokens") in ("characters", "bytes") else {}
    return replace(
        recipe,
        title="neural language model of a text: the next word from those before it",
        settings=replace(recipe.settings, **BOOK | signs),
        adapted=adapted,
        shown=tuple(BOOK),
        quick={"epochs": 2, "samples": 60_000},
        published=Published(),
        comparisons=COMPARISONS,
        compare=(),
        rates=RATES,
        best=Best({}, "a text has them in any case"),
        measured=MEASURED,
        after_epoch=(),
    )


def adapted(settings: Any, data: Dataset, given: set[str]) -> Any:
    """Settings for a text of this length."""
    samples = min(settings.samples or len(data.train), len(data.train))
    batch = settings.batch_size
    if "batch_size" not in given:
        batch = max(SMALLEST_BATCH, min(batch, samples // FEWEST_STEPS))
    epochs = settings.epochs
    if "epochs" not in given:
        epochs = max(epochs, min(MOST_EPOCHS, STEPS * batch // max(samples, 1)))
    return replace(settings, batch_size=batch, epochs=epochs)
