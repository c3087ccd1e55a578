"""What is told of a table: what is in it, how well it is predicted beside simpler rules, which columns matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastnn import plots
from fastnn.common.text import percent, plural
from fastnn.data import Split
from fastnn.data.preprocessing import Table as Preprocessed
from fastnn.experiment import pictures
from fastnn.experiment.answering import chosen_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.mistakes import MISTAKES
from fastnn.experiment.results import ExperimentResult
from fastnn.models import Model
from fastnn.recipes.table_importance import TIMES, Importance, importances
from fastnn.recipes.table_rows import by_column, number_text, worst_rows

BESIDE = "linear"  # the comparison with a linear model
SHOWN = 15  # columns in the picture
BALANCED = "balanced"  # of --class-weight
UNEQUAL = 0.9  # from this accuracy of always the same answer on, the accuracy says little


def answers(result: ExperimentResult) -> list[Answer | str]:
    """The table, the training, the figures beside simpler rules, residuals or confusion, and which columns matter."""
    training = replace(chosen_answer(result), question="How did the training go?", tables=[])
    return [data_answer(result), training, beside_answer(result), *_residuals(result), columns_answer(result), MISTAKES]


def data_answer(result: ExperimentResult) -> Answer:
    """How many rows and columns there are, what was left out and why, and a table of the columns."""
    meta, loaded = result.data.meta, result.loaded
    rows = sum(len(split) for split in loaded.splits().values())
    table: Preprocessed = meta["preprocessing"]
    kinds = f"{len(table.numbers)} of numbers, {len(table.categories)} of categories"
    lines = [f"{plural(rows, 'row')}; {plural(len(meta['columns']), 'column')} to predict from: {kinds}."]
    lines.append(f"What is predicted: {meta['target']}, {_kind_of_target(result)}.")
    if meta["rows_left_out"]:
        lines.append(f"Left out: {plural(meta['rows_left_out'], 'row')} without {meta['target']}.")
    lines += [f"Left out: column {name} ({why})." for name, why in meta["dropped"].items()]
    lines += [f"To look at: column {name} ({hint})." for name, hint in meta["hints"].items()]
    tables = [Table(by_column(table, loaded.train.x), "by column, in the training rows", is_detail=True)]
    return Answer("data", "What is in the table?", tables, lines)


def _kind_of_target(result: ExperimentResult) -> str:
    meta = result.data.meta
    if "classes" not in meta:
        return "a number (regression; --task classification says otherwise)"
    names = ", ".join(meta["classes"][:6]) + (", …" if len(meta["classes"]) > 6 else "")
    return f"one of {len(meta['classes'])} classes: {names} (classification; --task regression says otherwise)"


def beside_answer(result: ExperimentResult) -> Answer:
    """The net, a linear model where it was trained, and the best constant answer, on the test rows."""
    split, meta = result.data.test, result.data.meta
    assert split is not None, "a table is always divided"
    judge = _judge_classes if "classes" in meta else _judge_numbers
    rows = [Row("the net", judge(_predicted(result.model, split), split.y, meta))]
    linear = result.group(BESIDE)
    for label, run in linear.items():
        assert run.model is not None, "runs that failed are left out"
        rows.append(Row(label, judge(_predicted(run.model, split), split.y, meta)))
    constant = constant_rule(result)
    rows.append(Row(constant.label, judge(constant.of(len(split)), split.y, meta)))
    name = BESIDE if linear else "beside"
    question = f"How well does it predict {meta['target']}, beside simpler rules?"
    told = _told(rows, len(split))
    if "classes" in meta:
        told += _told_of_weights(rows[-1], result.chosen.settings.class_weight == BALANCED)
    return Answer(name, question, [Table(rows, f"on {plural(len(split), 'test row')}")], told)


@dataclass(frozen=True)
class Constant:
    """The best answer that is the same for all rows: probabilities of the classes, or a standardised number."""

    label: str
    row: np.ndarray

    def of(self, count: int) -> np.ndarray:
        """The answer for `count` rows, as `_predicted` gives answers."""
        return np.repeat(self.row[None], count, axis=0)


def constant_rule(result: ExperimentResult) -> Constant:
    """Fractions of the training rows' classes; or the mean of their numbers, which is 0 of standardised ones."""
    classes, y = result.data.meta.get("classes"), np.asarray(result.data.train.y)
    if classes is None:
        return Constant("always the mean", np.zeros(1))
    counts = np.bincount(y, minlength=len(classes))
    return Constant(f"always {classes[counts.argmax()]}", np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum())


def _predicted(model: Model, split: Split) -> np.ndarray:
    return np.asarray(model.predict(split.x), np.float64)


def _judge_classes(predicted: np.ndarray, y: np.ndarray, meta: Mapping) -> dict[str, float]:
    chosen, right = np.maximum(predicted[np.arange(len(y)), y], 1e-12), predicted.argmax(axis=1) == y
    figures = {"accuracy": right.mean(), "balanced accuracy": _balanced(right, y), "loss": -np.log(chosen).mean()}
    return {name: float(figure) for name, figure in figures.items()}


def _balanced(right: np.ndarray, y: np.ndarray) -> float:
    """The mean over the classes that occur of how many of their rows are recognised."""
    return float(np.mean([right[y == label].mean() for label in np.unique(y)]))


