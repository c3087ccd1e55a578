"""What is told of a table: what is in it, how well it is predicted beside simpler rules, which columns matter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastnn import plots
from fastnn.common.text import figure_text, number_text, percent, plural, with_deviation
from fastnn.common.weights import balanced_weights
from fastnn.data import Split
from fastnn.experiment import pictures
from fastnn.experiment.answering import chosen_answer
from fastnn.experiment.answers import Answer, Row, Table
from fastnn.experiment.mistakes import MISTAKES
from fastnn.experiment.results import ExperimentResult
from fastnn.models import Model
from fastnn.recipes.table.contents import data_answer
from fastnn.recipes.table.importance import NOISE, TIMES, Importance, importances
from fastnn.recipes.table.rows import worst_rows

BESIDE = "linear"  # the comparison with a linear model
SHOWN = 15  # columns in the picture
BALANCED = "balanced"  # of --class-weight
CURVES_OF_WEIGHTS = (
    "In the curves, and in history.csv, all classes count alike (--class-weight balanced); on the test rows, and in "
    "the metrics of summary.json, all rows do."
)
UNEQUAL = 0.9  # from this accuracy of always the same answer on, the accuracy says little


def answers(result: ExperimentResult) -> list[Answer | str]:
    """The table, the training, the figures beside simpler rules, residuals or confusion, and which columns matter."""
    chosen = chosen_answer(result)
    lines = [*chosen.lines, *_of_the_curves(result)]
    training = replace(chosen, question="How did the training go?", tables=[], lines=lines)
    return [data_answer(result), training, beside_answer(result), *_residuals(result), columns_answer(result), MISTAKES]


def _is_balanced(result: ExperimentResult) -> bool:
    return bool(result.chosen.settings.class_weight == BALANCED)


def _of_the_curves(result: ExperimentResult) -> list[str]:
    """In what the losses of the curves differ from the figures on the test rows; [] if in nothing."""
    meta = result.data.meta
    if "classes" not in meta:
        return [
            f"The losses are those of {meta['target']} less its mean, {number_text(meta['mean'])}, and divided by its "
            f"standard deviation, {number_text(meta['std'])}, both of the training rows."
        ]
    return [CURVES_OF_WEIGHTS] if _is_balanced(result) else []


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
    judged = "RMSE" if "classes" not in meta else "balanced accuracy" if _is_balanced(result) else "accuracy"
    told = _told(rows, len(split), judged)
    if "classes" in meta:
        told += _told_of_weights(rows[-1], _is_balanced(result))
    return Answer(name, question, [Table(rows, f"on {plural(len(split), 'test row')}")], told)


class Constant(NamedTuple):
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
    right = predicted.argmax(axis=1) == y
    figures = {"accuracy": right.mean(), "balanced accuracy": _balanced(right, y), "loss": _loss(predicted, y)}
    return {name: float(figure) for name, figure in figures.items()}


def _loss(predicted: np.ndarray, y: np.ndarray, by_class: np.ndarray | None = None) -> float:
    """The mean cross-entropy; by_class : weights of the classes (classes,), by which rows count; None: all alike."""
    losses = -np.log(np.maximum(predicted[np.arange(len(y)), y], 1e-12))
    return float(np.average(losses, weights=None if by_class is None else by_class[y]))


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


def _told(rows: list[Row], count: int, judged: str) -> list[str]:
    """The net beside the best of the others by one of the figures, and how much of an accuracy is chance."""
    net, *others = rows
    if judged == "RMSE":
        best = min(others, key=lambda row: row.here["RMSE"])
        here, there = (figure_text("rmse", float(row.here["RMSE"])) for row in (net, best))
        return [f"The net's RMSE is {here}; the best of the others ({best.label}) has {there}."]
    best = max(others, key=lambda row: row.here[judged])
    ahead = 100 * (float(net.here[judged]) - float(best.here[judged]))
    where = f"{abs(ahead):.2f} points {'above' if ahead > 0 else 'below'}" if abs(ahead) >= 0.005 else "as high as"
    right = float(net.here["accuracy"])
    chance = 100 * float(np.sqrt(right * (1 - right) / count))
    return [
        f"The net's {judged} is {where} that of the best of the others ({best.label}). Which rows are tested is "
        f"chance: an accuracy moves by ± {chance:.2f} points (one standard error)"
        f"{'; a balanced one by more, where a class has few rows' if judged != 'accuracy' else ''}."
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
    is_classes, weights = "classes" in meta, None
    if _is_balanced(result):
        weights = balanced_weights(result.data.train.y, len(meta["classes"]))

    def error(model: Model, part: Split) -> float:
        if is_classes:
            return _loss(_predicted(model, part), part.y, weights)
        return _judge_numbers(_predicted(model, part), part.y, meta)["RMSE"]

    found = importances(result.model, meta["preprocessing"], split, error)
    rise = "rise in loss" if is_classes else "rise in RMSE"
    rows = [Row(one.name, {rise: with_deviation(one.rise, one.deviation)}) for one in found]
    figure = _columns_picture(result, found, rise)
    drawn = [("columns.png", f"{rise} when a column is shuffled: mean and standard deviation", figure)]
    lines = _columns_told(found) + ([] if weights is None else ["All classes count alike in the loss."])
    return Answer("columns", "Which columns matter?", [Table(rows)], lines, pictures=drawn)


def _columns_told(found: Sequence[Importance]) -> list[str]:
    """Which columns matter most, which cannot be told from noise, which mislead, and how that is judged."""
    best = [one.name for one in found if one.is_clear]
    misleading = [one.name for one in found if one.misleads]
    noise = [one.name for one in found if not one.is_clear and not one.misleads]
    lines = [f"Most important: {', '.join(best[:3])}."] if best else []
    if not best and not misleading:
        lines.append("No column can be told from noise.")
    elif noise:
        lines.append(f"Cannot be told from noise: {_first_of(noise)}")
    if misleading:
        lines.append(f"Predictions of these rows get better by shuffling: {_first_of(misleading)}")
    return [
        *lines,
        f"Each was shuffled {TIMES} times in the validation rows. A rise of at most {NOISE} standard deviations counts "
        "as noise. Columns that carry the same information share their importance.",
    ]


def _first_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:8])}{', …' if names[8:] else '.'}"


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
