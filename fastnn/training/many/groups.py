"""Which of many trainings one thread takes together, and how each of them ends."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial

from fastnn.engine.threads import usable_threads
from fastnn.training.fit.idle import warn_of_idle_steps
from fastnn.training.fit.joined import STEPS
from fastnn.training.many.group import Group
from fastnn.training.many.training import Training
from fastnn.training.many.worker_threads import Ended, Task
from fastnn_kernels._lanes.lanes import LANES

# A step of sixteen lanes takes as long whether or not a net is in each: fewer nets than these are trained one by one.
LANES_PAY_FROM = 12


def tasks_of(trainings: Sequence[Training]) -> list[Task]:
    """The trainings, those of one kind in groups where that is faster."""
    kinds: dict[Hashable, list[Training]] = {}
    for one in trainings:
        kinds.setdefault(one.kind() or one.number, []).append(one)
    tasks = []
    for alike in kinds.values():
        size = _size(len(alike))
        for first in range(0, len(alike), size):
            tasks.append(_task(alike[first : first + size]))
    return tasks


def _size(count: int) -> int:
    """How many trainings a group has, where `count` are of one kind and threads get equally many groups; 1: no gain."""
    threads = usable_threads()
    groups = -(-count // (LANES * threads)) * threads
    size = -(-count // groups)
    return size if size >= LANES_PAY_FROM else 1


def _task(trainings: Sequence[Training]) -> Task:
    if len(trainings) > 1:
        return Task([one.number for one in trainings], partial(_train_together, trainings))
    (one,) = trainings
    return Task([one.number], one.alone)


def _train_together(trainings: Sequence[Training], ended: Ended) -> list[Task]:
    """Train all that stay finite; the tasks that are left, of those that did not."""
    for one in trainings:
        one.settings.optimizer.attach(one.model.parameters)
        one.model.history.stop_reason = None
        warn_of_idle_steps(one.model, one.settings.optimizer, one.settings.passes_of(one.source) * one.settings.epochs)
    group, left = Group(trainings), []
    epochs, most = trainings[0].settings.epochs, max(STEPS // group.each, 1)
    for first in range(0, epochs, most):
        if not group.members or ended.is_set():
            break
        for member in group.run(min(most, epochs - first), ended):
            rest = replace(member.training, settings=replace(member.training.settings, epochs=epochs - first))
            left.append(_task([rest]))
    return left
