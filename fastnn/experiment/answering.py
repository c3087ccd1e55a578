"""The answers that every command gives: how the chosen run came out, and one for each comparison."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from fastnn.common.figures import without_split
from fastnn.common.text import SPLITS, metric_name
from fastnn.experiment import pictures, sayings
from fastnn.experiment.answers import Answer, Row, Table, Value
from fastnn.experiment.comparison import Comparison
from fastnn.experiment.mistakes import MISTAKES, mistakes_of
from fastnn.experiment.results import ExperimentResult, RunResult, finished
from fastnn.nn.layers import BatchNorm

CHOSEN = "chosen"
Number = TypeVar("Number")


def answers_of(result: ExperimentResult, own: Iterable[Answer | str] = ()) -> list[Answer]:
    """All answers, in order: the chosen run, the comparisons, what else the recipe found, and the mistakes.

    own : the recipe's. One with the name of a usual answer takes that one's place; a text is the name of a usual one.
    What the recipe lists before either stands before it.
    """
    found: dict[str, list[Answer]] = {}  # usual answer -> what stands in its place
    waiting: list[Answer] = []
    usual = _usual(result)
    for answer in own:
        name = answer if isinstance(answer, str) else answer.name
        waiting += [] if isinstance(answer, str) else [answer]
        if name in usual:
            found[name] = [*waiting, *(usual[name]() if isinstance(answer, str) else [])]
            waiting = []
    # Those that the recipe replaces are not made: each draws a picture.
    ordered = {name: found[name] if name in found else make() for name, make in usual.items()}
    *first, last = ordered.values()
    answers = [*(answer for answers in first for answer in answers), *waiting, *last]
    failed = {comparison.name: _failures(members) for comparison, members in result.groups}
    return [replace(answer, lines=[*answer.lines, *failed.get(answer.name, [])]) for answer in answers]


def _failures(members: Mapping[str, RunResult]) -> list[str]:
    """A sentence for each run of a comparison that failed: why."""
    return [f"{label} failed: {run.failed}" for label, run in members.items() if run.failed]


def _usual(result: ExperimentResult) -> dict[str, Callable[[], list[Answer]]]:
    """The answers that every command gives, by name, in order; each is made when it is asked for."""

    def compared(comparison: Comparison, members: dict[str, RunResult]) -> Callable[[], list[Answer]]:
        return lambda: [compared_answer(result, comparison, members)]

    comparisons = {group[0].name: compared(*group) for group in result.groups}
    return {CHOSEN: lambda: [chosen_answer(result)], **comparisons, MISTAKES: lambda: mistakes_of(result)}


def chosen_answer(result: ExperimentResult) -> Answer:
    """The kept weights of the chosen run on each split, and its course."""
    rows = []
    for split, label in SPLITS.items():
        if f"{split}_loss" in result.chosen.metrics:
            rows.append(Row(label, _of_split(result.chosen, split), result.published.of(CHOSEN, label)))
    tables = [Table(rows, is_comparable=result.is_as_reported), *by_epoch_tables(result, CHOSEN, {"": result.chosen})]
    shown = [pictures.chosen(result)]
    return Answer(
        CHOSEN,
        "How good is the net?",
        tables,
        [_kept(result), *_normalised(result), *_entropies(result)],
        pictures=shown,
    )


def _of_split(run: RunResult, split: str) -> dict[str, float]:
    prefix = f"{split}_"
    return {name.removeprefix(prefix): value for name, value in run.metrics.items() if name.startswith(prefix)}


def _kept(result: ExperimentResult) -> str:
    run = result.chosen
    which = f"The weights are those after epoch {run.best_epoch:,} of {len(run.epochs):,}"
    why = f", the best by {metric_name(result.keep)}" if result.keep and run.best_epoch < len(run.epochs) else ""
    stopped = f" Stopped: {run.stop_reason}." if run.stop_reason else ""
    return f"{which}{why}.{stopped}"


def _normalised(result: ExperimentResult) -> list[str]:
    """Why training figures in table and curve may differ where batches are normalised; [] where none are."""
    if "train_loss" in result.chosen.epochs[-1] or not any(isinstance(one, BatchNorm) for one in result.model.layers):
        return []
    return [
        "The table's training figures are those of the net as it predicts, with the running statistics of its batch "
        "normalisation. The training curve is of the net in training, with the statistics of each batch."
    ]


def _entropies(result: ExperimentResult) -> list[str]:
    """The net's test loss beside the entropy of the data; [] where that is not known."""
    true, bigram = (result.data.meta.get(name) for name in ("true_entropy", "bigram_entropy"))
    loss = result.chosen.metrics.get("test_loss")
    if true is None or loss is None:
        return []
    side = "above" if loss >= true else "below"  # a sample may by chance have less loss than the entropy
    lines = [f"The data's true entropy is {true:.4f} nats; the test loss is {abs(loss - true):.4f} {side} it."]
    return lines + ([f"The best bigram model would reach {bigram:.4f}."] if bigram is not None else [])


