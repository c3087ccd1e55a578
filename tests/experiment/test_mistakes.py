"""Where a net errs: computed from its predictions on the test set."""

from types import SimpleNamespace

import numpy as np

from fastnn.data import Dataset, Split
from fastnn.experiment.mistakes import mistakes_of

NAMES = ["cat", "car", "cow"]
TRUTH = np.array([0, 0, 0, 0, 1, 1, 2])
TAKEN = np.array([0, 1, 1, 0, 1, 1, 0])


def result(outputs, y, names=NAMES, shape=(4, 4), test=True):
    pictures = np.zeros((len(y), *shape), np.uint8)
    split = Split(pictures, y)
    train = Split(pictures[:1], y[:1])
    data = Dataset(train, None if test else split, split if test else None, {"classes": names, "source": "x"})
    return SimpleNamespace(data=data, loaded=data, model=SimpleNamespace(predict=lambda x: outputs))


def test_the_pair_that_is_confused_most_and_the_class_that_is_known_least():
    (answer,) = mistakes_of(result(np.eye(3)[TAKEN], TRUTH))
    assert answer.question == "Where does the net err, on the test set?"
    assert answer.lines == ["Most often cat is taken for car: 2 of 4.", "Recognised least often: cow (0.0 %)."]
    assert [(row.label, row.here["accuracy"]) for row in answer.tables[0].rows] == [
        ("cat", 0.5),
        ("car", 1),
        ("cow", 0),
    ]
    assert [name for name, _, _ in answer.pictures] == ["confusion.png", "mistakes.png"]


def test_one_signed_output_tells_two_classes_apart():
    outputs, y = np.array([[0.5], [-0.2], [0.9]]), np.array([[1.0], [1.0], [-1.0]])
    (answer,) = mistakes_of(result(outputs, y, NAMES[:2]))
    assert answer.lines[0] == "Most often cat is taken for car: 1 of 1."


def test_without_mistakes_and_without_pictures():
    (answer,) = mistakes_of(result(np.eye(3)[TRUTH], TRUTH, test=False))
    assert answer.question.endswith("on the validation set?")
    assert answer.lines == ["No sample is taken for another class."]
    (answer,) = mistakes_of(result(np.eye(3)[TAKEN], TRUTH, shape=(2,)))
    assert [name for name, _, _ in answer.pictures] == ["confusion.png"]


def test_what_is_no_classification_has_no_mistakes():
    assert mistakes_of(result(np.eye(3)[TAKEN], TRUTH, names=())) == []
    assert mistakes_of(result(np.zeros((7, 250)), TRUTH)) == []
