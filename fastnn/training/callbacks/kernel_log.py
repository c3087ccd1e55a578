"""What the kernels log while they are compiled, for those who show a training."""

import logging
from collections.abc import Callable

KERNELS = logging.getLogger("fastnn_kernels")


class KernelMessages(logging.Handler):
    """Hands each message to `told`: the first says how many kernels are compiled, further ones how many are done."""

    def __init__(self, told: Callable[[str], None]):
        super().__init__(logging.INFO)
        self.told = told

    def emit(self, record: logging.LogRecord) -> None:
        self.told(record.getMessage())

    def listen(self) -> logging.Handler:
        """Begin; where nobody chose a level for the kernels' messages, from INFO on."""
        if KERNELS.level == logging.NOTSET:
            KERNELS.setLevel(logging.INFO)
        KERNELS.addHandler(self)
        return self

    @staticmethod
    def end(listener: logging.Handler) -> None:
        KERNELS.removeHandler(listener)
