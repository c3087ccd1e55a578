"""Metrics: the figures beside the loss that say how good predictions are."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np

from fastnn.common.figures import CIRCUMSTANCES
from fastnn.common.names import look_up, near
from fastnn.nn.losses import Loss
from fastnn.nn.metrics.base import MeanMetric, Metric, Scored, ScoredSteps, WholeMetric
from fastnn.nn.metrics.means import (
    Accuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    OutputLoss,
    Perplexity,
    RootMeanSquaredError,
    SignAccuracy,
    TopK,
)
from fastnn.nn.metrics.whole import R2, Function, OwnMetric

__all__ = [
    "Given",
    "MeanMetric",
    "Metric",
    "Scored",
    "ScoredSteps",
    "WholeMetric",
    "config",
    "fitting",
    "for_outputs",
    "resolve",
]

MetricName = Literal["accuracy", "sign_accuracy", "top_5", "mae", "mse", "rmse", "r2", "perplexity"]
# One entry of `metrics=[...]`. Editors complete the names; str is for top_2, top_10, ...
Given = MetricName | str | Function | tuple[str, MetricName | str | Function]

KINDS: tuple[type[Metric], ...] = (
    *(Accuracy, SignAccuracy, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError, R2, Perplexity),
)
METRICS: dict[str, Callable[[str, Loss, int], Metric]] = {metric.kind: metric for metric in KINDS}
METRICS["top_5"] = partial(TopK, top=5)  # any other number does, too
ELSEWHERE = {  # what others call them
    "acc": "accuracy",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
    "top_k": "top_5",
    "top_k_accuracy": "top_5",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
}
SPLITS = ("val_", "test_")  # begin the figures of other data than those of the training
TAKEN = (*CIRCUMSTANCES, "loss")  # figures of the history that are no metrics


def resolve(given: Any, loss: Loss, outputs: int) -> tuple[Metric, ...]:
    """The metrics of a model with this loss: what the loss measures, then those that `metrics=` names.

    given : names of METRICS or top_k, functions of (y_true, y_pred), pairs (name of the figure, one of these)

    TypeError for what is none of these; ValueError for an unknown name, a name given to two metrics, or a metric that
    says nothing of predictions of this loss.
    """
    found: dict[str, Metric] = {}
    for one in (*loss.metrics, *_listed(given)):
        metric = _metric(one, loss, outputs)
        if found.setdefault(metric.name, metric) != metric:
            raise ValueError(f"metrics has two that are called {metric.name!r}; name one of them: (name, metric)")
    return tuple(found.values())


def for_outputs(given: Any, outputs: Mapping[str, tuple[Loss, int]]) -> dict[str, tuple[Metric, ...]]:
    """The metrics of each output of a network. Of several outputs the loss is one, and names begin with the output's.

    given   as for `resolve`: a list for every output, or a dict of lists by output
    outputs name -> its loss and the width of its predictions

    Errors as of `resolve`; ValueError for the name of an output that there is not.
    """
    by_name = dict(given) if isinstance(given, Mapping) else dict.fromkeys(outputs, given)
    if unknown := next((name for name in by_name if name not in outputs), None):
        raise ValueError(f"metrics names the output {unknown!r}; {near(unknown, outputs)}")
    found = {name: resolve(by_name.get(name, ()), loss, width) for name, (loss, width) in outputs.items()}
    if len(outputs) == 1:
        return found
    if of_another := next((name for name in outputs if f"{name}_".startswith(SPLITS)), None):
        raise ValueError(f"an output has the name {of_another!r}: figures that begin so are of other data; rename it")
    losses = {name: OutputLoss("loss", loss, width) for name, (loss, width) in outputs.items()}
    several = {name: tuple(one.of_output(name) for one in (losses[name], *found[name])) for name in outputs}
    names = Counter(metric.name for metrics in several.values() for metric in metrics)
    if double := next((name for name, count in names.items() if count > 1), None):
        raise ValueError(f"two figures would be called {double!r}; give outputs or metrics other names")
    return several


def config(metrics: Iterable[Metric]) -> list[Any]:
    """Those that a file can name, beside what the loss measures, for `resolve`."""
    named = [metric for metric in metrics if metric.kind and metric.own_name not in metric.loss.metrics]
    return [one.own_name if one.own_name == one.kind else [one.own_name, one.kind] for one in named]


def fitting(given: Iterable[Any], loss: Loss, outputs: int) -> list[Any]:
    """Those of `given` that say something of predictions of this loss."""

    def fits(one: Any) -> bool:
        try:
            return bool(resolve([one], loss, outputs))
        except ValueError:
            return False

    return [one for one in given if fits(one)]


def _listed(given: Any) -> Iterator[Any]:
    if isinstance(given, str) or callable(given) or not np.iterable(given):
        raise TypeError(f"metrics is {given!r}, expected a list such as ['mae', 'r2']")
    yield from given


def _metric(one: Any, loss: Loss, outputs: int) -> Metric:
    name, what = _pair(one)
    if callable(what):
        name = name or _name_of(what)
        metric: Metric = OwnMetric(_checked(name), loss, outputs, what)
    elif isinstance(what, str) and (top := re.fullmatch(r"top_(\d+)", what)):
        metric = TopK(_checked(name or what), loss, outputs, int(top[1]))
    else:
        if isinstance(what, str) and what in ELSEWHERE:
            raise ValueError(f"unknown metric {what!r}; it is called {ELSEWHERE[what]!r} here")
        metric = look_up("metric", what, METRICS)(_checked(name or what), loss, outputs)
    return metric


def _pair(one: Any) -> tuple[str, Any]:
    """The name of the figure, "" if none was given, and what it is."""
    if isinstance(one, tuple | list):
        if len(one) != 2 or not isinstance(one[0], str):
            raise TypeError(f"metrics holds {one!r}, expected a name, a function or a pair (name, one of these)")
        return one[0], one[1]
    return "", one


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", "<none>")
    if not name.isidentifier():
        raise ValueError(f"metrics holds {function!r}, which has no name; give it one: ('my_metric', function)")
    return str(name)


def _checked(name: str) -> str:
    if not name.isidentifier() or name in TAKEN or name.startswith(SPLITS):
        raise ValueError(
            f"metrics has the name {name!r}, expected one like 'my_metric', not val_…, test_… or {', '.join(TAKEN)}"
        )
    return name
