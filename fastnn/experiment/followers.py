"""What other ranks than rank 0 do of an experiment: they train along, and write nothing."""

import contextlib

from fastnn.common.errors import NonFiniteError
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.train_one import fewer_samples, fit
from fastnn.ranks.group import current


def announce(index: int | None) -> None:
    """Tell the ranks that follow which training begins now; None: there is none any more."""
    if (group := current()) is not None:
        group.told(index)


def follow(experiment: Experiment) -> None:
    """Train along with rank 0, which says which trainings those are."""
    group, recipe = current(), experiment.recipe
    assert group is not None
    data, planned = recipe.prepare(experiment.data, experiment.settings.dtype, experiment.settings), experiment.runs()
    while (index := group.told(None)) is not None:
        spec = planned.runs[index]
        given = data.joined() if recipe.tests_last and spec.candidate else data
        given = fewer_samples(given, spec.settings.samples)
        model, optimizer = recipe.build(spec.settings, given)
        # A run of a comparison that diverges is recorded, and the next one begins; that of the user ends the command.
        with contextlib.suppress(*() if spec.candidate else (NonFiniteError,)):
            fit(recipe, model, optimizer, spec.settings, given, recipe.fit_arguments(spec.settings, given.train), [])