def _judge_numbers(predicted: np.ndarray, y: np.ndarray, meta: Mapping) -> dict[str, float]:
    """In the target's units; R² = 1 − Σ (y − ŷ)² / Σ (y − mean y)², of the test rows."""
    errors = predicted[:, 0] - y
    spread = float(((y - y.mean()) ** 2).sum())
    r2 = 1 - float((errors**2).sum()) / spread if spread else float("nan")
    rmse = meta["std"] * float(np.sqrt((errors**2).mean()))
    return {"R²": r2, "RMSE": rmse, "MAE": meta["std"] * float(np.abs(errors).mean())}


def _told(rows: list[Row], count: int) -> list[str]:
    """The net beside the best of the others, and how much of an accuracy is chance."""
    net, *others = rows
    if "accuracy" not in net.here:
        best = min(others, key=lambda row: row.here["RMSE"])
        share = float(net.here["RMSE"]) / float(best.here["RMSE"]) if best.here["RMSE"] else float("nan")
        return [f"The net's RMSE is {share:.2f} times that of the best of the others ({best.label})."]
    best = max(others, key=lambda row: row.here["accuracy"])
    mine, theirs = float(net.here["accuracy"]), float(best.here["accuracy"])
    chance = 100 * float(np.sqrt(mine * (1 - mine) / count))
    return [
        f"The net is {100 * abs(mine - theirs):.2f} points {'above' if mine >= theirs else 'below'} the best of the "
        f"others ({best.label}). Which rows are tested is chance: an "
        f"accuracy moves by ± {chance:.2f} points (one standard error)."
    ]


def _told_of_weights(always: Row, is_balanced: bool) -> list[str]:
    """By what to judge where classes are unequal, and how much they count in training."""
    share = float(always.here["accuracy"])
    unequal = f"The classes are unequal: {always.label!r} is right in {percent(share, 1)} of the rows."
    if is_balanced:
        told = [
            "In training all classes counted alike (--class-weight balanced). So judge by the balanced accuracy. The "
            "accuracy and the loss count each row alike, and the net takes more rows for a rare class than there are."
        ]
        return [unequal, *told] if share >= UNEQUAL else told
    if share < UNEQUAL:
        return []
    return [
        f"{unequal} So judge by the loss, and by the balanced accuracy, in which all classes count alike. "
        "--class-weight balanced lets them count alike in training, too."
    ]


def columns_answer(result: ExperimentResult) -> Answer:
    """How much the validation loss rises, or the error of a regression, when each column is shuffled.

    The loss, as the accuracy of unequal classes hardly moves whatever the net knows.
    """
    split, meta = result.data.val, result.data.meta
    assert split is not None, "a table is always divided"
    is_classes = "classes" in meta

    def error(model: Model, part: Split) -> float:
        figures = (_judge_classes if is_classes else _judge_numbers)(_predicted(model, part), part.y, meta)
        return figures["loss" if is_classes else "RMSE"]

    found = importances(result.model, meta["preprocessing"], split, error)
    rise = "loss gained" if is_classes else "RMSE gained"
    rows = [Row(one.name, {rise: f"{number_text(one.rise)} ± {number_text(one.deviation)}"}) for one in found]
    figure = _columns_picture(result, found, rise)
    drawn = [("columns.png", "how much is lost when a column is shuffled: mean and deviation", figure)]
    return Answer("columns", "Which columns matter?", [Table(rows)], _columns_told(found), pictures=drawn)


def _columns_told(found: Sequence[Importance]) -> list[str]:
    """Which columns matter most, and which are not seen to."""
    useless = [one.name for one in found if one.rise <= one.deviation]
    best = ", ".join(one.name for one in found[:3] if one.name not in useless)
    lines = [f"Most important: {best}." if best else "No column is seen to matter."]
    if useless:
        lines.append(f"Not seen to matter, alone: {', '.join(useless[:8])}{', …' if useless[8:] else '.'}")
    shuffled = f"Each was shuffled {TIMES} times in the validation rows"
    return [*lines, f"{shuffled}; columns that say the same share their worth."]


def _columns_picture(result: ExperimentResult, found: Sequence[Importance], rise: str) -> Any:
    """Bars of the columns that matter most."""
    meta, shown = result.data.meta, found[:SHOWN]
    unit = "nats" if "classes" in meta else f"in units of {meta['target']}"
    return plots.bars(
        [one.name for one in shown],
        [one.rise for one in shown],
        f"Which columns does the prediction of {meta['target']} need?",
        f"{rise}, {unit}",
        deviations=[one.deviation for one in shown],
        note=pictures.note_of(result),
    )


def _residuals(result: ExperimentResult) -> list[Answer]:
    """The worst rows; of a regression, predictions beside true numbers, too. Classes have their confusion matrix."""
    split, meta = result.data.test, result.data.meta
    assert split is not None, "a table is always divided"
    predicted = _predicted(result.model, split)
    table = Table(worst_rows(result, predicted), "the worst test rows, by line of the file", is_detail=True)
    if "classes" in meta:
        return [Answer("worst", "Which rows is it most wrong about?", [table])]
    truth, guessed = (meta["mean"] + meta["std"] * np.asarray(one) for one in (split.y, predicted[:, 0]))
    title = f"How far off is {meta['target']}? (test rows)"
    figure = plots.residuals(truth, guessed, title, name=meta["target"], note=pictures.note_of(result))
    off = np.abs(truth - guessed)
    half, most = (number_text(float(np.quantile(off, share))) for share in (0.5, 0.9))
    lines = [f"Half of the test rows are off by {half} or less, nine of ten by {most} or less."]
    caption = "left: predicted over true, dashed where they agree; right: what is left over"
    return [Answer("residuals", "Where does it err?", [table], lines, pictures=[("residuals.png", caption, figure)])]
