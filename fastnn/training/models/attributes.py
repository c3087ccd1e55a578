"""What may be assigned to attributes of a model that are no properties."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastnn.common import random
from fastnn.nn.network import Network, State
from fastnn.training.history import History


def _of_kind(name: str, kind: type, hint: str) -> Callable[[Any, Any], Any]:
    def check(model: Any, given: Any) -> Any:
        if not isinstance(given, kind):
            raise TypeError(f"model.{name} is {given!r:.60}, expected {hint}")
        return given

    return check


def _first_dtype(model: Any, given: np.dtype) -> np.dtype:
    if "dtype" in vars(model) and given != model.dtype:
        raise AttributeError(
            f"a model keeps its dtype, {model.dtype}: give it where the model is made, Sequential([...], dtype=...)"
        )
    return given


# What may be assigned to attributes that are no properties. A copy and a pickle of a model set none of them.
CHECKS: Mapping[str, Callable[[Any, Any], Any]] = {
    "dtype": _first_dtype,
    "seed": lambda model, given: random.seed_number(given),
    "meta": _of_kind("meta", dict, 'a dict, or one entry of it: model.meta["classes"] = ...'),
    "history": _of_kind("history", History, "fn.History(): then a new record begins"),
    "network": _of_kind("network", Network, "a network: make another model, Sequential([...], input_shape=...)"),
    "state": _of_kind("state", State, "the arrays as the model made them; model.set_parameters changes them"),
}
