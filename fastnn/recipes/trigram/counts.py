"""Has the net earned its time? Models that only count words, on the same samples, and both together."""

import numpy as np

from fastnn.data import Dataset, Split
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.train_one import fewer_samples
from fastnn.language.scoring import of_rows
from fastnn.models import Model
from fastnn.recipes.trigram.text import judged_words
from fastnn.text.kneser_ney import Floats, Ids, KneserNey
from fastnn.text.mixture import best_weight, mixed
from fastnn.text.vocabulary import START

LONGEST = 4  # words that are counted together, at most: longer runs hardly recur; characters as many as a sample has
COUNTED = 2_000_000  # n-grams of a text that is not in memory
BLOCK = 1 << 22  # probabilities that are held at a time, of all words after some samples
SPLITS = ("val", "test")
PERPLEXITY = "Perplexity is exp(loss): at 100 the next word is as uncertain as a choice among 100 equally likely ones."
QUESTION = "Does the net predict words better than counts do?"


def counts_answer(results: ExperimentResult) -> Answer:
    """Loss and perplexity of counted words, pairs and n-grams, of the net, and of the net mixed with the n-grams."""
    given, samples = results.data, results.chosen.settings.samples
    grams = given.meta.get("grams")  # of data in rows of words
    data = fewer_samples(grams or given, samples * given.train.x.shape[1] if grams else samples)
    most = judged_words(results.chosen.settings) if "tokenizer" in given.meta else None  # as many as of the net
    val, test = (data.splits()[split].in_memory(most) for split in SPLITS)
    data = Dataset(data.train, val, test, data.meta)
    words, order = len(data.meta["words"]), _longest(data)
    counted = {_named(n, order): _counted(data, n) for n in sorted({1, 2, order})}
    net = {split: _of_net(results.model, getattr(data, split), words) for split in SPLITS}
    counts = counted[_named(order, order)]
    weight = best_weight(net["val"], counts["val"])
    both = {split: mixed(weight, net[split], counts[split]) for split in SPLITS}
    rows = [_row(label, found) for label, found in {**counted, "the net": net, "net and counts": both}.items()]
    lines = [PERPLEXITY, _apart(net, counts), _together(weight, both, counts)]
    if data.train.is_streamed:
        lines.append(f"Counted were the first {min(len(data.train), COUNTED):,} samples of the text.")
    return Answer("counts", QUESTION, [Table(rows)], lines)


def _longest(data: Dataset) -> int:
    """The n of the n-grams that the net is held against."""
    order = data.train.x.shape[1] + 1
    of_signs = data.meta.get("tokenizer", {}).get("kind") in ("characters", "bytes")
    return order if of_signs else min(order, LONGEST)


def _named(n: int, order: int) -> str:
    """What counts of n words are called; `order` is the n of those that the net is held against."""
    if n == order:
        return f"counted {n}-grams"
    return "counted words" if n == 1 else "counted pairs"


def _counted(data: Dataset, order: int) -> dict[str, Floats]:
    """p of the next words of validation and test data, from counts of the training data."""
    words = list(data.meta["words"])
    start = words.index(START) if START in words else None
    model = KneserNey(_windows(data.train, order), len(words), start=start)
    return {split: model.probabilities(_windows(getattr(data, split), order)) for split in SPLITS}


def _windows(split: Split, order: int) -> Ids:
    if split.is_streamed:
        split = split.in_memory(COUNTED)
    return np.column_stack([split.x, split.y])[:, -order:]


def _of_net(model: Model, split: Split, words: int) -> Floats:
    """The net's p of the next word of each sample."""
    if model.network.outputs[0].steps:
        return np.exp(-of_rows(model, np.column_stack([split.x, split.y]), words))
    found, rows = np.empty(len(split)), max(1, BLOCK // words)
    for low in range(0, len(split), rows):
        part = slice(low, low + rows)
        p = model.predict(split.x[part])
        found[part] = p[np.arange(len(p)), split.y[part]]
    return found


def _loss(p: Floats) -> float:
    return float(-np.log(np.maximum(p, np.finfo(float).tiny)).mean())


def _row(label: str, found: dict[str, Floats]) -> Row:
    losses = {f"{split}_loss": _loss(p) for split, p in found.items()}
    return Row(label, losses | {"test_perplexity": float(np.exp(_loss(found["test"])))})


def _percent_apart(one: dict[str, Floats], other: dict[str, Floats]) -> str:
    """How far the test perplexity of one is from that of the other."""
    change = np.exp(_loss(one["test"]) - _loss(other["test"])) - 1
    return f"{100 * abs(change):.1f} % {'below' if change < 0 else 'above'}"


def _apart(net: dict[str, Floats], counts: dict[str, Floats]) -> str:
    return (
        "All counts have interpolated modified Kneser-Ney smoothing. "
        f"The net's test perplexity is {_percent_apart(net, counts)} theirs."
    )


def _together(weight: float, both: dict[str, Floats], counts: dict[str, Floats]) -> str:
    return (
        f"Net and counts mixed, with the weight {weight:.2f} for the net, the best on the validation data, have a test "
        f"perplexity {_percent_apart(both, counts)} that of the n-grams."
    )
