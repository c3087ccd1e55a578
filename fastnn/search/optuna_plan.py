"""Settings that an Optuna study asks for, one after the other, with pruning by epoch."""

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from fastnn.common import random
from fastnn.common.packages import package
from fastnn.common.text import plural
from fastnn.common.validation import whole_number
from fastnn.search.plans import NEVER
from fastnn.search.ranking import is_number
from fastnn.search.space import Axis, Between
from fastnn.search.trials import Trial, Trials

SIMPLE = (str, int, float, bool, type(None))  # what Optuna takes as a choice


class Asked:
    """The study, which learns of each settings' mean over their seeds.

    count       how many settings it is asked for
    look_every  epochs after which its pruner may stop a trial; 0: it never does
    at_once     how many trials run at once
    """

    def __init__(
        self,
        trials: Trials,
        axes: Mapping[str, Axis],
        study: Any,
        count: int,
        *,
        look_every: int = 1,
        at_once: float = 1,
        seed: int = 0,
    ):
        self._optuna = package("optuna", "sampler")
        self._trials, self._axes, self._count = trials, axes, whole_number("trials", count)
        self._look, self.width = whole_number("prune_every", look_every, 0), at_once
        self._waiting: deque[tuple[Trial, int]] = deque()
        self._open: dict[int, Any] = {}  # number of the settings -> the study's trial
        self._until: dict[int, int] = {}
        self._pending: dict[int, int] = {}
        self._distributions = {name: self._distribution(axis) for name, axis in axes.items()}
        kept = trials.store.settings_found()
        self._study = self._new(seed + len(kept)) if study is None else self._checked(study, trials.higher)
        for settings in [] if self._study.trials else kept[: self._count]:
            self._replay(settings)

    def _new(self, seed: int) -> Any:
        sampler = self._optuna.samplers.TPESampler(seed=int(random.key(seed, "optuna", words=1)[0] % 2**32))
        before = self._optuna.logging.get_verbosity()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)  # the sweep has its own lines
        try:
            direction = "maximize" if self._trials.higher else "minimize"
            return self._optuna.create_study(direction=direction, sampler=sampler)
        finally:
            self._optuna.logging.set_verbosity(before)

    def _checked(self, study: Any, higher: bool) -> Any:
        """A user's study. TypeError for something else, ValueError for one of the other direction."""
        if not isinstance(study, self._optuna.Study):
            raise TypeError(f"sampler is {study!r:.60}, expected 'optuna' or an optuna.Study")
        want = "maximize" if higher else "minimize"
        if study.direction.name.lower() != want:
            raise ValueError(f"sampler: the study is to {study.direction.name.lower()}, expected direction={want!r}")
        return study

    def _distribution(self, axis: Axis) -> Any:
        found = self._optuna.distributions
        if not isinstance(axis, Between):
            return found.CategoricalDistribution(tuple(range(len(axis))) if not _is_simple(axis) else tuple(axis))
        kind = found.IntDistribution if axis.is_whole else found.FloatDistribution
        return kind(axis.low, axis.high, log=axis.low > 0)

    def _settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that the study's values mean: of a list of objects it knows the numbers."""
        return {
            name: axis[values[name]] if not isinstance(axis, Between) and not _is_simple(axis) else values[name]
            for name, axis in self._axes.items()
        }

    def _replay(self, texts: Mapping[str, str]) -> None:
        """Tell the study of settings that an earlier call has trained; those that it cannot have asked for it skips."""
        try:
            values = {name: _value(axis, texts[name]) for name, axis in self._axes.items()}
        except (KeyError, ValueError):
            return
        added = self._trials.add(self._settings(values))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a value is rounded as a table holds it
            self._study.enqueue_trial(values)
        self._begin(added)

    def next(self) -> tuple[Trial, int] | None:
        while not self._waiting and len(self._trials.settings) < self._count:
            asked = self._study.ask(self._distributions)
            self._begin(self._trials.add(self._settings(asked.params)), asked)
        return self._waiting.popleft() if self._waiting else None

    def _begin(self, added: Sequence[Trial], asked: Any = None) -> None:
        number = added[0].group
        self._open[number] = asked or self._study.ask(self._distributions)
        self._until[number] = self._look or NEVER
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        """Train all trials of these settings to the next look, or tell the study what has become of them."""
        group = self._trials.group(number)
        todo = [trial for trial in group if trial.status in ("", "paused")]
        if self._look:
            while todo and all(trial.row.get("epochs_run", 0) >= self._until[number] for trial in todo):
                self._until[number] += self._look
        self._pending[number] = len(todo)
        self._waiting.extend((trial, self._until[number]) for trial in todo)
        if not todo:
            self._tell(number, group)

    def _tell(self, number: int, group: Sequence[Trial]) -> None:
        state = self._optuna.trial.TrialState
        if any(trial.status == "stopped" for trial in group):
            self._study.tell(self._open.pop(number), state=state.PRUNED)
            return
        values = [trial.row.get(self._trials.monitor) for trial in group if not trial.failed]
        known = [float(value) for value in values if value is not None and is_number(value) and value == value]
        if len(known) < len(group):
            self._study.tell(self._open.pop(number), state=state.FAIL)
        else:
            self._study.tell(self._open.pop(number), fmean(known))

    def ended(self, trial: Trial) -> None:
        number = trial.group
        self._pending[number] -= 1
        if self._pending[number]:
            return
        group, until = self._trials.group(number), self._until[number]
        paused = [one for one in group if one.status == "paused"]
        if paused and not any(one.failed for one in group) and self._pruned(number, group, until):
            for one in paused:
                one.row |= {"status": "stopped", "reason": f"pruned after {plural(until, 'epoch')}"}
        self._go_on(number)

    def _pruned(self, number: int, group: Sequence[Trial], until: int) -> bool:
        asked = self._open[number]
        asked.report(fmean(trial.row[self._trials.monitor] for trial in group), until)
        return bool(asked.should_prune())


def _is_simple(axis: Axis) -> bool:
    return not isinstance(axis, Between) and all(isinstance(value, SIMPLE) for value in axis)


def _value(axis: Axis, text: str) -> Any:
    """The study's value of which a table holds the text. ValueError if there is none."""
    if isinstance(axis, Between):
        value = int(text) if axis.is_whole else float(text)
        if not axis.low <= value <= axis.high:
            raise ValueError(f"{text} is not between {axis.low} and {axis.high}")
        return value
    number = [str(one) for one in axis].index(text)
    return axis[number] if _is_simple(axis) else number