def compared_answer(result: ExperimentResult, comparison: Comparison, members: dict[str, RunResult]) -> Answer:
    """The runs of a comparison: their metrics beside the published ones, their curves, and which came out best."""
    published, is_by_chance = result.published.rows(comparison.name), comparison.picture == "bands"
    # A run that this command did not make has a row with the figures of the report alone.
    labels = dict.fromkeys((*members, *published))
    rows = [_run_row(label, members.get(label), published.get(label, {}), is_by_chance) for label in labels]
    rows += sayings.spread_row(members) if is_by_chance else []
    tables = [*by_kind(rows), *by_epoch_tables(result, comparison.name, members)]
    ended = finished(members)
    told = comparison.told or (sayings.spread if is_by_chance else sayings.ranking)
    drawn = pictures.compared(result, comparison, ended)
    lines = [*told(ended), *sayings.kept(ended, result.keep)]
    return Answer(comparison.name, comparison.question, tables, lines, comparison.report, drawn)


def by_kind(rows: list[Row]) -> list[Table]:
    """The rows as one table for each kind of figure: the accuracies of all splits, then their losses."""
    names = Table(rows).names()
    kinds = dict.fromkeys(without_split(name) for name in names)
    return [Table(_of_kind(rows, kind), metric_name(kind)) for kind in kinds]


def _of_kind(rows: list[Row], kind: str) -> list[Row]:
    """The rows that have figures of one kind, with these alone."""
    found = [Row(row.label, _only(row.here, kind), _only(row.report, kind)) for row in rows]
    return [row for row in found if row.here or row.report]


def _only(figures: Mapping[str, Number], kind: str) -> dict[str, Number]:
    return {name: value for name, value in figures.items() if without_split(name) == kind}


def _run_row(label: str, run: RunResult | None, published: Mapping[str, float], has_losses: bool) -> Row:
    return Row(label, _shown(run, published, has_losses) if run else {}, published)


def _shown(run: RunResult, published: Mapping[str, float], has_losses: bool) -> Mapping[str, Value]:
    """The accuracies of a run, and the kinds of figures that the report published; losses where it has no accuracy."""
    kinds = {"accuracy", *(without_split(name) for name in published), *(["loss"] if has_losses else [])}
    found = {name: value for name, value in run.metrics.items() if without_split(name) in kinds}
    return found or {name: value for name, value in run.metrics.items() if without_split(name) == "loss"}


def by_epoch_tables(result: ExperimentResult, answer: str, members: dict[str, RunResult]) -> list[Table]:
    """A table for each run of which the report printed figures epoch by epoch."""
    tables = []
    for label, published in result.published.by_epoch.get(answer, {}).items():
        run = members.get(label)
        own = {entry["epoch"]: entry for entry in ([{"epoch": 0} | run.before, *run.epochs] if run else [])}
        rows = [_epoch_row(entry, own.get(entry["epoch"], {})) for entry in published.epochs()]
        tables.append(Table(rows, f"{label}, by epoch" if label else "by epoch", is_detail=True))
    return tables


def _epoch_row(entry: dict[str, float], own: dict[str, float]) -> Row:
    report = {name: value for name, value in entry.items() if name != "epoch"}
    return Row(f"epoch {entry['epoch']:,}", {name: own[name] for name in report if name in own}, report)
