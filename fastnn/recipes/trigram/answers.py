"""What trigram answers: its first epochs beside the report's, next words, the map of the words, and what runs say."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fastnn import plots
from fastnn.common import random
from fastnn.common.text import figure_text, percent, plural
from fastnn.data import Split
from fastnn.experiment.answering import by_epoch_tables
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.pictures import note_of, reported
from fastnn.experiment.predictions import most_likely
from fastnn.experiment.recipe import MOST_MEASURED
from fastnn.experiment.results import ExperimentResult, RunResult
from fastnn.experiment.sayings import epochs_to, ranking
from fastnn.models import Model
from fastnn.recipes.trigram.text import judged_of, noun_of
from fastnn.text.neighbours import directions

EXAMPLES = 5
GUESSES = 4  # likeliest words of a context, as a narrow terminal has room for
SHOWN = 8  # words before the one that is predicted
LEAST = 0.005  # of the probability of a word that is named: a smaller one is shown as 0 %
PAIRS, MOST_WORDS = 8, 2_000  # nearest words that are named, and among how many they are looked for
FIRST = 8  # epochs of which the report printed accuracies on all training data

Runs = Mapping[str, RunResult]


def first_epochs(results: ExperimentResult) -> Answer:
    """Accuracy on all training and test samples after each of the first epochs, as the report printed it."""
    name = "first-epochs"
    (table,) = by_epoch_tables(results, name, {"": results.chosen})
    trained = results.chosen.settings.samples or MOST_MEASURED
    counts = min(trained, MOST_MEASURED, len(results.data.train)), len(results.data.splits()["test"])
    which = f"{counts[0]:,} training and {counts[1]:,} test samples"
    question = f"How accurate is the net after each of its first epochs, on {which}?"
    title, epochs = "How accurate is the net after each of its first epochs?", results.chosen.epochs[:FIRST]
    keys, published = ("accuracy", "test_accuracy"), {results.id: reported(results, name)[""]}
    figure = plots.learning_curves({results.id: epochs}, keys, title, reported=published, note=note_of(results))
    pictures = [("first-epochs.png", "accuracy after each epoch; dotted: as the report printed it", figure)]
    table = replace(table, title="", is_detail=False)
    return Answer(name, question, [table], _gained(table), pictures=pictures)


def _gained(table: Table) -> list[str]:
    """From where to where the test accuracy goes in these epochs, here and in the report; [] for a single epoch."""
    made = [row for row in table.rows if "test_accuracy" in row.here]
    if len(made) < 2:
        return []
    ends = made[0], made[-1]
    here = " to ".join(figure_text("test_accuracy", float(row.here["test_accuracy"])) for row in ends)
    report = " to ".join(figure_text("test_accuracy", row.report["test_accuracy"]) for row in ends)
    return [f"Test accuracy goes from {here} in {len(made)} epochs, that of the report from {report}."]


def next_words(results: ExperimentResult) -> list[Answer]:
    """A row for each of some test samples: the true next word, and of the likeliest those that are not 0 %.

    [] without any samples.
    """
    # Of a long test text those samples that figures are of: all of them may be more than memory holds.
    settings, meta = results.chosen.settings, results.data.meta
    test = results.data.splits()["test"].in_memory(judged_of(settings))
    words = meta["words"]
    if len(test.y.shape) == 2:
        test = _last_words(test)
    count = min(EXAMPLES, len(test))
    if not count:
        return []
    chosen = random.generator(settings.seed, "examples").choice(len(test), count, replace=False)
    x, y = test.x[chosen], test.y[chosen]
    rows = _guessed(results.model, words, x, y)
    noun = noun_of(meta) if "tokenizer" in meta else "word"
    table = Table(rows, "the true word, and the likeliest ones with their probabilities")
    return [Answer("next-words", f"Which words follow {_contexts(count, x.shape[1], noun)}?", [table])]


def _guessed(model: Model, words: list[str], x: np.ndarray, y: np.ndarray) -> list[Row]:
    """A row for each context of x (N, C): its last words, the true next one y (N,), and the likeliest."""
    rows = []
    for row, label, ranked in zip(x, y, most_likely(model, words, x, GUESSES), strict=True):
        named = [guess for guess in ranked if guess[1] >= LEAST] or ranked[:1]
        guesses = {str(place): f"{word} {percent(p, 0)}" for place, (word, p) in enumerate(named, 1)}
        before = " ".join(words[i] for i in row[-SHOWN:])
        rows.append(Row(f"{'… ' if len(row) > SHOWN else ''}{before}", {"true": words[label]} | guesses))
    return rows


def _contexts(count: int, length: int, noun: str) -> str:
    """What `count` contexts of `length` words are called."""
    what = "test trigram" if length == 3 else "test context"
    of = f"five {what}s" if count == EXAMPLES else plural(count, what)
    return of if length == 3 else f"{of} of {plural(length, noun)}"


def _last_words(rows: Split) -> Split:
    """What comes last in each row of words; of a text that fills no row, its last words moved to the end of one."""
    is_whole = rows.y[:, -1] >= 0
    if is_whole.any():
        return Split(rows.x[is_whole], rows.y[is_whole, -1])
    asked = (rows.y >= 0).any(axis=1)
    x, y = rows.x[asked], rows.y[asked]
    last = y.shape[1] - 1 - (y[:, ::-1] >= 0).argmax(axis=1)
    moved = [np.roll(row, y.shape[1] - 1 - at) for row, at in zip(x, last, strict=True)]  # its fillers come first
    return Split(np.array(moved, x.dtype).reshape(x.shape), y[np.arange(len(y)), last])


def word_map(results: ExperimentResult) -> Answer:
    """The words' vectors in the plane."""
    question = "Which words have similar vectors?"
    vectors, words = results.model.parameters["embedding.w"], list(results.data.meta["words"])
    figure = plots.embedding_map(vectors, words, question, note=note_of(results))
    pictures = [("embedding.png", "the words' vectors, projected to the plane of their two main components", figure)]
    return Answer("embedding", question, lines=[_nearest(vectors, words)], pictures=pictures)


