"""Users' numbers, samples, targets and weights: accepted forms, and refusals that name the argument."""

import numpy as np
import pytest

from fastnn.common import validation
from fastnn.common.errors import DataError, ShapeError
from fastnn.common.weights import class_weights, combined_weights, sample_weights


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)])
def test_whole_numbers_of_python_and_numpy(value):
    got = validation.whole_number("n", value)
    assert (got, type(got)) == (3, int)


@pytest.mark.parametrize("value", [True, np.True_, 3.0, "3", None, [3], np.array(3.0)])
def test_what_is_no_whole_number(value):
    with pytest.raises(TypeError, match=r"^n is .*, expected a whole number$"):
        validation.whole_number("n", value)
    assert not validation.is_whole_number(value)


def test_the_least_whole_number_and_its_error():
    assert validation.whole_number("n", 0, least=0) == 0
    with pytest.raises(ValueError, match=r"^n is 0, expected at least 1$") as caught:
        validation.whole_number("n", 0)
    assert type(caught.value) is ValueError
    with pytest.raises(DataError, match=r"^n is 1, expected at least 2$"):
        validation.whole_number("n", 1, least=2, error=DataError)


def test_real_numbers():
    assert validation.real_number("lr", np.float32(0.5)) == 0.5
    for value in (True, "0.5", 1j, None):
        with pytest.raises(TypeError, match=r"^lr is .*, expected a number$"):
            validation.real_number("lr", value)


@pytest.mark.parametrize(
    ("given", "kind"), [("u1", "u1"), (">i4", "i4"), ("i2", "i8"), (">f4", "f4"), ("f2", "f8"), ("?", "u1")]
)
def test_arrays_take_a_dtype_that_kernels_gather_from(given, kind):
    got = validation.finite(np.eye(3, dtype=given).T[::2], "x")
    assert got.dtype == np.dtype(kind)
    assert got.dtype.isnative
    assert got.flags.c_contiguous
    assert got.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_whole_floats_become_ids():
    got = validation.whole_numbers([[0.0, 2.0]], "x", 3, "ids")
    assert (got.dtype, got.tolist()) == (np.int64, [[0, 2]])
    for bad, said in ((3, "expected 0 to 2"), (-1, "expected 0 to 2"), (0.5, "expected whole"), (np.inf, "whole")):
        with pytest.raises(DataError, match=rf"^x\[1, 0\] is {bad}, .*{said}.*\(ids\)$"):
            validation.whole_numbers([[0, 1], [bad, 9]], "x", 3, "ids")


def test_the_first_number_that_is_not_finite_is_named():
    with pytest.raises(DataError, match=r"^x\[0, 1\] is nan, expected finite numbers$"):
        validation.finite([[1, np.nan], [np.inf, 2]], "x")
    large = np.full(4, np.finfo(float).max)
    assert (validation.finite(large, "x") == large).all(), "their sum overflows, they themselves do not"


@pytest.mark.parametrize(("shape", "wanted"), [((3, 2), "(N, 3): N samples of shape (3,)"), ((), "(N, 3)")])
def test_shapes_of_samples(shape, wanted):
    with pytest.raises(ShapeError) as caught:
        validation.samples(np.zeros(shape), "x", (3,))
    assert wanted in str(caught.value)
    with pytest.raises(DataError, match="x is empty"):
        validation.samples(np.zeros((0, 3)), "x", (3,))


@pytest.mark.parametrize(
    ("given", "shape", "hint"),
    [
        ((5, 20), (20, 1), "; the same numbers in that shape: np.reshape(x, (-1, 20, 1))"),
        ((5, 4, 1), (4,), "; the same numbers in that shape: np.reshape(x, (-1, 4))"),
        ((5,), (1,), "; the same numbers in that shape: np.reshape(x, (-1, 1))"),
        ((1, 28, 28), (28, 28), None),
        ((5, 1, 28, 28), (28, 28, 1), "; channels go last: x.transpose(0, 2, 3, 1)"),
        ((5, 3), (2,), ": N samples of shape (2,)"),
        ((), (1,), ": N samples of shape (1,)"),
    ],
)
def test_the_same_numbers_in_another_shape(given, shape, hint):
    if hint is None:
        assert validation.samples(np.zeros(given), "x", shape).shape == given
        return
    with pytest.raises(ShapeError) as caught:
        validation.samples(np.zeros(given), "x", shape)
    assert str(caught.value).endswith(hint)


def test_sentences_are_no_array_of_a_wrong_shape():
    with pytest.raises(TypeError, match=r"^x has dtype <U10, expected numbers; texts must become numbers first"):
        validation.samples(["a good day", "a bad one"], "x", (3,))


def test_weights_of_samples_and_classes_multiply():
    own, by_class = sample_weights([1, 2, 3], 3), class_weights({1: 0.5}, 2)
    y = np.array([0, 1, 1])
    assert combined_weights(own, by_class, y).tolist() == [1, 1, 1.5]
    assert combined_weights(None, by_class, y).tolist() == [1, 0.5, 0.5]
    assert combined_weights(own, None, y) is own
    assert combined_weights(None, None, y) is None


@pytest.mark.parametrize(
    ("samples", "fraction", "want"), [(10, 0.2, 8), (10, 0.25, 8), (3, 0.4, 2), (10, 0.05, None), (1, 0.5, None)]
)
def test_how_many_samples_train(samples, fraction, want):
    if want is not None:
        assert validation.training_count(samples, fraction, False) == want
        return
    with pytest.raises(ValueError, match="expected a fraction that leaves some"):
        validation.training_count(samples, fraction, False)
