"""Runs a recipe from data to a folder: the flow that all systems share."""

import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from fastnn.common.csv_file import write_rows
from fastnn.common.errors import NonFiniteError
from fastnn.data import Dataset
from fastnn.experiment import report
from fastnn.experiment.lineup import Entry, Lineup, line_up
from fastnn.experiment.pictures import draw
from fastnn.experiment.recipe import Comparison, Recipe, plain
from fastnn.experiment.results import Results, Trained
from fastnn.experiment.run_folder import MODEL, RunFolder, read_summary
from fastnn.experiment.train_one import SparingCheckpoint, fewer_samples, load_trained, save_trained, train_one
from fastnn.training.callbacks import Callback

SCHEMA = 1

# Called before each training: (its number from 1, how many there are, the entry) -> callbacks that show progress.
Watch = Callable[[int, int, Entry], list[Callback]]
# Called after each: (its number, how many, how it ended).
Tell = Callable[[int, int, Trained], None]


@dataclass(frozen=True)
class Outcome:
    """What a command leaves for a person to read: its summary, the closing titles and lines, and where it is."""

    summary: dict[str, Any]
    closing: list[tuple[str, list[str]]]
    folder: Path


@dataclass(frozen=True)
class Order:
    """What to run, and how.

    recipe, settings  the chosen run
    data, announced   as `Recipe.find` gives them: data as loaded, and the line that says which they are
    comparisons       to make beside it
    limit             the most epochs that any run has
    quick, best       whether the user asked for --quick, --best
    command           the command line, for whoever wants to repeat it
    """

    recipe: Recipe
    settings: Any
    data: Dataset
    announced: str = ""
    comparisons: Sequence[Comparison] = ()
    limit: int | None = None
    quick: bool = False
    best: bool = False
    command: str = ""

    def lineup(self) -> Lineup:
        return line_up(self.recipe, self.settings, self.comparisons, quick=self.quick, limit=self.limit)

    def config(self) -> dict[str, Any]:
        """For `summary.json`: the settings, and all else that a resumed run must have in common with the first."""
        names = ",".join(comparison.name for comparison in self.comparisons) or "none"
        return plain(self.settings) | {"compare": names, "data": self.data.meta["source"]}


def run(
    order: Order,
    out: Path,
    *,
    resume: bool = False,
    fresh: bool = False,
    watch: Watch = lambda number, count, entry: [],
    tell: Tell = lambda number, count, trained: None,
) -> Outcome:
    """Train what `order` says and leave model, history, pictures and summary in `out`.

    Raises what `fit` raises when the chosen run fails; a run of a comparison that diverges is recorded as failed.
    """
    lineup = order.lineup()
    data = order.recipe.prepare(order.data, order.settings.dtype)
    for entry in lineup.entries:
        if entry.candidate:  # what is wrong with the user's settings shows before any file
            order.recipe.build(entry.settings, data)
    folder = RunFolder(out)
    folder.open(order.config(), resume=resume, fresh=fresh)
    summary = _opening(order, data)
    folder.write_summary(summary)
    try:
        trained = _train_all(order, lineup, data, folder, resume, watch, tell)
    except BaseException as error:
        folder.write_summary(summary | {"status": "diverged" if isinstance(error, ArithmeticError) else "interrupted"})
        raise
    return _finish(_gather(order.recipe, lineup, data, trained, folder.working), summary, folder)


def _finish(results: Results, summary: dict[str, Any], folder: RunFolder) -> Outcome:
    """Write all that a run leaves, and put its folder into place."""
    results.model.save(folder.working / MODEL)
    pictures = draw(results)
    summary |= _ending(results) | {"pictures": dict(pictures), "peak_rss_mb": peak_memory_mb()}
    folder.write_summary(summary)
    closing = results.recipe.closing(results)
    tables = [(title, [""], [[line] for line in lines]) for title, lines in closing]
    report.write(folder.working, summary, pictures, tables)
    folder.finish()
    return Outcome(read_summary(folder.final), closing, folder.final)


