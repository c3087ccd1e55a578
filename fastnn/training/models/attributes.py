"""What may be assigned to attributes of a model that are no properties."""

from typing import Any

from fastnn.common import random
from fastnn.common.assigned import Check, Checks
from fastnn.nn.network import Network, State
from fastnn.training.history import History


def _of_kind(kind: type, hint: str) -> Check:
    def check(owner: str, name: str, given: Any) -> Any:
        if not isinstance(given, kind):
            raise TypeError(f"model.{name} is {given!r:.60}, expected {hint}")
        return given

    return check


CHECKS: Checks = {
    "seed": lambda owner, name, given: random.seed_number(given),
    "meta": _of_kind(dict, 'a dict, or one entry of it: model.meta["classes"] = ...'),
    "history": _of_kind(History, "fn.History(): then a new record begins"),
    "network": _of_kind(Network, "a network: make another model, Sequential([...], input_shape=...)"),
    "state": _of_kind(State, "the arrays as the model made them; model.set_parameters changes them"),
}
