"""What the summary of a run says as it begins, and once it has ended."""

from datetime import datetime, timezone

import numba

from fastnn.data import Dataset
from fastnn.experiment.answers import Answer
from fastnn.experiment.experiment import Experiment
from fastnn.experiment.machine import peak_memory_mb, versions
from fastnn.experiment.results import ExperimentResult
from fastnn.experiment.summary import Ending, Summary
from fastnn.nn import describe
from fastnn.nn.time_steps import tokens_of_samples


def opening(experiment: Experiment, data: Dataset) -> Summary:
    """The summary of a run that begins. data: what it trains on, prepared."""
    recipe, settings = experiment.recipe, experiment.settings
    return Summary(
        id=recipe.id,
        title=recipe.title,
        command=experiment.command,
        status="running",
        data=data.meta["source"],
        data_note=experiment.announced,
        samples=_sizes(data, settings.samples),
        config=experiment.config(),
        unused=list(recipe.unused(settings)),
        quick=experiment.quick,
        best=recipe.best.found if experiment.best and recipe.best else None,
        threads=numba.get_num_threads(),
        dtype=settings.dtype,
        versions=versions(),
        report=recipe.published.report,
        true_entropy=data.meta.get("true_entropy"),
    )


def _sizes(data: Dataset, samples: int) -> dict[str, int]:
    """Split -> number of samples, where at most `samples` are trained on; 0: all."""
    sizes = {name: len(split) for name, split in data.splits().items()}
    return sizes | {"train": min(samples or sizes["train"], sizes["train"])}


def ending(result: ExperimentResult, answers: list[Answer], seconds: float) -> Ending:
    """What a run adds to its summary at its end. seconds : how long it took"""
    chosen = result.chosen
    pictures = {name: caption for answer in answers for name, caption, _ in answer.pictures}
    return Ending(
        chosen=chosen.label,
        metrics=chosen.metrics,
        best_epoch=chosen.best_epoch,
        epochs_run=len(chosen.epochs),
        stop_reason=chosen.stop_reason or None,
        seconds_per_epoch=chosen.seconds_per_epoch,
        samples_per_second=chosen.samples_per_second,
        tokens_of_samples=tokens_of_samples(result.model.network),
        runs=result.compared_runs(),
        spreads=result.spreads(),
        answers=[answer.to_json() for answer in answers],
        pictures=pictures,
        network=describe.table(result.model.network, result.model.parameters),
        finished_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        seconds=seconds,
        peak_rss_mb=peak_memory_mb(),
    )