def _train_all(
    order: Order, lineup: Lineup, data: Dataset, folder: RunFolder, resume: bool, watch: Watch, tell: Tell
) -> list[Trained]:
    """The trainings in their order; those that had ended before an interruption are read."""
    trained: list[Trained] = []
    for number, entry in enumerate(lineup.entries):
        part = folder.part(number)
        if (ended := load_trained(part, entry.label, entry.settings)) is not None:
            trained.append(ended)
        else:
            shown = watch(number + 1, len(lineup.entries), entry)
            own = order.recipe.watch(entry.settings, folder.working, entry.candidate)
            checkpoint = SparingCheckpoint(folder.checkpoint, resume=resume)
            trained.append(_train_entry(order.recipe, entry, data, [*own, *shown], checkpoint))
            _keep(folder, number, trained[-1])
        _write_history(folder.working / "history.csv", trained, len(lineup.entries) > 1)
        tell(number + 1, len(lineup.entries), trained[-1])
    return trained


def _train_entry(
    recipe: Recipe, entry: Entry, data: Dataset, callbacks: list[Callback], checkpoint: SparingCheckpoint
) -> Trained:
    try:
        return train_one(recipe, entry.label, entry.settings, data, callbacks=callbacks, checkpoint=checkpoint)
    except NonFiniteError as error:
        if entry.candidate:
            raise
        return Trained(entry.label, entry.settings, failed=str(error))


def _keep(folder: RunFolder, number: int, trained: Trained) -> None:
    """Note that a training has ended; one that failed is repeated when the command is resumed."""
    if not trained.failed:
        save_trained(folder.part(number), trained)
    folder.checkpoint.unlink(missing_ok=True)


def _write_history(path: Path, trained: list[Trained], several: bool) -> None:
    """One line an epoch; with several trainings the first column, `run`, says whose it is."""
    write_rows(path, [({"run": one.label} if several else {}) | epoch for one in trained for epoch in one.epochs])


def _gather(recipe: Recipe, lineup: Lineup, data: Dataset, trained: list[Trained], folder: Path) -> Results:
    groups = [(one, {label: trained[number] for label, number in members.items()}) for one, members in lineup.groups]
    candidates = [one for one, entry in zip(trained, lineup.entries, strict=True) if entry.candidate]
    return Results(recipe, data, trained, groups, min(candidates, key=_validation_loss), folder)


def _validation_loss(trained: Trained) -> float:
    return trained.metrics.get("val_loss", trained.metrics["train_loss"])


def _opening(order: Order, data: Dataset) -> dict[str, Any]:
    recipe = order.recipe
    return {
        "schema": SCHEMA,
        "id": recipe.id,
        "title": recipe.title,
        "command": order.command,
        "status": "running",
        "data": data.meta["source"],
        "data_note": order.announced,
        "samples": {part: len(split) for part, split in fewer_samples(data, order.settings.samples).splits().items()},
        "config": order.config(),
        "quick": order.quick,
        "best": recipe.best.found if order.best and recipe.best else None,
        "threads": numba.get_num_threads(),
        "dtype": order.settings.dtype,
        "versions": versions(),
        "seed_figures": recipe.seed_figures,
        "true_entropy": data.meta.get("true_entropy"),
    }


def _ending(results: Results) -> dict[str, Any]:
    chosen = results.chosen
    return {
        "status": "finished",
        "chosen": chosen.label,
        "metrics": chosen.metrics,
        "best_epoch": chosen.best_epoch,
        "epochs_run": len(chosen.epochs),
        "stop_reason": chosen.stop_reason or None,
        "seconds_per_epoch": chosen.seconds_per_epoch,
        "samples_per_second": chosen.samples_per_second,
        "runs": results.rows(),
        "spreads": results.spreads(),
    }


def peak_memory_mb() -> float:
    """The largest resident size of this process so far, in megabytes (10⁶ bytes); 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def versions() -> dict[str, str]:
    """Versions of everything that results or speed depend on."""
    from fastnn import __version__

    python = platform.python_version()
    return {"fastnn": __version__, "python": python, "numba": numba.__version__, "numpy": np.__version__}
