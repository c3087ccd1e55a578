"""The arguments of `fn.sweep`, checked before anything is trained."""

import contextlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastnn.common import notebook, stderr
from fastnn.common.names import near
from fastnn.common.validation import truth, whole_number
from fastnn.engine.threads import threads as limit
from fastnn.engine.threads import threads_at_hand
from fastnn.models import Model
from fastnn.search import pools
from fastnn.search.model_job import Build, ModelJob
from fastnn.search.pools import Pool
from fastnn.search.space import Between, Space
from fastnn.training.callbacks import Callback

ELSEWHERE = ("self", "x", "y", "validation_data", "callbacks", "verbose")  # arguments of `fit` that the sweep gives
TAKEN = ("status", "reason", "of", "threads", "seconds", "epochs_run", "best_epoch", "loss")  # columns of the table
OWN = ("space", "trials", "seeds", "monitor", "halving", "sampler", "jobs", "threads", "scheduler", "out", "callbacks")
OF_FIT = [name for name in inspect.signature(Model.fit).parameters if name not in ELSEWHERE]


def space_of(given: Any) -> Space:
    """The axes, or the settings themselves. TypeError or ValueError for what is neither."""
    if isinstance(given, Mapping):
        return {name: axis if isinstance(axis, Between) else _values(name, axis) for name, axis in given.items()}
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f'space is {given!r:.60}, expected a dict such as {{"lr": [0.01, 0.1]}}, or a list of settings')
    listed = list(given)
    for number, one in enumerate(listed):
        if not isinstance(one, Mapping):
            raise TypeError(f'space[{number}] is {one!r:.60}, expected settings such as {{"lr": 0.1}}')
    if not listed:
        raise ValueError("space is empty, expected at least one trial")
    return [dict(one) for one in listed]


def _values(name: Any, axis: Any) -> list[Any]:
    if isinstance(axis, str) or not isinstance(axis, Iterable):
        raise TypeError(f"space[{name!r}] is {axis!r:.60}, expected a list of values, or fn.Between(low, high)")
    found = list(axis)
    if not found:
        raise ValueError(f"space[{name!r}] is empty, expected at least one value")
    return found


def names_of(space: Space) -> list[str]:
    """The names of all settings. ValueError for one that is a column of the table already."""
    found = list(dict.fromkeys(name for one in ([space] if isinstance(space, dict) else space) for name in one))
    for name in found:
        if not isinstance(name, str) or name in TAKEN or "@" in name:
            raise ValueError(f"space: a setting cannot be called {name!r}, as the table of trials has such a column")
    return found


def seeds_of(given: Any, names: Sequence[str]) -> list[int]:
    """The seeds; [] where settings are trained once."""
    if isinstance(given, Iterable) and not isinstance(given, str):
        found = [whole_number("seeds", one, 0) for one in given]
    else:
        count = whole_number("seeds", given)
        found = list(range(count)) if count > 1 else []
    if found and "seed" in names:
        raise ValueError("seeds= was given, and space has a setting 'seed', too; give one of the two")
    return list(dict.fromkeys(found))


def job_of(
    build: Build,
    data: Any,
    settings: Sequence[str],
    fit_arguments: Mapping[str, Any],
    validation_data: Any,
    callbacks: Iterable[Callback],
) -> ModelJob:
    """What trials have in common. TypeError or ValueError for names that neither `build` nor `fit` takes."""
    if not callable(build):
        raise TypeError(f"build is {build!r:.60}, expected a function of settings that returns a model")
    takes, takes_any = _arguments_of_build(build)
    for name in settings:
        if name not in takes and not takes_any and name not in OF_FIT:
            advice = "; give it this argument: def build(..., seed)" if name == "seed" else f"; {near(name, takes)}"
            raise ValueError(f"neither build nor fit has an argument {name!r}{advice}")
    _check_given(build, settings)
    for name in fit_arguments:
        if name not in OF_FIT:
            raise TypeError(f"sweep has no argument {name!r}; {near(name, [*OF_FIT, *OWN])}")
    given: dict[str, Any] = {"epochs": 1, **fit_arguments}
    if validation_data is not None:
        given["validation_data"] = validation_data
    of_build = frozenset(name for name in settings if name in takes or (takes_any and name not in OF_FIT))
    return ModelJob(build, data, given, _callbacks(callbacks), of_build)


def _check_given(build: Build, settings: Sequence[str]) -> None:
    """TypeError if `build` needs an argument that no settings have: all trials would fail."""
    for one in inspect.signature(build).parameters.values():
        needed = one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        if needed and one.name not in settings:
            advice = "seeds=2 gives it" if one.name == "seed" else f"add it to the space, {{{one.name!r}: [...]}}"
            raise TypeError(
                f"build needs an argument {one.name!r}, which is no setting; {advice}, or give it a default"
            )


def _arguments_of_build(build: Build) -> tuple[list[str], bool]:
    """The names that it takes, and whether it takes any."""
    parameters = inspect.signature(build).parameters.values()
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return named, any(one.kind == one.VAR_KEYWORD for one in parameters)


def _callbacks(given: Any) -> list[Callback]:
    found = list(given) if isinstance(given, Iterable) else []
    if not isinstance(given, Iterable) or not all(isinstance(one, Callback) for one in found):
        raise TypeError(f"callbacks is {given!r:.60}, expected a list, such as [fn.EarlyStopping()]")
    for one in found:
        if getattr(one, "path", None) is not None:
            raise ValueError(f"callbacks holds a {type(one).__name__}, whose file each trial would write; leave it out")
    return found


def check_judged(job: ModelJob, monitor: str) -> None:
    """ValueError if trials are to be judged on data that there are not."""
    has = "validation_data" in job.arguments or job.arguments.get("validation_split")
    if monitor.startswith("val_") and not has and not callable(job.data) and "validation_data" not in job.arrays():
        raise ValueError(
            f"sweep judges by {monitor}, on samples that trials are not trained on: give validation_data=(x, y) or "
            "validation_split=0.2; monitor='loss' judges on the training set"
        )


def place_of(jobs: Any, threads: Any, scheduler: Any) -> AbstractContextManager[Pool]:
    """Where trials run. ValueError for arguments that exclude each other."""
    jobs = whole_number("jobs", jobs)
    if scheduler is not None:
        if jobs > 1 or threads is not None:
            raise ValueError("scheduler leaves jobs and threads to the cluster's workers: leave these two out")
        return pools.cluster(scheduler)
    count = threads_at_hand() if threads is None else whole_number("threads", threads)
    with limit(count):  # ValueError for more than there are
        pass
    if jobs == 1:
        return contextlib.nullcontext(pools.Here(count))
    return pools.processes(jobs, max(1, count // jobs))


def is_asked(verbose: Any) -> bool:
    """Whether a line a trial is shown. ValueError if it is none of True, False, "auto"."""
    if isinstance(verbose, str) and verbose == "auto":
        return notebook.shell() is not None or stderr.is_terminal()
    return truth("verbose", verbose)
