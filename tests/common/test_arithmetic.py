"""Functions that compute as compiled code does."""

import numpy as np
import pytest

from fastnn.common.arithmetic import ieee


@ieee
def power(x, times=1):
    """x to the power 400."""
    return power(x, times - 1) if times > 1 else np.array([x]) ** 400


def test_overflow_and_underflow_are_numbers_whatever_the_user_chose():
    assert power.__doc__ == "x to the power 400."
    with np.errstate(all="raise"):
        assert power(0.1).tolist() == [0.0]
        assert power(10.0, times=3).tolist() == [np.inf]
        with pytest.raises(FloatingPointError):
            np.array([0.1]) ** 400
        assert set(np.geterr().values()) == {"raise"}


def test_the_choice_comes_back_after_an_error():
    @ieee
    def fails():
        raise KeyError

    with np.errstate(all="raise"):
        with pytest.raises(KeyError):
            fails()
        assert set(np.geterr().values()) == {"raise"}