def _nearest(vectors: np.ndarray, words: list[str]) -> str:
    """The pairs of words whose vectors, less the mean of all, have the smallest angle between them."""
    rows = directions(vectors[:MOST_WORDS])
    cosines = np.triu(rows @ rows.T, k=1)
    best = np.argsort(-cosines, axis=None, kind="stable")[:PAIRS]
    first, second = np.unravel_index(best, cosines.shape)
    pairs = [f"{words[i]} and {words[j]} ({cosines[i, j]:.2f})" for i, j in zip(first, second, strict=True)]
    return f"Nearest, by the cosine of the angle between their vectors, each minus the mean vector: {', '.join(pairs)}."


def told_gaps(runs: Runs) -> list[str]:
    """The best and the worst, and by how much each is better on its training data than on the validation data."""
    gaps = {
        label: 100 * (run.metrics["train_accuracy"] - run.metrics["val_accuracy"])
        for label, run in runs.items()
        if {"train_accuracy", "val_accuracy"} <= run.metrics.keys()
    }
    texts = ", ".join(f"{label} {gap:+.1f}" for label, gap in gaps.items())
    return [*ranking(runs), *([f"Training accuracy minus validation accuracy, in points: {texts}."] if gaps else [])]


def told_speed(runs: Runs) -> list[str]:
    """The best and the worst, and in which epoch each reached a validation loss that half of them reach."""
    lowest = [min(run.curve("val_loss")) for run in runs.values() if run.curve("val_loss")]
    if len(lowest) < 2:
        return ranking(runs)
    level = math.ceil(100 * sorted(lowest)[len(lowest) // 2]) / 100
    reached = {label: epochs_to(run, "val_loss", level) for label, run in runs.items()}
    texts = [f"{label} {f'in epoch {epoch:,}' if epoch else 'never'}" for label, epoch in reached.items()]
    return [*ranking(runs), f"A validation loss of {level:.2f} is reached: {', '.join(texts)}."]


def told_against_none(runs: Runs) -> list[str]:
    """`told_gaps`, and the change of the validation loss by each means against none of them."""
    if "none" not in runs:
        return told_gaps(runs)
    base = runs["none"].metrics["val_loss"]
    texts = [f"{label} {run.metrics['val_loss'] - base:+.3f}" for label, run in runs.items() if label != "none"]
    return [*told_gaps(runs), *([f"Validation loss against none: {', '.join(texts)}."] if texts else [])]
