"""Functions that compute as compiled code does."""

import contextlib
import inspect
import sys

import numpy as np
import pytest

from fastnn.common import arithmetic
from fastnn.common.arithmetic import ieee

FILES = (arithmetic.__file__, inspect.getsourcefile(np.errstate.__enter__))


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


class InterruptAt:
    """Raises KeyboardInterrupt at the event with this number of those in these files, as Python looks at signals there.

    came : whether there was such an event
    """

    def __init__(self, number):
        self.left, self.came = number, False

    def __call__(self, frame, event, argument):
        return self._at if frame.f_code.co_filename in FILES and self._at(frame, event, argument) else None

    def _at(self, frame, event, argument):
        self.left -= 1
        if self.left == 0:
            self.came = True
            raise KeyboardInterrupt
        return self._at


@pytest.mark.skipif(not arithmetic.IN_CONTEXT, reason="NumPy 1 keeps the choice in the thread")
def test_the_choice_comes_back_wherever_ctrl_c_comes():
    function, number, came = ieee(lambda: 1), 0, True
    while came:
        number += 1
        interrupt, before = InterruptAt(number), sys.gettrace()
        with np.errstate(all="raise"):
            sys.settrace(interrupt)
            try:
                with contextlib.suppress(KeyboardInterrupt):
                    function()
            finally:
                sys.settrace(before)
            assert set(np.geterr().values()) == {"raise"}, f"after event {number}"
        came = interrupt.came
    assert number > 5
