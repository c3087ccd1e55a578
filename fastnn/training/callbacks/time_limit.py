"""Ends training after a time."""

import time

from fastnn.common.assigned import above_zero
from fastnn.training.callbacks.base import Callback
from fastnn.training.callbacks.run import Run


class TimeLimit(Callback):
    """Stop after the step in which `seconds` have passed since `fit` began; a resumed training has them anew.

    Steps that are compiled into one call, about 50 ms of them, end together.

    Args:
        seconds: Above 0.

    Raises:
        ValueError: If it is not above 0.

    Examples:
        >>> history = model.fit(x, y, epochs=2, callbacks=[fn.TimeLimit(60)])
    """

    often = True
    _checks = Callback._checks | {"seconds": above_zero}

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.begin = 0.0

    def on_train_begin(self, run: Run) -> None:
        self.begin = time.monotonic()  # not the wall clock, which may be set while training runs

    def on_batch_end(self, run: Run) -> None:
        if time.monotonic() - self.begin >= self.seconds:
            run.stop(f"time limit of {self.seconds:g} s reached")

    # The evaluation after an epoch takes its time too: no further epoch is begun for a single call.
    on_epoch_end = on_batch_end
