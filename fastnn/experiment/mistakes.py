"""Where the chosen net errs: its confusion matrix, the accuracy of each class, and its worst mistakes."""

import numpy as np

from fastnn import plots
from fastnn.experiment.answers import Answer, Picture, Row, Table
from fastnn.experiment.pictures import note_of
from fastnn.experiment.results import ExperimentResult

MISTAKES = "mistakes"  # name of the answer
MOST_CLASSES = 30  # a matrix of more cannot be read
WORST = 20  # pictures of mistakes


def mistakes_of(result: ExperimentResult) -> list[Answer]:
    """One answer for a net that tells classes apart, on the test set, else the validation set; [] for another net."""
    split = result.data.test or result.data.val
    names = [str(name) for name in result.data.meta.get("classes", ())]
    if split is None or split.is_streamed or not 2 <= len(names) <= MOST_CLASSES:
        return []
    where = "test" if result.data.test else "validation"
    outputs = np.asarray(result.model.predict(split.x))
    truth, scores = _classes(split.y, is_signed=outputs.shape[1] == 1), _scores(outputs)
    if scores.shape[1] != len(names):
        return []
    matrix = np.zeros((len(names), len(names)), np.int64)
    np.add.at(matrix, (truth, scores.argmax(axis=1)), 1)
    figure = plots.confusion_matrix(
        matrix, names, f"Which classes are taken for which? ({where} set)", note=note_of(result)
    )
    pictures: list[Picture] = [("confusion.png", "true class by row, predicted class by column", figure)]
    pictures += _worst(result, truth, scores, names)
    rows = [
        Row(name, {"accuracy": _share(matrix[i, i], matrix[i].sum()), "samples": float(matrix[i].sum())})
        for i, name in enumerate(names)
    ]
    question = f"Where does the net err, on the {where} set?"
    return [
        Answer(MISTAKES, question, [Table(rows, "by class", is_detail=True)], _told(matrix, names), pictures=pictures)
    ]


def _classes(y: np.ndarray, is_signed: bool) -> np.ndarray:
    """Labels 0, 1, … of targets as the recipes have them: labels, or one column of −1 and 1."""
    y = np.asarray(y).reshape(len(y))
    return (y > 0).astype(np.int64) if is_signed else y.astype(np.int64)


def _scores(outputs: np.ndarray) -> np.ndarray:
    """Outputs with a column for each class; of a single output the second class is its sign."""
    return np.concatenate([-outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _told(matrix: np.ndarray, names: list[str]) -> list[str]:
    """The pair of classes that is confused most often, and the class that is recognised least often."""
    wrong = matrix - np.diag(np.diag(matrix))
    if not wrong.any():
        return ["No sample is taken for another class."]
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    shares = np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)
    least = int(np.where(matrix.sum(axis=1) > 0, shares, np.inf).argmin())
    return [
        f"Most often {names[true]} is taken for {names[taken]}: {wrong[true, taken]:,} of {matrix[true].sum():,}.",
        f"Recognised least often: {names[least]} ({100 * shares[least]:.1f} %).",
    ]


def _worst(result: ExperimentResult, truth: np.ndarray, scores: np.ndarray, names: list[str]) -> list[Picture]:
    """The pictures that are taken for another class with the most confidence; [] if samples are no pictures."""
    loaded = result.loaded.test if result.data.test else result.loaded.val
    taken = scores.argmax(axis=1)
    wrong = np.flatnonzero(taken != truth)
    if loaded is None or len(loaded.x.shape) < 3 or not len(wrong):
        return []
    margin = scores[wrong, taken[wrong]] - scores[wrong, truth[wrong]]
    chosen = wrong[np.argsort(-margin, kind="stable")[:WORST]]
    images = loaded.x[chosen]
    labels = [f"{names[truth[i]]}→{names[taken[i]]}" for i in chosen]
    title = "Which mistakes is the net surest of? (true → predicted)"
    figure = plots.image_grid(images, title, labels, signed=False, note=note_of(result))
    return [("mistakes.png", "true class → predicted class, the most confident mistakes first", figure)]
