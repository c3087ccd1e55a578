"""What a network expects of data that lie before a preprocessing, and the base of such changes of what it expects."""

from typing import Any

import numpy as np

from fastnn.data.chunk import Expected
from fastnn.data.preprocessing import Preprocessing


class Forwarding:
    """An `Expected` that asks another one; a subclass says what is different."""

    def __init__(self, network: Expected):
        self._network = network
        self.dtype = network.dtype

    @property
    def classes(self) -> int | None:
        return self._network.classes

    @property
    def takes_classes(self) -> bool:
        return self._network.takes_classes

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self._network.input_shapes

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]:
        return self._network.inputs_in(x, what)

    def targets_in(self, y: Any, what: str) -> dict[str, Any]:
        return self._network.targets_in(y, what)

    def check_shape(self, number: int, given: tuple[int, ...], what: str) -> None:
        self._network.check_shape(number, given, what)

    def checked_input(self, number: int, x: Any, what: str) -> np.ndarray:
        return self._network.checked_input(number, x, what)

    def checked_target(self, number: int, y: Any, what: str) -> np.ndarray:
        return self._network.checked_target(number, y, what)


class Prepared(Forwarding):
    """The `Expected` of a user whose data go through `preprocessing` to `network`; data of streams chunk by chunk."""

    def __init__(self, network: Expected, preprocessing: Preprocessing):
        super().__init__(network)
        self._preprocessing = preprocessing

    def inputs_in(self, x: Any, what: str) -> dict[str, Any]:
        return {what: x} if self._preprocessing.takes_mapping else super().inputs_in(x, what)

    def check_shape(self, number: int, given: tuple[int, ...], what: str) -> None:
        self._preprocessing.check_shape(given, what, self.input_shapes[number])

    def checked_input(self, number: int, x: Any, what: str) -> np.ndarray:
        made = self._preprocessing.converted(x, what, self.input_shapes[number], self.dtype)
        return super().checked_input(number, made, what)

    def checked_target(self, number: int, y: Any, what: str) -> np.ndarray:
        return super().checked_target(number, self._preprocessing.targets_of(y, what), what)
