"""In which order the trials of `fn.sweep` are trained, and how far: the plan that its arguments ask for."""

from typing import Any, NamedTuple

from fastnn.common.validation import truth, whole_number
from fastnn.search.model_job import ModelJob
from fastnn.search.optuna_plan import Asked
from fastnn.search.plans import All, Halving, Plan
from fastnn.search.pools import Pool
from fastnn.search.space import Space, combinations, draw
from fastnn.search.trials import Trials


class Order(NamedTuple):
    """Which settings are tried and how far each is trained: the arguments of `sweep` by the same names.

    count : its `trials`
    """

    count: Any
    seed: int
    halving: Any
    factor: int
    sampler: Any
    prune_every: int


def plan_of(trials: Trials, space: Space, job: ModelJob, pool: Pool, order: Order) -> Plan:
    """In which order trials are trained, and how far. ValueError for arguments that exclude each other."""
    halving = truth("halving", order.halving)
    if order.sampler is not None:
        return _asked(trials, space, pool, order)
    settings = _settings(space, order.count, order.seed)
    if not halving:
        return All(trials, settings)
    if any("epochs" in one for one in settings):
        raise ValueError("halving: space has the setting 'epochs', but rungs are epochs of all trials: give epochs=")
    return Halving(trials, settings, whole_number("epochs", job.arguments["epochs"]), order.factor)


def _asked(trials: Trials, space: Space, pool: Pool, order: Order) -> Plan:
    """The plan of which a study chooses the trials."""
    if order.halving or not isinstance(space, dict) or order.count is None:
        raise ValueError("sampler needs a space of axes and trials=, how many to ask for, and goes without halving")
    study = None if isinstance(order.sampler, str) and order.sampler == "optuna" else order.sampler
    return Asked(trials, space, study, order.count, look_every=order.prune_every, at_once=pool.slots, seed=order.seed)


def _settings(space: Space, count: Any, seed: int) -> list[dict[str, Any]]:
    if not isinstance(space, dict):
        if count is not None:
            raise ValueError("trials says how many to draw of axes, but space is the settings themselves")
        return space
    return combinations(space) if count is None else draw(space, whole_number("trials", count), seed)
