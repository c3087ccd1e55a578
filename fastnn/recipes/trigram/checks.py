"""Small computations on what the trigram report explains: a stable softmax, and what a sum of embeddings forgets."""

import itertools
from dataclasses import replace

import numpy as np

from fastnn import ops
from fastnn.common.text import percent
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.predictions import most_likely
from fastnn.experiment.recipe import Recipe
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.settings import changed
from fastnn.experiment.train_one import fewer_samples
from fastnn.models import Model

# Scores of three classes. In float32 exp overflows from 88.73 on: exp(88) is 1.7e38, the largest number 3.4e38.
SCORES = ((1, 2, 3), (86, 87, 88), (87, 88, 89), (1000, 1001, 1002), (1e38, 2e38, 3e38), (-120, -115, -110))

ORDERED = 200  # test trigrams whose words are put in another order
# A net that is trained for the demonstration alone, for less than a second; Adam, as it begins fastest.
SHORT = {"samples": 20_000, "epochs": 2, "batch_size": 50, "optimizer": "adam", "lr": 0.003, "initializer": "xavier"}
KINDS = {"concatenate": "side by side", "sum": "summed"}
ORDER_QUESTION = "What do the embeddings' sum and their concatenation know of the order of the words?"


def softmax_answer() -> Answer:
    """Ways to compute softmax and its cross-entropy in float32, at scores where they differ."""
    rows = [Row(", ".join(f"{score:g}" for score in scores), _ways(np.array(scores, np.float32))) for scores in SCORES]
    wrong = [row.label for row in rows if "nan" in str(row.here["as_written"])]
    lines = [
        f"exp(x) / Σ exp(x), as it is written, is not a number at {len(wrong)} of {len(rows)}: {'; '.join(wrong)}.",
        "Scaling the scores to 0 … 1 by minimum and maximum never overflows, but gives other probabilities.",
        "Minus the largest score, the exponentials are at most 1. Log-softmax gives the loss where a probability is 0.",
    ]
    question = "When must softmax be made stable? (float32: scores of three classes)"
    table = Table(rows, "probability of the largest score, and cross-entropy of the smallest")
    return Answer("softmax", question, [table], lines)


def _ways(x: np.ndarray) -> dict[str, str]:
    """The probability of the last of three scores, and −log of that of the first, by each way."""
    with np.errstate(all="ignore"):
        naive = _normalised(np.exp(x))
        scaled = _normalised(np.exp((x - x.min()) / (x.max() - x.min())))
        naive_loss = -np.log(naive[0])
    loss = ops.softmax_cross_entropy(x[None], np.array([0]))[0]
    return {
        "as_written": f"{naive[-1]:.4f}",
        "min-max": f"{scaled[-1]:.4f}",
        "less_the_max": f"{ops.softmax(x[None])[0, -1]:.4f}",
        "its_loss": f"{naive_loss:.4g}",
        "log-softmax": f"{float(np.ravel(loss)[0]):.4g}",
    }


def _normalised(exponentials: np.ndarray) -> np.ndarray:
    return exponentials / exponentials.sum()


def order_answer(results: ExperimentResult, recipe: Recipe) -> Answer:
    """All orders of the words of one test trigram through a net of either kind, and how often another order matters."""
    nets = dict(_net(results, recipe, kind) for kind in KINDS)
    first = next(iter(nets.values()))
    trigrams = _different(results)
    orders = list(itertools.permutations(range(trigrams.shape[1])))
    chosen = _most_changed(first, trigrams, orders)
    words = results.data.meta["words"]
    ordered = np.stack([chosen[list(order)] for order in orders])
    found = {kind: most_likely(net, words, ordered, 1) for kind, net in nets.items()}
    rows = [
        Row(
            " ".join(words[i] for i in chosen[list(order)]),
            {kind: f"{best[n][0][0]} {percent(best[n][0][1], 1)}" for kind, best in found.items()},
        )
        for n, order in enumerate(orders)
    ]
    lines = [_told(kind, net, trigrams, orders) for kind, net in nets.items()]
    if any(kind.endswith("*") for kind in nets):
        lines.append(f"* trained for this answer: {SHORT['epochs']} epochs of {SHORT['samples']:,} samples.")
    return Answer("order", ORDER_QUESTION, [Table(rows, "the most likely next word")], lines)


def _net(results: ExperimentResult, recipe: Recipe, kind: str) -> tuple[str, Model]:
    """A net of this command that combines embeddings so, or one that is trained shortly for this; and what it is."""
    for run in (results.chosen, *results.runs):
        if run.model is not None and run.settings.combine == kind:
            return KINDS[kind], run.model
    settings = replace(changed(results.chosen.settings, **SHORT), combine=kind)
    data = fewer_samples(results.data, settings.samples)
    model, optimizer = recipe.build(settings, data)
    given = recipe.fit_arguments(settings, data.train)
    model.fit(**given, optimizer=optimizer, epochs=settings.epochs, verbose=False)
    return f"{KINDS[kind]}*", model


def _different(results: ExperimentResult) -> np.ndarray:
    """Test trigrams of different words, (n, C): up to ORDERED, drawn once and for all."""
    test = results.data.test or results.data.train
    x = np.asarray(test.drawn(min(len(test), 10 * ORDERED)).x)
    ordered = np.sort(x, axis=1)
    return x[(np.diff(ordered, axis=1) > 0).all(axis=1)][:ORDERED] if len(x) else x


def _predictions(net: Model, trigrams: np.ndarray, orders: list[tuple[int, ...]]) -> np.ndarray:
    """(orders, trigrams, words)"""
    return np.stack([net.predict(np.ascontiguousarray(trigrams[:, list(order)])) for order in orders])


def _most_changed(net: Model, trigrams: np.ndarray, orders: list[tuple[int, ...]]) -> np.ndarray:
    """The trigram whose probabilities differ most among the orders."""
    found = _predictions(net, trigrams, orders)
    return trigrams[int(np.ptp(found, axis=0).max(axis=1).argmax())]


def _told(kind: str, net: Model, trigrams: np.ndarray, orders: list[tuple[int, ...]]) -> str:
    found = _predictions(net, trigrams, orders)
    best = found.argmax(axis=2)
    changes = float((best != best[:1]).any(axis=0).mean())
    furthest = float(np.ptp(found, axis=0).max())
    return (
        f"{kind}: another order of the same words changes the most likely next word for {percent(changes, 0)} of "
        f"{len(trigrams):,} test trigrams; a probability by up to {furthest:.2g}."
    )
